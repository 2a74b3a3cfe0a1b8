"""The table of commands: who may give which, where and when; everything else is refused with a sentence."""

from itertools import product

import pytest
from msgspec.structs import fields

from pipelines.language.command_grants import CommandGrants
from receiver.comments.command_line import Command
from receiver.workflow.commands import command_refusals, command_table, permissions
from receiver.workflow.commands.command_table import RULES, CommandWord
from receiver.workflow.messages import Venue
from receiver.workflow.person import AccountId, Directory, Person, Right
from receiver.workflow.run import RunStatus

W = CommandWord


def in_jira(*rights: Right, groups: tuple[str, ...] = (), unknown_because: str = "") -> Person:
    return Person(
        directory=Directory.JIRA,
        account=AccountId("5b10ac"),
        rights=rights,
        groups=groups,
        unknown_because=unknown_because,
    )


def in_gitlab(level: int, unknown_because: str = "") -> Person:
    return Person(directory=Directory.GITLAB, account=AccountId("7"), level=level, unknown_because=unknown_because)


ROLES = {
    "user": in_jira(),
    "reporter": in_jira(Right.REPORTER),
    "starter": in_jira(Right.START),
    "nobody": in_gitlab(0),
    "guest": in_gitlab(10),
    "gitlab reporter": in_gitlab(20),
    "developer": in_gitlab(30),
    "maintainer": in_gitlab(40),
    "owner": in_gitlab(50),
    "unknown in Jira": in_jira(*Right, unknown_because="Jira answered 403."),
    "unknown in GitLab": in_gitlab(50, unknown_because="GitLab answered 403."),
}
DEVELOPERS = {"developer", "maintainer", "owner"}
MAINTAINERS = {"maintainer", "owner"}
ANYBODY = {"user", "reporter", "starter", "guest", "gitlab reporter", *DEVELOPERS}

MAY: dict[CommandWord, set[str]] = {
    W.START: {"starter"},
    W.RETRY: {"starter", *DEVELOPERS},
    W.REVISE: DEVELOPERS,
    W.ESCALATE: {"starter", "reporter", *DEVELOPERS},
    W.CANCEL: {"starter", *DEVELOPERS},
    W.APPROVE: {"starter"},
    W.REJECT: {"starter"},
    W.CI: DEVELOPERS,
    W.PAUSE: {"starter", *DEVELOPERS},
    W.RESUME: {"starter", *DEVELOPERS},
    W.BUDGET: {"starter", *MAINTAINERS},
    W.STATUS: ANYBODY,
    W.COST: ANYBODY,
    W.EXPLAIN: ANYBODY,
    W.HELP: ANYBODY,
    W.DEPLOY: MAINTAINERS,
    W.ROLLBACK: MAINTAINERS,
}
"""Who may give each command unless bug-fix.yml says otherwise, frozen here."""

SAID = {W.BUDGET: ("+5",)}
"""Arguments that a command does not mean anything without."""


def said(word: CommandWord) -> Command:
    return Command(word=word, arguments=SAID.get(word, ()), hint="why" if word is W.REVISE else "")


def test_every_command_has_a_rule_that_people_can_read() -> None:
    assert set(RULES) == set(CommandWord)
    for word, rule in RULES.items():
        assert rule.where, word
        assert rule.help[0].islower(), word
        assert not rule.help.endswith("."), word
        assert rule.not_now.endswith("."), word
        assert rule.later == "" or rule.later.endswith("."), word
        assert set(rule.who) <= set(permissions.IN_WORDS), word


def test_bug_fix_yml_can_say_of_every_command_that_is_there_who_may_give_it() -> None:
    named = {field.name for field in fields(CommandGrants)}
    assert named == {word.value for word in RULES} - {"deploy", "rollback"}


@pytest.mark.parametrize("word", RULES)
def test_a_command_is_obeyed_by_role_status_and_place_and_in_no_other_cell(word: CommandWord) -> None:
    rule = RULES[word]
    obeyed = {
        (role, status, where)
        for (role, person), status, where in product(ROLES.items(), RunStatus, Venue)
        if command_refusals.refusal(said(word), person, status, where=where) is None
    }
    may = {
        (role, status, where)
        for role, status, where in product(ROLES, rule.when, rule.where)
        if role in MAY[word] or where is Venue.TERMINAL
    }
    assert obeyed == (set() if rule.later else may)


@pytest.mark.parametrize("word", RULES)
def test_a_command_that_is_there_has_a_meaning_and_no_other_has(word: CommandWord) -> None:
    from receiver.workflow.commands.command_meanings import MEANINGS  # noqa: PLC0415 - the table under test

    assert (word in MEANINGS) == (not RULES[word].later)


@pytest.mark.parametrize(
    ("asked", "person", "status", "says"),
    [
        (Command(word="reboot"), in_jira(Right.START), RunStatus.RUNNING, "There is no command `reboot`."),
        (Command(word="aprove"), in_jira(), RunStatus.RUNNING, "Did you mean `/bug-fix approve`?"),
        (Command(word="statsu"), in_jira(), RunStatus.RUNNING, "Did you mean `/bug-fix status`?"),
        (Command(word="a`b"), in_jira(), RunStatus.RUNNING, "There is no command `a'b`."),
        (
            Command(word="approve"),
            in_jira(Right.REPORTER),
            RunStatus.AWAITING_APPROVAL,
            "that takes somebody named in `jira.start.allowed`.",
        ),
        (Command(word="approve"), in_jira(Right.START), RunStatus.IN_REVIEW, "the bug fix is in review"),
        (
            Command(word="approve", arguments=("not",)),
            in_jira(Right.START),
            RunStatus.AWAITING_APPROVAL,
            "Write `/bug-fix approve [plan or remedy N]` alone on its line",
        ),
        (
            Command(word="approve", hint="later"),
            in_jira(Right.START),
            RunStatus.AWAITING_APPROVAL,
            "alone on its line",
        ),
        (
            Command(word="approve", arguments=("remedy", "2")),
            in_jira(Right.START),
            RunStatus.AWAITING_APPROVAL,
            "No remedy waits for anybody: the bug fix is awaiting approval.",
        ),
        (
            Command(word="approve", arguments=("remedy",)),
            in_jira(Right.START),
            RunStatus.IN_REVIEW,
            "Say which remedy: `/bug-fix approve remedy N`",
        ),
        (
            Command(word="approve", arguments=("plan",)),
            in_jira(Right.START),
            RunStatus.IN_REVIEW,
            "Nothing waits for approval: the bug fix is in review.",
        ),
        (Command(word="deploy"), in_jira(Right.START), RunStatus.MERGED, "It comes with deployments."),
        (
            Command(word="status"),
            in_jira(Right.START, unknown_because="Jira answered 403."),
            RunStatus.RUNNING,
            "It could not be checked whether you may do that: Jira answered 403.",
        ),
    ],
)
def test_who_is_not_obeyed_gets_a_sentence(asked: Command, person: Person, status: RunStatus, says: str) -> None:
    sentence = command_refusals.refusal(asked, person, status, where=Venue.TICKET)
    assert sentence is not None
    assert says in sentence


def test_a_command_that_is_said_elsewhere_names_the_place() -> None:
    approve = Command(word="approve")
    refused = command_refusals.refusal(approve, in_gitlab(50), RunStatus.AWAITING_APPROVAL, where=Venue.MERGE_REQUEST)
    assert refused == "`/bug-fix approve` is said on the ticket."


def test_nothing_behind_the_prefix_asks_for_help() -> None:
    assert command_table.word_of(Command(word="")) is W.HELP


@pytest.mark.parametrize(
    ("granted", "person", "is_obeyed"),
    [
        ((), ROLES["starter"], False),
        (("gitlab:owner",), ROLES["maintainer"], False),
        (("gitlab:owner",), ROLES["owner"], True),
        (("gitlab:guest",), ROLES["guest"], True),
        (("jira:reporter",), ROLES["reporter"], True),
        (("jira:reporter",), ROLES["starter"], False),
        (("account:5b10ac",), ROLES["user"], True),
        (("account:7",), in_gitlab(50), False),
        (("group:leads",), in_jira(groups=("leads",)), True),
        (("group:leads",), in_jira(groups=("others",)), False),
        (("account:5b10ac",), in_jira(unknown_because="Jira answered 403."), False),
    ],
)
def test_what_bug_fix_yml_says_of_a_command_holds_instead_of_the_table(
    granted: tuple[str, ...],
    person: Person,
    is_obeyed: bool,  # noqa: FBT001  # a table's column
) -> None:
    grants = CommandGrants(status=granted)
    where = Venue.TICKET if person.directory is Directory.JIRA else Venue.MERGE_REQUEST
    refused = command_refusals.refusal(said(W.STATUS), person, RunStatus.RUNNING, where=where, grants=grants)
    assert (refused is None) == is_obeyed


def test_somebody_who_could_not_be_checked_has_no_right_at_all() -> None:
    assert not ROLES["unknown in Jira"].has_any(Right)
