"""Colours and cursor movements that terminals get between the text: what tools print and people paste has them. Pure.

Source: ECMA-48, section 5.4, control sequences.
"""

from __future__ import annotations

import re
from typing import Final

CONTROL_SEQUENCE: Final = r"\[[0-9;:?]{0,40}[ -/]?[@-~]"
"""What follows the escape character; bounded, because the text is untrusted."""
_COLOUR: Final = re.compile(f"\x1b{CONTROL_SEQUENCE}")


def without_colours(text: str) -> str:
    """Return text without colours and cursor movements."""
    return _COLOUR.sub("", text)
