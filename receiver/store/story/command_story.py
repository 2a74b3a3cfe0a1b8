"""Commands that people gave about a run, and what became of them."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class GivenCommand(Struct, frozen=True, kw_only=True):
    """A command, its author and its answer. Word, arguments and hint are untrusted."""

    venue: str
    """`ticket`, `merge request` or `terminal`."""
    word: str
    arguments: tuple[str, ...]
    hint: str
    by: str
    """Name of the author, or the account where there is none."""
    allowed: bool | None
    """Whether it was obeyed; None: it was left alone."""
    answer: str
    at: datetime
