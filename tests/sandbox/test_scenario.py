"""A scenario is a folder that anyone can add; what is wrong with it is said with file and key."""

import shutil
from pathlib import Path

import pytest

from sandbox import scenario_format as scenarios


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    source = scenarios.find("pl-479")
    return Path(shutil.copytree(source, tmp_path / "pl-479", ignore=shutil.ignore_patterns("__pycache__")))


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("name", scenarios.names())
def test_every_scenario_that_comes_with_the_sandbox_loads(name: str) -> None:
    loaded = scenarios.load(scenarios.find(name))
    assert loaded.name == name
    assert loaded.conversations


@pytest.mark.parametrize("name", scenarios.names())
def test_every_scenario_is_in_the_table_of_the_documentation(name: str) -> None:
    documentation = Path(__file__).parents[2] / "docs" / "scenarios.md"
    assert f"| `{name}` |" in documentation.read_text()


def test_a_scenario_from_any_folder_loads(folder: Path) -> None:
    loaded = scenarios.load(scenarios.find(str(folder)))
    assert loaded.issue_key == "PL-479"
    assert loaded.repositories == {"payk12/contacts": folder / "repositories" / "contacts"}


def test_an_unknown_scenario_is_refused_with_the_known_ones() -> None:
    with pytest.raises(scenarios.ScenarioError, match="pl-479"):
        scenarios.find("pl-000")


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("scenario.yml", "issue: PL-479", "issue: pl 479", "scenario.yml: issue: "),
        ("scenario.yml", "title:", "titel:", "scenario.yml: the file: Object contains unknown field `titel`"),
        ("scenario.yml", "access: developer", "access: boss", "scenario.yml: users"),
        ("scenario.yml", "repositories/contacts", "repositories/none", "scenario.yml: repositories.payk12/contacts: "),
        ("scenario.yml", "payk12/contacts: opened", "payk12/other: opened", "expected.merge_requests.payk12/other"),
        (
            "scenario.yml",
            "own_pipelines: {payk12/contacts",
            "own_pipelines: {payk12/other",
            "own_pipelines.payk12/other",
        ),
        ("scenario.yml", "payk12/contacts: success", "payk12/contacts: green", "scenario.yml: expected.own_pipelines"),
        (
            "scenario.yml",
            "  ticket_status",
            "  attachments: {x.log: text}\n  ticket_status",
            "attachments.x.log is not in",
        ),
        ("ticket.yml", "reporter: dana", "reporter: nobody", "ticket.yml: reporter: nobody is not among the users"),
        ("ticket.yml", "labels: [", "priority: Low\nlabels: [", "ticket.yml: .*'priority' is written twice"),
        ("ticket.yml", "summary:", "summary: [1]\nx:", r"ticket.yml: "),
        ("turns/analysis.yml", "phase: analysis", "phase: testing", "analysis.yml: phase: "),
        ("turns/analysis.yml", "name: glob", "nmae: glob", r"analysis.yml: turns\[0\].tool_use\[0\]: "),
        (
            "turns/reproduction.payk12-contacts.yml",
            "repository: payk12/contacts",
            "repository: payk12/x",
            "reproduction.payk12-contacts.yml: repository: payk12/x is not in repositories",
        ),
        ("bug-fix.yml", "version: 1", "version: [1", "bug-fix.yml: "),
    ],
)
def test_a_mistake_is_named_with_file_and_key(folder: Path, file: str, old: str, new: str, said: str) -> None:
    edit(folder / file, old, new)
    with pytest.raises(scenarios.ScenarioError, match=said):
        scenarios.load(folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "ticket.yml").unlink()
    with pytest.raises(scenarios.ScenarioError, match=r"ticket\.yml: No such file"):
        scenarios.load(folder)


def test_only_the_last_turn_may_end_the_conversation(folder: Path) -> None:
    (folder / "turns" / "testing.yml").write_text("phase: testing\nturns:\n  - text: done\n  - text: more\n")
    with pytest.raises(scenarios.ScenarioError, match=r"testing\.yml: turns\[0\]\.tool_use: "):
        scenarios.load(folder)


def test_the_most_precise_conversation_is_played(folder: Path) -> None:
    for name, more in {"any": "", "second": "iteration: 2\n", "here": "repository: payk12/contacts\n"}.items():
        (folder / "turns" / f"testing.{name}.yml").write_text(f"phase: testing\n{more}turns:\n  - text: {name}\n")
    loaded = scenarios.load(folder)

    def said(*, repository: str | None, iteration: int, issue: str = "PL-479") -> str | None:
        found = loaded.conversation(phase="testing", issue=issue, repository=repository, iteration=iteration)
        return None if found is None else found.turns[0].text

    assert said(repository=None, iteration=1) == "any"
    assert said(repository=None, iteration=2) == "second"
    assert said(repository="payk12/contacts", iteration=2) == "here"
    assert loaded.conversation(phase="deployment", issue="PL-479", repository=None, iteration=1) is None
    assert loaded.conversation(phase="analysis", issue="PL-1", repository=None, iteration=1) is None


REACTIONS = """reactions:
  - {when: needs_information, by: dana, comment: "In Firefox."}
  - {when: needs_information, iteration: 2, by: mara, label: bug-fix}
"""


def test_people_react_to_a_status_at_any_or_at_one_iteration(folder: Path) -> None:
    edit(folder / "scenario.yml", "expected:", f"{REACTIONS}expected:")
    first, second = scenarios.load(folder).reactions
    assert (first.comment, second.label) == ("In Firefox.", "bug-fix")
    assert first.is_due(status="needs_information", iteration=1)
    assert not first.is_due(status="running", iteration=1)
    assert not second.is_due(status="needs_information", iteration=1)
    assert second.is_due(status="needs_information", iteration=2)


@pytest.mark.parametrize(
    ("reaction", "said"),
    [
        ("{when: running, by: nobody, comment: x}", r"reactions\[0\].by: nobody is not among the users"),
        ("{when: running, by: dana}", r"reactions\[0\]: needs a comment, a label, a security level or something"),
        (
            '{when: running, by: dana, label: y, security: "1"}',
            r"reactions\[0\]: needs a comment, a label, a security level or something",
        ),
        (
            "{when: running, by: dana, comment: x, label: y}",
            r"reactions\[0\]: needs a comment, a label, a security level or something",
        ),
        ("{when: running, by: dana, label: 'a b'}", r"scenario.yml: reactions"),
        (
            "{when: in_review, by: mara, gitlab: {act: approve, project: payk12/nothing}}",
            r"reactions\[0\].gitlab.project: payk12/nothing is not among the repositories",
        ),
    ],
)
def test_a_reaction_that_nobody_can_do_is_named(folder: Path, reaction: str, said: str) -> None:
    edit(folder / "scenario.yml", "expected:", f"reactions: [{reaction}]\nexpected:")
    with pytest.raises(scenarios.ScenarioError, match=said):
        scenarios.load(folder)


def test_files_can_lie_over_a_repository_and_have_any_name(folder: Path) -> None:
    (folder / "over" / "docs").mkdir(parents=True)
    (folder / "over" / "docs" / "more.md").write_text("More.\n")
    edit(
        folder / "scenario.yml",
        "payk12/contacts: repositories/contacts",
        "payk12/contacts:\n    folder: repositories/contacts\n    over: over\n    odd:\n"
        '      - {path: "a\\nb $(c) \\"d\\"", text: "x\\n", times: 3}\n'
        "      - {path: out, link: /etc/passwd}",
    )
    loaded = scenarios.load(folder)
    assert loaded.repositories == {"payk12/contacts": folder / "repositories" / "contacts"}
    assert [(file.path, file.content, file.is_link) for file in loaded.overlays["payk12/contacts"]] == [
        ("docs/more.md", b"More.\n", False),
        ('a\nb $(c) "d"', b"x\nx\nx\n", False),
        ("out", b"/etc/passwd", True),
    ]


@pytest.mark.parametrize("path", ["/etc/x", "../x", "a/../x", ".git/config", "a/.git/x", ""])
def test_a_file_that_lies_over_a_repository_stays_in_it(folder: Path, path: str) -> None:
    edit(
        folder / "scenario.yml",
        "payk12/contacts: repositories/contacts",
        f'payk12/contacts: {{folder: repositories/contacts, odd: [{{path: "{path}"}}]}}',
    )
    with pytest.raises(scenarios.ScenarioError, match="repositories"):
        scenarios.load(folder)
