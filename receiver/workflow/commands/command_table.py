"""Which commands there are: where, when and by whom each is obeyed. A table; no I/O.

Documentation, help and refusals are made from `RULES`. How a command is written is in `command_grammar`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

from receiver.comments.command_line import Command
from receiver.workflow import lifecycle
from receiver.workflow.commands.command_grammar import PREFIX
from receiver.workflow.commands.permissions import DEVELOPER, GUEST, MAINTAINER, REPORTER, START, USER
from receiver.workflow.messages import Venue
from receiver.workflow.run import RunStatus

S = RunStatus


class CommandWord(StrEnum):
    """What people can ask for."""

    START = "start"
    RETRY = "retry"
    REVISE = "revise"
    ESCALATE = "escalate"
    CANCEL = "cancel"
    APPROVE = "approve"
    REJECT = "reject"
    CI = "ci"
    PAUSE = "pause"
    RESUME = "resume"
    BUDGET = "budget"
    STATUS = "status"
    COST = "cost"
    EXPLAIN = "explain"
    HELP = "help"
    DEPLOY = "deploy"
    ROLLBACK = "rollback"


class CommandRule(Struct, frozen=True, kw_only=True):
    """One command."""

    help: str
    """What it does, one line."""
    arguments: str = ""
    """Those it takes, as people write them."""
    most: int = 0
    """How many words it takes as arguments."""
    first: frozenset[str] = frozenset()
    """What the first of them can be; empty: anything."""
    takes_hint: bool = False
    """It takes free words after `--`."""
    is_free: bool = False
    """Its arguments are free words, too, from the one that `named` says on."""
    named: int = 0
    """So many arguments name what it is about."""
    where: frozenset[Venue]
    when: frozenset[RunStatus]
    """Statuses in which it means something."""
    not_now: str
    """Said when the run is in any other status; `{status}` is that status."""
    who: tuple[str, ...]
    """Any one of these is enough, unless `commands` in bug-fix.yml says otherwise."""
    overtakes: bool = False
    """It waits for nothing that is queued."""
    is_pinned: bool = False
    """It is about the commit that was at the head when it was said."""
    later: str = ""
    """What it comes with; empty: it is there."""


ANYWHERE: Final = frozenset(Venue)
IN_WRITING: Final = frozenset({Venue.TICKET, Venue.MERGE_REQUEST})
"""At a terminal `bug-fix explain` and `bug-fix start` do it."""
ON_TICKET: Final = frozenset({Venue.TICKET, Venue.TERMINAL})
ON_MERGE_REQUEST: Final = frozenset({Venue.MERGE_REQUEST})

ANYBODY: Final = (GUEST, USER)
STEERS: Final = (START, DEVELOPER)

BEGUN: Final = frozenset(S) - {S.REFUSED}
"""A bug fix was begun, whatever became of it."""
RETRIED: Final = lifecycle.RETRIED | {S.RUNNING, S.IN_REVIEW}
"""Where another attempt helps, and can be made of what is known."""
HELD: Final = frozenset({S.QUEUED, S.STARTING, S.RUNNING, S.IN_REVIEW})
"""Where something is at work, or may be soon; a run that waits for an answer is at rest already."""

RULES: Final[dict[CommandWord, CommandRule]] = {
    CommandWord.START: CommandRule(
        help="begin a bug fix for the ticket, as setting the label does",
        where=frozenset({Venue.TICKET}),
        when=lifecycle.FINAL,
        not_now="A bug fix of this ticket is at work already: it is {status}.",
        who=(START,),
    ),
    CommandWord.RETRY: CommandRule(
        help="make another attempt, from a phase on, with a hint for the agents",
        arguments="[phase] [repository] [-- hint]",
        most=2,
        takes_hint=True,
        where=ANYWHERE,
        when=RETRIED,
        not_now="There is nothing to try again: the bug fix is {status}.",
        who=STEERS,
    ),
    CommandWord.REVISE: CommandRule(
        help="make the fix anew with what a reviewer wants",
        arguments="-- what",
        takes_hint=True,
        where=ON_MERGE_REQUEST,
        when=frozenset({S.IN_REVIEW}),
        not_now="Nothing is in review: the bug fix is {status}.",
        who=(DEVELOPER,),
    ),
    CommandWord.ESCALATE: CommandRule(
        help="stop and hand the bug fix to people",
        arguments="[reason]",
        most=60,
        takes_hint=True,
        is_free=True,
        where=ANYWHERE,
        when=lifecycle.ACTIVE,
        not_now="Nothing is at work that could be handed over: the bug fix is {status}.",
        who=(START, REPORTER, DEVELOPER),
        overtakes=True,
    ),
    CommandWord.CANCEL: CommandRule(
        help="stop the bug fix for good; a merge request that is open stays open",
        where=ANYWHERE,
        when=lifecycle.ACTIVE,
        not_now="Nothing is at work that could be cancelled: the bug fix is {status}.",
        who=STEERS,
        overtakes=True,
    ),
    CommandWord.APPROVE: CommandRule(
        help="carry out the plan that waits on the ticket, or take a remedy that the merge request offers",
        arguments="[plan or remedy N]",
        most=1,
        first=frozenset({"plan"}),
        where=ON_TICKET,
        when=frozenset({S.AWAITING_APPROVAL}),
        not_now="Nothing waits for approval: the bug fix is {status}.",
        who=(START,),
    ),
    CommandWord.REJECT: CommandRule(
        help="have another plan made, with the reason for the agents, or dismiss a remedy that is offered",
        arguments="[plan or remedy N] [reason]",
        most=60,
        takes_hint=True,
        is_free=True,
        where=ON_TICKET,
        when=frozenset({S.AWAITING_APPROVAL}),
        not_now="Nothing waits for approval: the bug fix is {status}.",
        who=(START,),
    ),
    CommandWord.CI: CommandRule(
        help="start the repository's own pipeline for this commit, without approving it",
        where=ON_MERGE_REQUEST,
        when=frozenset({S.IN_REVIEW, S.ESCALATED}),
        not_now="No pipeline waits to be started: the bug fix is {status}.",
        who=(DEVELOPER,),
        is_pinned=True,
    ),
    CommandWord.PAUSE: CommandRule(
        help="stop for now: nothing is begun and no model is called until it is resumed",
        where=ANYWHERE,
        when=HELD,
        not_now="There is nothing to pause now: the bug fix is {status}.",
        who=STEERS,
    ),
    CommandWord.RESUME: CommandRule(
        help="go on after a pause",
        where=ANYWHERE,
        when=frozenset({S.PAUSED}),
        not_now="It is not paused: the bug fix is {status}.",
        who=STEERS,
    ),
    CommandWord.BUDGET: CommandRule(
        help="let this bug fix cost so many dollars more",
        arguments="+N",
        most=2,
        where=ANYWHERE,
        when=BEGUN - {S.MERGED, S.CLOSED, S.DECLINED},
        not_now="Nothing more is spent: the bug fix is {status}.",
        who=(START, MAINTAINER),
    ),
    CommandWord.STATUS: CommandRule(
        help="say where the bug fix is and whose turn it is",
        where=IN_WRITING,
        when=BEGUN,
        not_now="It is {status}.",
        who=ANYBODY,
    ),
    CommandWord.COST: CommandRule(
        help="say what it has cost so far, by phase",
        where=IN_WRITING,
        when=BEGUN,
        not_now="It is {status}.",
        who=ANYBODY,
    ),
    CommandWord.EXPLAIN: CommandRule(
        help="say what was decided, and why",
        where=IN_WRITING,
        when=BEGUN,
        not_now="It is {status}.",
        who=ANYBODY,
    ),
    CommandWord.HELP: CommandRule(
        help="list the commands that mean something here now",
        where=IN_WRITING,
        when=frozenset(S),
        not_now="It is {status}.",
        who=ANYBODY,
    ),
    CommandWord.DEPLOY: CommandRule(
        help="deploy what was merged",
        arguments="[pattern]",
        most=1,
        where=ANYWHERE,
        when=frozenset({S.MERGED}),
        not_now="Nothing is merged: the bug fix is {status}.",
        who=(MAINTAINER,),
        later="It comes with deployments.",
    ),
    CommandWord.ROLLBACK: CommandRule(
        help="take back what was deployed",
        where=ANYWHERE,
        when=frozenset({S.MERGED}),
        not_now="Nothing is deployed: the bug fix is {status}.",
        who=(MAINTAINER,),
        later="It comes with deployments.",
    ),
}


OF_REMEDY: Final[dict[CommandWord, CommandRule]] = {
    CommandWord.APPROVE: CommandRule(
        help="take a remedy that the merge request offers",
        arguments="remedy N",
        most=2,
        where=ANYWHERE,
        when=frozenset({S.IN_REVIEW}),
        not_now="No remedy waits for anybody: the bug fix is {status}.",
        who=STEERS,
    ),
    CommandWord.REJECT: CommandRule(
        help="dismiss a remedy that the merge request offers",
        arguments="remedy N [reason]",
        most=60,
        takes_hint=True,
        is_free=True,
        named=2,
        where=ANYWHERE,
        when=frozenset({S.IN_REVIEW}),
        not_now="No remedy waits for anybody: the bug fix is {status}.",
        who=STEERS,
    ),
}
"""What holds for words that are said of a remedy."""


def is_of_remedy(command: Command) -> bool:
    """Return whether a command is about a remedy, whatever number it gives."""
    return word_of(command) in OF_REMEDY and command.arguments[:1] == ("remedy",)


def rule_of(word: CommandWord, command: Command) -> CommandRule:
    """Return what holds for a command."""
    return OF_REMEDY[word] if is_of_remedy(command) else RULES[word]


def word_of(command: Command) -> CommandWord | None:
    """Return the word of a command, None for one that there isn't; nothing but the prefix asks for help."""
    try:
        return CommandWord(command.word or CommandWord.HELP)
    except ValueError:
        return None


def without_words(command: Command) -> Command:
    """Return a command with nothing in it that its author could choose freely."""
    word = word_of(command)
    if word is None:
        return Command(word=command.word, arguments=())
    rule = rule_of(word, command)
    return Command(word=command.word, arguments=command.arguments[: rule.named] if rule.is_free else command.arguments)


def usage(word: CommandWord) -> str:
    """Return how a command is written."""
    return " ".join(part for part in (PREFIX, word, RULES[word].arguments) if part)


def overtakes(command: Command | None) -> bool:
    """Return whether a command waits for nothing that is queued."""
    word = None if command is None else word_of(command)
    return word is not None and RULES[word].overtakes
