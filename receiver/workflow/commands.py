"""The grammar of `/bug-fix …`: which commands there are, where, when and by whom they are obeyed. Tables; no I/O.

A command is a line of its own that begins with `/bug-fix`, outside of quotes and code: a word, arguments, and after
`--` a hint in free words. The first one of a comment counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from msgspec import Struct

from receiver import limits
from receiver.comments import gitlab_markdown, jira_document
from receiver.comments.command_line import Command
from receiver.comments.visible_text import LONGEST, visible
from receiver.workflow.person import Person, Right
from receiver.workflow.run import RunStatus

PREFIX: Final = "/bug-fix"


class CommandWord(StrEnum):
    """What people can ask for."""

    APPROVE = "approve"


class Venue(StrEnum):
    """Where a command is said."""

    TICKET = "ticket"
    MERGE_REQUEST = "merge request"


class CommandRule(Struct, frozen=True, kw_only=True):
    """One command."""

    help: str
    """What it does, one line."""
    arguments: tuple[str, ...] = ()
    """Names of those it takes, in order."""
    hint: str = ""
    """What the hint after `--` is for; empty: it takes none."""
    where: frozenset[Venue]
    when: frozenset[RunStatus]
    not_now: str
    """Said when the run is in any other status; `{status}` is that status."""
    who: frozenset[Right]
    """Any one of these is enough."""
    may_not: str
    """Said to everybody else."""


RULES: Final[dict[CommandWord, CommandRule]] = {
    CommandWord.APPROVE: CommandRule(
        help="carry out the plan that waits on the ticket",
        where=frozenset({Venue.TICKET}),
        when=frozenset({RunStatus.AWAITING_APPROVAL}),
        not_now="Nothing waits for approval: the bug fix is {status}.",
        who=frozenset({Right.START}),
        may_not="You may not approve plans. Ask somebody who may start bug fixes, or have your account or one of your "
        "groups added to `jira.start.allowed` in bug-fix.yml.",
    ),
}

UNKNOWN: Final = "There is no such command. There {are}: {commands}."
NOT_READ: Final = (
    "Something in your comment looks like a command, but it stands in a quote, in code, in a list or behind other "
    "words, so nothing was done. Write `/bug-fix {command}` alone on a line."
)
"""Said to what is no command though it may have been meant as one."""
ALONE: Final = (
    "Write `/bug-fix {command}` alone on its line; with other words behind it, it is not clear what you want."
)
NOT_HERE: Final = "commands are given on the ticket, not on merge requests."
ELSEWHERE: Final = "`/bug-fix {command}` is said on the {where}."

_NAME: Final = r"[/\u2044\u2215\uff0f]bug[-\u2010-\u2013\u2212\uff0d]fix"
"""With the slashes and hyphens that editors and input methods write."""
_SAID: Final = re.compile(_NAME, re.IGNORECASE)
_LINE: Final = re.compile(rf"{_NAME}(?![^\s.!:,])[.!:,]*(.*)", re.IGNORECASE)
_LEAD: Final = re.compile(
    r"[^\w/\u2044\u2215\uff0f@\[{]+|\[~[^\]]{0,200}\]|@\S{1,200}|\{\w{1,20}(?::[^}]{0,200})?\}|(?:h[1-6]|bq)\.|[@\[{]",
    re.IGNORECASE,
)
"""What may stand before a command that somebody meant: marks of lists, quotes and code, and whom it is said to."""
_MOST_LEAD: Final = 40
"""Pieces of that."""
_HINT: Final = re.compile(r"(?:^|\s)(?:--|–|—)(?:\s|$)")
"""Rich editors turn two hyphens into a dash."""
_END: Final = ".!"
"""How people end a line; no part of what they ask for."""


def read(body: object) -> Command | None:
    """Return the first command in a ticket comment (wiki markup or document), or None."""
    return first(jira_document.said(body))


def read_note(markdown: str) -> Command | None:
    """Return the first command in a merge request note, or None."""
    return first(gitlab_markdown.said(markdown))


def first(lines: Iterable[str]) -> Command | None:
    """Return the first command among the lines, or None."""
    return next((parse(found[1]) for line in lines if (found := _LINE.fullmatch(line)) is not None), None)


def parse(rest: str) -> Command:
    """Return the command of a line, from what follows the prefix."""
    before, *after = _HINT.split(rest, maxsplit=1)
    words = [one for one in (said.rstrip(_END) for said in before.split()) if one]
    return Command(
        word=words[0].casefold()[: limits.COMMAND_WORD] if words else "",
        arguments=tuple(one[: limits.COMMAND_ARGUMENT] for one in words[1 : 1 + limits.COMMAND_ARGUMENTS]),
        hint=after[0].strip()[: limits.COMMAND_HINT] if after else "",
    )


def is_addressed(markup: str) -> bool:
    """Return whether a text speaks of the commands, perhaps in a quote: whether it has to be read again."""
    return _SAID.search(visible(markup).replace("\\", "")) is not None


def seems_meant(body: object) -> bool:
    """Return whether a line of a comment looks like a command though none is read: in a list, a quote, code.

    People are told then, because nothing is worse than an approval that nobody answers.
    """
    lines = visible(jira_document.wiki(body)[:LONGEST]).replace("\\", "").splitlines()
    return read(body) is None and any(_LINE.match(_without_lead(line)) for line in lines if _SAID.search(line))


def _without_lead(line: str) -> str:
    for _ in range(_MOST_LEAD):
        found = _LEAD.match(line)
        if found is None:
            break
        line = line[found.end() :]
    return line


def refusal(command: Command, person: Person, status: RunStatus, *, where: Venue = Venue.TICKET) -> str | None:
    """Return the sentence for a command that is not obeyed, None when it is."""
    try:
        word = CommandWord(command.word)
    except ValueError:
        known = [f"`{PREFIX} {one}` ({rule.help})" for one, rule in RULES.items()]
        return UNKNOWN.format(are="are" if len(known) > 1 else "is", commands=", ".join(known))
    rule = RULES[word]
    if where not in rule.where:
        return ELSEWHERE.format(command=word, where=" or the ".join(sorted(rule.where)))
    if not person.has_any(rule.who):
        return rule.may_not
    if status not in rule.when:
        return rule.not_now.format(status=status.replace("_", " "))
    is_clear = len(command.arguments) <= len(rule.arguments) and (not command.hint or rule.hint)
    return None if is_clear else ALONE.format(command=word)
