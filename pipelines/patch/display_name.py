"""Show names that a patch brought, so that they can't disturb a sentence, a log or a note. Pure."""

from __future__ import annotations


def shown(name: str) -> str:
    """Return the name in backticks: printable, of bounded length, without backticks of its own."""
    printable = "".join(character if character.isprintable() else "?" for character in name)
    return f"`{printable[:200].replace('`', '?')}`"
