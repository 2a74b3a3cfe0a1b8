"""A command as somebody wrote it. Data only; `receiver.workflow.commands` reads it and says what it means."""

from __future__ import annotations

from msgspec import Struct


class Command(Struct, frozen=True, kw_only=True):
    """What stands on a line behind `/bug-fix`. Untrusted; bounded by `receiver.limits`."""

    word: str
    """Lower-case; empty when nothing follows."""
    arguments: tuple[str, ...] = ()
    hint: str = ""
    """What stands after `--`."""
