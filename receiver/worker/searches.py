"""Searches for what no hook told: one worker at a time makes each, from where the one before ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from msgspec import Struct

from receiver import limits
from receiver.store.deliveries import cursors
from receiver.worker.effect_task import Workshop


class Search(Struct, frozen=True, kw_only=True):
    """One row of the searches that a worker makes again and again."""

    name: Callable[[Workshop], str]
    """Of its lock and its cursor."""
    look: Callable[[Workshop, datetime | None], Awaitable[tuple[int, datetime]]]
    """Search; given up to when was searched before. Returns how much was found, and up to when is searched now.

    Raises OutboundError.
    """
    every_s: float = limits.POLL_EVERY_S
    """Seconds between two searches; after one, other workers leave it at that for half of it."""


async def search(workshop: Workshop, row: Search) -> int:
    """Search, unless another worker just did. Returns how much was found. Raises OutboundError."""
    name = row.name(workshop)
    async with workshop.database.exclusive(name) as is_ours:
        if not is_ours:
            return 0
        async with workshop.database.begin() as session:
            searched = await cursors.read(session, name)
        if searched is not None and workshop.setting.clock() - searched < timedelta(seconds=row.every_s / 2):
            return 0
        found, until = await row.look(workshop, searched)
        async with workshop.database.begin() as session:
            await cursors.move(session, name, to=until)
    return found
