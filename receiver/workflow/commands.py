"""The grammar of `/bug-fix …` on a ticket: which commands there are, who may give them, and when. Tables; no I/O.

A command is a line of its own that begins with `/bug-fix`, outside of quotes and code. The first one counts.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from msgspec import Struct

from receiver.workflow.events import Standing
from receiver.workflow.run import RunStatus

PREFIX: Final = "/bug-fix"


class Command(StrEnum):
    """What people can ask for."""

    APPROVE = "approve"
    """Carry out the plan that stands on the ticket."""


class Rule(Struct, frozen=True, kw_only=True):
    """When a command is obeyed."""

    who: frozenset[Standing]
    may_not: str
    """Said to everybody else."""
    when: frozenset[RunStatus]
    not_now: str
    """Said when the run is anywhere else; `{status}` is where it is."""


RULES: Final[dict[Command, Rule]] = {
    Command.APPROVE: Rule(
        who=frozenset({Standing.ALLOWED}),
        may_not="You may not approve plans. Ask somebody who may start bug fixes, or have your account or one of your "
        "groups added to `jira.start.allowed` in bug-fix.yml.",
        when=frozenset({RunStatus.AWAITING_APPROVAL}),
        not_now="Nothing waits for approval: the bug fix is {status}.",
    ),
}

UNKNOWN: Final = "There is no such command. There {are}: {commands}."
ALONE: Final = (
    "Write `/bug-fix {command}` alone on its line; with other words behind it, it is not clear what you want."
)


class Asked(Struct, frozen=True, kw_only=True):
    """A command as somebody wrote it."""

    word: str
    """Lowercase; empty when nothing follows the prefix. Untrusted, at most 40 characters."""
    is_alone: bool
    """Nothing else is on the line."""


_FENCE: Final = re.compile(r"\{(quote|code|noformat|panel)(?::[^}\n]{0,500})?\}")
_QUOTED: Final = re.compile(r"(?:bq\.|>)")
_LINE: Final = re.compile(r"/bug-fix(?![^\s.!])[ \t]*(\S{0,40})[ \t]*(.*)")
_ESCAPE: Final = re.compile(r"\\([-/_.!*])")
"""Jira Cloud writes a text's own punctuation so when it turns a document into wiki markup."""
LONGEST: Final = 40_000
"""Characters of a comment that are looked at; Jira's own limit is below."""


def spoken(markup: str) -> list[str]:
    """Return the lines of a comment that its author says: without quotes, code and quoted mail."""
    left: list[str] = []
    inside: str | None = None
    for line in markup[:LONGEST].splitlines():
        said, inside = _outside(line, inside)
        stripped = _ESCAPE.sub(r"\1", said).strip()
        if stripped and not _QUOTED.match(stripped):
            left.append(stripped)
    return left


def _outside(line: str, inside: str | None) -> tuple[str, str | None]:
    """Return the part of a line that is in no macro, and the macro that is open at its end.

    A line on which a macro ends says nothing: what follows a quote on its last line is easily taken for part of it.
    """
    said, touched, at = "", inside is not None, 0
    for fence in _FENCE.finditer(line):
        if inside is None:
            said += line[at : fence.start()]
            inside, touched = fence[1], True
        elif inside == fence[1]:
            inside = None
        at = fence.end()
    if inside is None and not touched:
        said += line[at:]
    return (said if not touched else ""), inside


def read(markup: str) -> Asked | None:
    """Return the first command of a comment in wiki markup, None when there is none."""
    for line in spoken(markup):
        found = _LINE.fullmatch(line)
        if found is not None:
            return Asked(word=found[1].casefold().rstrip(".!"), is_alone=not found[2].strip(" .!"))
    return None


def refusal(asked: Asked, standing: Standing, status: RunStatus) -> str | None:
    """Return the sentence for a command that is not obeyed, None when it is."""
    try:
        command = Command(asked.word)
    except ValueError:
        names = [f"`{PREFIX} {one}`" for one in Command]
        return UNKNOWN.format(are="are" if len(names) > 1 else "is", commands=", ".join(names))
    rule = RULES[command]
    if standing not in rule.who:
        return rule.may_not
    if status not in rule.when:
        return rule.not_now.format(status=status.replace("_", " "))
    return None if asked.is_alone else ALONE.format(command=command)
