"""The grammar of `/bug-fix …`: which line of a text is a command, and its parts. Says not what it means; no I/O.

A command is a line of its own that begins with `/bug-fix`, outside of quotes and code: a word, arguments, and after
`--` a hint in free words. The first one of a comment counts.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Final

from receiver import limits
from receiver.comments import gitlab_markdown, jira_document
from receiver.comments.command_line import Command
from receiver.comments.visible_text import LONGEST, visible

PREFIX: Final = "/bug-fix"

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
    words = before.rstrip(f"{_END} \t").split()
    return Command(
        word=words[0].rstrip(_END).casefold()[: limits.COMMAND_WORD] if words else "",
        arguments=tuple(one[: limits.COMMAND_ARGUMENT] for one in words[1 : 1 + limits.COMMAND_ARGUMENTS]),
        hint=after[0].strip()[: limits.COMMAND_HINT] if after else "",
    )


def fingerprint(text: str) -> str:
    """Return the SHA-256 of a text as it was written: another one later is an edit."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


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
