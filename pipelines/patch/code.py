"""Program text without its comments, and with its strings set aside, so that patterns find code only. Pure, linear.

No parser: the text is hostile, may be incomplete, and is compared with itself before the patch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

_LINE_STRINGS = r""" "(?:\\.|[^"\\\n])*"? | '(?:\\.|[^'\\\n])*'? """
_SLASHES = r"(?P<comment> //[^\n]* | /\* (?: .*? \*/ | .* ) )"
"""Each alternative takes what it begins, to the text's end if need be: none fails late, so no text takes long.

A regular expression can't do so, hence its bounds.
"""


def _scanner(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.VERBOSE | re.DOTALL)


PYTHON: Final = _scanner(
    rf"""(?P<comment> \#[^\n]* )
    | (?P<string> [rRbBfFuU]{{0,2}}
        (?: \"{{3}} (?: (?:\\.|[^\\])*? \"{{3}} | .* )
        | '{{3}} (?: (?:\\.|[^\\])*? '{{3}} | .* ) | {_LINE_STRINGS} ))"""
)
JAVASCRIPT: Final = _scanner(
    rf"""{_SLASHES} | (?P<string> {_LINE_STRINGS} | `(?:\\.|[^`\\])*`? )
    | (?P<regex> (?<=[(,=:\[!&|?{{;]) [ \t]*+ /(?![/*])
        (?: \\. | \[(?:\\.|[^\]\\\n]){{0,200}}+\] | [^/\\\[\n] ){{1,300}}+ / )"""
)
CSHARP: Final = _scanner(
    rf"""{_SLASHES}
    | (?P<string> \$* \"{{3,}} (?: .*? \"{{3,}} | .* ) | (?:\$@|@\$|@) "(?:""|[^"])*"? | \$? (?: {_LINE_STRINGS} ) )"""
)
GO: Final = _scanner(rf"{_SLASHES} | (?P<string> {_LINE_STRINGS} | `[^`]*`? )")

_OPENING, _CLOSING = "([{", ")]}"


class Code(Struct, frozen=True, kw_only=True):
    """A text in which each string is its number in quotes and comments are blanks; lines are where they were."""

    text: str
    strings: tuple[str, ...]

    def line(self, place: int) -> int:
        """Return the 1-based line of a place."""
        return self.text.count("\n", 0, place) + 1

    def whole(self, start: int, end: int) -> str:
        """Return a part with its strings put back and without any white space: the same however it is laid out."""
        part = re.sub(r"\s+", "", self.text[start:end])
        return re.sub(r'"(\d+)"', lambda found: self.strings[int(found[1])], part)


def read(text: str, scanner: re.Pattern[str]) -> Code:
    """Return the code of a text."""
    strings: list[str] = []

    def taken(found: re.Match[str]) -> str:
        lines = "\n" * found[0].count("\n")
        if found.lastgroup == "comment":
            return f" {lines}"
        strings.append(found[0])
        return f'"{len(strings) - 1}"{lines}'

    return Code(text=scanner.sub(taken, text), strings=tuple(strings))


LONGEST_BLOCK: Final = 50_000
"""Characters that are looked through for a block's end: a bracket that is never closed must not cost the whole text."""


def closing(text: str, start: int) -> int:
    """Return the place after the bracket that closes the one at `start`; where none does, where the search ends."""
    depth, last = 0, min(len(text), start + LONGEST_BLOCK)
    for place in range(start, last):
        if text[place] in _OPENING:
            depth += 1
        elif text[place] in _CLOSING:
            depth -= 1
            if depth <= 0:
                return place + 1
    return last


def statement(text: str, start: int) -> int:
    """Return the place where the statement that begins at `start` ends: a line's end outside of brackets, or a `;`.

    A next line that begins with a dot goes on with the statement.
    """
    depth, last = 0, min(len(text), start + LONGEST_BLOCK)
    for place in range(start, last):
        character = text[place]
        if character in _OPENING:
            depth += 1
        elif character in _CLOSING:
            depth -= 1
            if depth < 0:
                return place
        elif depth == 0 and (character == ";" or (character == "\n" and not _GOES_ON.match(text, place))):
            return place
    return last


_GOES_ON = re.compile(r"\s{1,200}\.")


def elements(text: str) -> int:
    """Return how many elements the first list in a text has."""
    opening = text.find("[")
    return 0 if opening < 0 else count(text[opening + 1 : closing(text, opening) - 1])


def count(inner: str) -> int:
    """Return how many elements stand between brackets."""
    return sum(1 for _ in _elements(inner))


def _elements(inner: str) -> Iterator[str]:
    depth, begun = 0, 0
    for place, character in enumerate(inner):
        depth += (character in _OPENING) - (character in _CLOSING)
        if character == "," and depth == 0:
            yield inner[begun:place]
            begun = place + 1
    if inner[begun:].strip():
        yield inner[begun:]
