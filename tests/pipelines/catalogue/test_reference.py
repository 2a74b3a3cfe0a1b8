"""The generated documentation of bug-fix.yml."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from pipelines.catalogue.file import read
from pipelines.catalogue.reference import files


def test_the_committed_documentation_is_what_the_code_says(root: Path) -> None:
    docs = root / "docs"
    for name, text in files((docs / "catalogue.md").read_text()).items():
        assert (docs / name).read_text() == text, f"docs/{name} is old: run python -m pipelines.catalogue.reference"


def test_every_key_is_explained(root: Path) -> None:
    keys, _, _ = (root / "docs/catalogue.md").read_text().partition("### Presets")
    unexplained = [line for line in keys.splitlines() if line.endswith("|  |")]
    assert [line for line in unexplained if "| section |" not in line] == []


@pytest.mark.parametrize("path", ["bug-fix.yml", "sandbox/scenarios/pl-479/bug-fix.yml", "tests/golden/catalogue.yml"])
def test_the_schema_accepts_what_the_reader_accepts(path: str, root: Path) -> None:
    schema = json.loads((root / "docs/bug-fix.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(yaml.safe_load((root / path).read_text()))) == []


@pytest.mark.parametrize("change", [{"stack": "cobol"}, {"imagee": "x"}, {"tags": "windows"}, {"image": "$IMAGE"}])
def test_the_schema_refuses_what_the_reader_refuses(change: dict[str, str], root: Path) -> None:
    schema = json.loads((root / "docs/bug-fix.schema.json").read_text())
    document = yaml.safe_load((root / "tests/golden/catalogue.yml").read_text())
    document["repositories"]["r1"] |= change
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(document))
    with pytest.raises(Exception, match=r"bug-fix\.yml:"):
        read(yaml.safe_dump(document), source="bug-fix.yml")


def test_the_example_of_the_page_is_valid(root: Path) -> None:
    page = (root / "docs/catalogue.md").read_text()
    example = page.split("```yaml\n")[1].split("```")[0]
    assert len(read(example, source="bug-fix.yml").repositories) == 3


def test_no_sample_serves_at_a_fixed_port(root: Path) -> None:
    samples = [root / "bug-fix.yml", *(root / "sandbox").rglob("*.yml"), *(root / "docs").glob("*.md")]
    ready = [found for file in samples for found in re.findall(r'serve: {.*ready: "([^"]*)"', file.read_text())]
    assert len(ready) > 10
    assert [one for one in ready if "$PORT" not in one] == []
