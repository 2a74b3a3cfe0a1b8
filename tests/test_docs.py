"""Pages for people lead to files that exist: the map in docs/architecture.md, and relative links."""

import re
from pathlib import Path

from tests import guarantees

ROOT = Path(__file__).parents[1]


def test_every_path_of_the_map_exists() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    rows = [line for line in page.split("## To change X, open Y")[1].splitlines() if line.startswith("| ")]
    paths = [path for row in rows for path in re.findall(r"`([^`]+)`", row.split("|")[2])]
    assert len(paths) > 40
    missing = [path for path in paths if not (ROOT / path).exists()]
    assert missing == []


def test_every_relative_link_of_the_documentation_leads_to_a_file() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    links = [
        (page, link)
        for page in pages
        for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
        if "://" not in link
    ]
    assert len(links) > 40
    assert [(page.name, link) for page, link in links if not (page.parent / link).exists()] == []


def test_the_page_on_guarantees_is_current_and_names_tests_that_exist() -> None:
    assert guarantees.missing() == []
    assert guarantees.PAGE.read_text(encoding="utf-8") == guarantees.page(), "run python -m tests.guarantees"
