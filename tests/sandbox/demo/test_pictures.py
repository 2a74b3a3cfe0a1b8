"""The pictures of the documentation: each has a maker and a place, and what is in it is cropped to its elements."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.demo.pictures import IMAGES, MARGIN, PICTURES, SHARPNESS, Box, around
from sandbox.scenario_format import names

CHECKOUT = Path(__file__).resolve().parents[3]
DOCUMENTS = [CHECKOUT / "README.md", *(CHECKOUT / "docs").glob("*.md")]


def test_each_picture_of_the_documentation_is_made_by_the_script_and_shown_somewhere() -> None:
    shown = {
        Path(found).name for file in DOCUMENTS for found in re.findall(r"!\[[^\]]+\]\(([^)]+\.png)\)", file.read_text())
    }
    made = {f"{one.name}.png" for one in PICTURES}
    assert made == {file.name for file in IMAGES.iterdir()} == shown


@pytest.mark.parametrize("picture", PICTURES, ids=lambda one: one.name)
def test_a_picture_is_sharp_and_no_longer_than_people_scroll(picture: object) -> None:
    header = (IMAGES / f"{picture.name}.png").read_bytes()[:24]  # type: ignore[attr-defined]
    width, height = int.from_bytes(header[16:20]), int.from_bytes(header[20:24])
    assert width >= 500 * SHARPNESS
    assert height <= 2500 * SHARPNESS


def test_each_picture_is_of_a_scenario_that_there_is() -> None:
    assert {one.scenario for one in PICTURES} <= set(names())
    assert len({one.name for one in PICTURES}) == len(PICTURES)


def test_a_picture_reaches_around_all_that_it_shows_and_not_out_of_the_page() -> None:
    heading = Box(x=100, y=5, width=300, height=30)
    table = Box(x=120, y=200, width=600, height=400)
    assert around([heading, table]) == Box(x=100 - MARGIN, y=0, width=620 + 2 * MARGIN, height=600 + MARGIN)
    assert around([table], below=0).height == table.height + MARGIN


def test_a_picture_that_is_not_known_is_refused_with_those_that_are() -> None:
    command = [sys.executable, "-m", "sandbox.demo.pictures", "sunset"]
    asked = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert asked.returncode == 2
    assert "there is no picture sunset" in asked.stderr
    assert "plan-waits" in asked.stderr
