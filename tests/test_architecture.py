"""The map in docs/architecture.md leads somewhere."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_path_of_the_map_exists() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    rows = [line for line in page.split("## To change X, open Y")[1].splitlines() if line.startswith("| ")]
    paths = [path for row in rows for path in re.findall(r"`([^`]+)`", row.split("|")[2])]
    assert len(paths) > 40
    missing = [path for path in paths if not (ROOT / path).exists()]
    assert missing == []
