"""Whether a line says a phrase. Pure, and linear in the line's length: lines are untrusted."""

from __future__ import annotations


def says(line: str, phrase: str) -> bool:
    """Return whether the parts of a phrase stand in a line in this order, in any case; `*` parts them."""
    rest = line.casefold()
    for part in phrase.casefold().split("*"):
        found = rest.find(part)
        if found < 0:
            return False
        rest = rest[found + len(part) :]
    return True
