"""The lines of a comment in Jira's wiki markup that its author says: no quotes, code, panels or quoted mail. Pure.

Source: https://jira.atlassian.com/secure/WikiRendererHelpAction.jspa?section=all. In doubt a line is left out: a
command that is not heard can be written again, one that was only quoted must not be obeyed.
"""

from __future__ import annotations

import re
from typing import Final

from receiver.comments.visible_text import LONGEST, visible

_MACRO: Final = re.compile(
    r"\\."  # an escaped brace opens nothing
    r"|\{\{(?:(?!\}\}).){0,500}\}\}"  # nor does one in monospaced text
    r"|\{(?P<name>quote|code|noformat|panel)(?::[^}\n]*)?\}",
    re.IGNORECASE,
)
_END: Final = {
    name: re.compile(rf"(?<!\\)\{{{name}\}}", re.IGNORECASE) for name in ("quote", "code", "noformat", "panel")
}
"""What ends a macro; everything else in it is text."""
_QUOTED: Final = re.compile(r"(?:bq\.|>)")
_COLOR: Final = re.compile(r"\{color(?::[^}\n]{0,100})?\}")
"""Pasted text has it around each piece."""
_ESCAPE: Final = re.compile(r"\\([-/_.!*])")
"""Jira Cloud writes a text's own punctuation so when it turns a document into wiki markup."""
_EFFECT: Final = re.compile(r"(?<!\w)(?P<mark>[*_+])(?P<text>[^\s*_+](?:[^*_+]{0,1000}[^\s*_+])?)(?P=mark)(?!\w)")
"""Bold, italic or underlined. Struck-through text is not said any more."""
_BRACED: Final = re.compile(r"\{([*_+])\}")
"""How the editor writes an effect's mark where the plain one would be read as text."""
_DEEPEST: Final = 3
"""Effects within one another."""


def said(markup: str) -> tuple[str, ...]:
    """Return the lines that the author says, as people see them."""
    left: list[str] = []
    inside: str | None = None
    for line in markup[:LONGEST].splitlines():
        outside, inside = _outside(line, inside)
        seen = _ESCAPE.sub(r"\1", _COLOR.sub("", visible(outside)).replace("&nbsp;", " ")).strip()
        if seen and not _QUOTED.match(seen):
            left.append(_plain(seen))
    return tuple(left)


def _plain(line: str) -> str:
    """Return a line without effects, its forced line break and entities."""
    text = _BRACED.sub(r"\1", line.removesuffix("\\\\"))
    for _ in range(_DEEPEST):
        text = _EFFECT.sub(r"\g<text>", text)
    return text.strip()


def _outside(line: str, inside: str | None) -> tuple[str, str | None]:
    """Return the line if no macro touches it, otherwise an empty one; and the macro that is open at its end.

    A line on which a macro ends says nothing: what follows a quote on its last line is easily taken for part of it.
    """
    touched, at = inside is not None, 0
    last = line.rfind("}") + 1  # behind it each opening brace would be tried to the line's end
    while True:
        found = (_MACRO if inside is None else _END[inside]).search(line, at, last)
        if found is None:
            return ("" if touched else line), inside
        at = found.end()
        if inside is not None:
            inside = None
        elif found["name"]:
            touched, inside = True, found["name"].lower()
