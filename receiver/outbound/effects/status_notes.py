"""Keep one note a place: edited in place, found again after a crash, written anew when somebody deleted it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable

from msgspec import Struct

from pipelines.language import RunId
from pipelines.language.catalogue import Confidential
from receiver.outbound.effects.desk import Desk
from receiver.store.effects import note_locations


class NoteLocation(Struct, frozen=True, kw_only=True):
    """Where a note is kept, and how it is found and written."""

    target: str
    find: Callable[[], list[str]]
    """Notes of ours that are there though we don't know of them: a crash came between writing and noting it."""
    edit: Callable[[str, str], bool]
    add: Callable[[str], str]


async def keep_note(desk: Desk, run: RunId, place: NoteLocation, body: str, *, point: str) -> str:
    """Make the one note say this: edited in place, found again after a crash, written anew if it was deleted."""
    digest = hashlib.sha256(body.encode()).hexdigest()
    async with desk.database.begin() as session:
        known = await note_locations.known(session, run, place.target)
    if known is not None and await asyncio.to_thread(place.edit, known.note_id, body):
        note = known.note_id
    else:
        found = await asyncio.to_thread(place.find)
        is_edited = bool(found) and bool(await asyncio.to_thread(place.edit, found[-1], body))
        if is_edited:
            note = found[-1]
        else:
            desk.faults.reach(f"{point}:before_post")
            note = await asyncio.to_thread(place.add, body)
            desk.faults.reach(f"{point}:after_post")
    async with desk.database.begin() as session:
        await note_locations.keep(session, run, place.target, note_id=note, sha256=digest, now=desk.clock())
    return note


def on_ticket(
    desk: Desk,
    run: RunId,
    key: str,
    target: str,
    *,
    visibility: Confidential | None = None,
    is_internal: bool = False,
) -> NoteLocation:
    """Return the location of a comment on a ticket. `visibility`: who alone sees it; None: all who see the ticket.

    `is_internal`: a service desk's customers don't.
    """
    return NoteLocation(
        target=target,
        find=lambda: desk.jira.comments_with(key, marker=desk.notes.marker(run, target)),
        edit=lambda comment, body: desk.jira.edit_comment(
            key, comment, body, visibility=visibility, is_internal=is_internal
        ),
        add=lambda body: desk.jira.add_comment(key, body, visibility=visibility, is_internal=is_internal),
    )
