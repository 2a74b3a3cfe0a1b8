"""Files of remedies: what is read, and what each mistake is told as."""

import pytest

from pipelines.catalogue.file import CatalogueError
from pipelines.catalogue.file import read as read_catalogue
from pipelines.catalogue.remedy_files import RemedyError, read
from pipelines.language.remedy import Action
from pipelines.language.wire import decode, encode
from tests.pipelines.conftest import HEAD

GOOD = """\
title: Formatting violations
match: {kinds: [regression], says: [would reformat]}
remedy: Run the formatter.
tier: 1
confidence: 1.0
action: commit
made_by: command
command: format
verified_by: failing_command
"""
REPOSITORY = "  r1: {project: payk12/r1, stack: python}\n"


def said(text: str, name: str = "mine") -> list[str]:
    with pytest.raises(RemedyError) as error:
        read({name: text})
    return str(error.value).splitlines()


def test_a_remedy_is_named_by_its_file() -> None:
    (found,) = read({"mine": GOOD})
    assert (found.id, found.tier, found.action, found.is_own) == ("mine", 1, Action.COMMIT, False)


def test_a_teams_own_remedy_replaces_the_built_in_one_of_its_name_and_stands_beside_the_others() -> None:
    gentle = GOOD.replace("commit", "suggest")
    found = read({"a": GOOD, "b": GOOD}, own={"b": gentle, "c": gentle})
    assert [(one.id, one.action, one.is_own) for one in found] == [
        ("a", Action.COMMIT, False),
        ("b", Action.SUGGEST, True),
        ("c", Action.SUGGEST, True),
    ]


MISTAKES = {
    "tier: 1": ("tier: 4", ":4: tier: there is no tier 4; write 1, 2 or 3"),
    "confidence: 1.0": (
        "confidence: 0.7",
        ":5: confidence: 0.7 is no confidence of tier 1, which has 0.95 to 1; change",
    ),
    "action: commit": (
        "action: comit",
        ':6: action: "comit" is not known here; did you mean "commit"? Possible: commit,',
    ),
    "made_by: command": (
        "made_by: agent",
        ":7: made_by: what is committed without a person is made by a command; write",
    ),
    "command: format\n": ("", ":1: command: say which command makes the change: format, generate or snapshots"),
    "command: format": ("command: polish", ':8: command: "polish" is not known here'),
    "verified_by: failing_command\n": (
        "",
        ":1: verified_by: commit shows people a change that nothing has verified; write",
    ),
    "failing_command": (
        "repeated_runs",
        ":9: verified_by: before a commit the command that failed has to be green; write",
    ),
    "kinds: [regression]": ("kinds: [lint]", ':2: match.kinds[0]: "lint" is not known here; '),
    "{kinds: [regression], says: [would reformat]}": (
        "{}",
        ":2: match: this matches every failure; say at least which",
    ),
    "says: [would reformat]": ('says: ["***"]', ':2: match.says[0]: "***" matches every line; write words of it'),
    "[would reformat]": ("[a]", ':2: match.says[0]: "a" is not words of one line, 3 to 120 characters'),
    "remedy: Run the formatter.\n": ("", ':1: the key "remedy" is missing; add it'),
    "title: Formatting violations": ("titel: x", ':1: titel: there is no key "titel" here; did you mean "title"?'),
}


@pytest.mark.parametrize("right", MISTAKES)
def test_each_mistake_names_the_file_the_key_and_the_cure(right: str) -> None:
    wrong, sentence = MISTAKES[right]
    lines = said(GOOD.replace(right, wrong, 1))
    assert any(line.startswith(f"templates/healing/mine.yml{sentence}") for line in lines), lines


@pytest.mark.parametrize("action", [Action.COMMIT, Action.SUGGEST, Action.DRAFT, Action.PROPOSE])
def test_only_people_act_on_tier_3(action: Action) -> None:
    text = GOOD.replace("tier: 1", "tier: 3").replace("1.0", "0.4").replace("action: commit", f"action: {action}")
    assert any(
        f"action: {action} is not for tier 3, where only people act; write escalate" in one for one in said(text)
    )


def test_mistakes_of_all_files_are_told_at_once() -> None:
    with pytest.raises(RemedyError) as error:
        read({"one": "title: x\n", "two": "- a\n", "three": "a: [\n", "Four": GOOD})
    files = {line.partition(":")[0] for line in str(error.value).splitlines()}
    assert files == {f"templates/healing/{name}.yml" for name in ("one", "two", "three", "Four")}


def test_a_team_may_only_be_stricter_than_a_remedy_declares() -> None:
    remedies = read(
        {"mine": GOOD.replace("commit", "suggest").replace("command: format\n", "").replace("command", "agent", 1)}
    )
    given = HEAD + REPOSITORY + "healing:\n  mine: {}\n"
    held = read_catalogue(given.replace("{}", "draft"), source="bug-fix.yml", remedies=remedies)
    assert held.healing.at_least == {"mine": Action.DRAFT}
    assert decode(encode(held), type(held)) == held
    with pytest.raises(CatalogueError) as error:
        read_catalogue(given.replace("{}", "commit"), source="bug-fix.yml", remedies=remedies)
    assert str(error.value) == (
        "bug-fix.yml:7: healing.mine: commit is freer than suggest, which the remedy declares; "
        "a policy can only be stricter: suggest, draft, propose, escalate, never"
    )


def test_a_limit_for_a_remedy_that_is_not_there_is_refused() -> None:
    with pytest.raises(CatalogueError) as error:
        read_catalogue(
            HEAD + REPOSITORY + "healing: {mien: never}\n", source="bug-fix.yml", remedies=read({"mine": GOOD})
        )
    assert str(error.value).startswith('bug-fix.yml:6: healing.mien: there is no remedy "mien"; did you mean "mine"?')


def test_a_teams_own_remedies_name_the_version_of_the_catalogue() -> None:
    own = [read({"a": GOOD}, own={"b": GOOD.replace("Run", verb)}) for verb in ("Run", "Use")]
    versions = {
        read_catalogue(HEAD + REPOSITORY, source="x", remedies=one).sha256 for one in [(), read({"a": GOOD}), *own]
    }
    assert len(versions) == 3, "built-in ones belong to the release"
