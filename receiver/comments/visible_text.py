"""Text as people see it: without invisible characters, with ordinary spaces. Pure.

Rich editors put a no-break space after a word and zero-width characters at an end; nobody who reads the text sees them.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from pipelines.language.terminal_colours import without_colours

LONGEST: Final = 40_000
"""Characters of a comment that are looked at; Jira's own limit is below, and a command stands at a comment's top."""


def visible(text: str) -> str:
    """Return a line without control and format characters (colour, zero-width, direction) and with plain spaces."""
    text = _CONTROL.sub("", without_colours(text))
    if text.isascii():
        return text
    return "".join(_SPACE if unicodedata.category(one) == "Zs" else one for one in text if not _is_invisible(one))


_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
"""A terminal's colours come with what is copied from it; none of these is a line's end."""
_SPACE: Final = " "
_FILLERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
"""Letters and marks, by their category, that are drawn as nothing."""


def _is_invisible(one: str) -> bool:
    return unicodedata.category(one) == "Cf" or one in _FILLERS or "\ufe00" <= one <= "\ufe0f"
