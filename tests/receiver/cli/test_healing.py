"""Remedies beside a catalogue, and the page that is made of them."""

from pathlib import Path

import pytest

from pipelines.language.remedy import Action
from receiver.cli import command as base
from receiver.cli import healing_reference, remedy_folder
from receiver.settings import SettingsError

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of an automation project."""
    (tmp_path / "bug-fix.yml").write_text((ROOT / "bug-fix.yml").read_text())
    (tmp_path / "templates" / "healing").mkdir(parents=True)
    return tmp_path


def test_the_page_of_remedies_is_what_the_files_say() -> None:
    page = healing_reference.PAGE.read_text(encoding="utf-8")
    assert healing_reference.page(page) == page, "write it anew: python -m receiver.cli.healing_reference"


def test_our_own_checkout_has_no_remedy_of_a_team() -> None:
    assert not any(one.is_own for one in remedy_folder.read(ROOT / "bug-fix.yml"))


def test_a_catalogue_has_the_built_in_remedies_and_those_beside_it(folder: Path) -> None:
    text = (ROOT / "templates/healing/formatting.yml").read_text()
    (folder / "templates/healing/formatting.yml").write_text(text.replace("action: commit", "action: suggest"))
    (folder / "templates/healing/ours.yml").write_text(text)
    found = {one.id: one for one in base.catalogue(str(folder / "bug-fix.yml")).healing.remedies}
    assert (found["formatting"].action, found["formatting"].is_own) == (Action.SUGGEST, True)
    assert (found["ours"].action, found["import-order"].is_own) == (Action.COMMIT, False)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("ours.yml", "title: x\n", 'templates/healing/ours.yml:1: the key "match" is missing; add it'),
        ("ours.yaml", "title: x\n", "this is no remedy; a remedy's file ends in .yml: rename or remove it"),
    ],
)
def test_a_mistake_in_one_of_them_stops_the_start(folder: Path, name: str, text: str, sentence: str) -> None:
    (folder / "templates/healing" / name).write_text(text)
    with pytest.raises(SettingsError) as error:
        base.catalogue(str(folder / "bug-fix.yml"))
    assert sentence in str(error.value)
