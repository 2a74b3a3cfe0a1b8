"""Pictures that are attached to a run's ticket."""

from __future__ import annotations

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from receiver.store.schema import RunRow, TicketPictureRow
from receiver.workflow.events.merge_request_events import PicturesAttached


async def attached(session: AsyncSession, event: PicturesAttached, run: RunRow) -> bool:
    """Note which pictures of an iteration and repository are on the ticket; return whether any was not known."""
    if not event.files:
        return False
    rows = insert(TicketPictureRow).values(
        [
            {
                "run_id": run.id,
                "filename": name,
                "iteration": event.iteration,
                "repository": event.repository,
                "position": position,
            }
            for position, name in enumerate(event.files)
        ]
    )
    new = await session.scalars(rows.on_conflict_do_nothing().returning(TicketPictureRow.filename))
    return bool(new.all())
