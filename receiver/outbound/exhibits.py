"""Fetch evidence from jobs' artifacts and upload it to GitLab. What can't be shown is left out, and stops nothing."""

from __future__ import annotations

import asyncio
from typing import Final

from pipelines.model import ArtifactKind
from pipelines.wire import sha256
from receiver.notes.view import Exhibit
from receiver.outbound import evidence
from receiver.outbound.desk import Desk
from receiver.outbound.errors import OutboundError
from receiver.outbound.evidence import Chosen
from receiver.store.story import Story

BEGINNINGS: Final[dict[ArtifactKind, bytes]] = {
    ArtifactKind.SCREENSHOT: b"\x89PNG\r\n\x1a\n",
    ArtifactKind.TRACE: b"PK\x03\x04",
    ArtifactKind.VIDEO: b"\x1a\x45\xdf\xa3",
}
"""How files of each kind begin: PNG, zip, WebM. A job may call anything a screenshot."""


async def content(desk: Desk, chosen: Chosen) -> bytes | None:
    """Return a chosen file; None when it is not what its report said. Raises OutboundError."""
    report, file = chosen.report, chosen.file
    found = await asyncio.to_thread(desk.reader.artifact, report.project_id, report.job, file.path, limit=file.size)
    is_same = sha256(found) == file.sha256  # a job can change a file after it has reported; it proves nothing then
    return found if is_same and found.startswith(BEGINNINGS[file.kind]) else None


async def upload(desk: Desk, story: Story, project_id: int, *, repository: str, iteration: int) -> tuple[Exhibit, ...]:
    """Upload what shows before and after to a project."""
    shown = []
    for chosen in evidence.chosen(story.reports, repository=repository, iteration=iteration):
        try:
            found = await content(desk, chosen)
            if found is None:
                continue
            text = await asyncio.to_thread(desk.repositories.upload, project_id, filename=chosen.name, content=found)
        except OutboundError:
            continue
        shown.append(Exhibit(moment=chosen.moment, kind=chosen.file.kind, markdown=text))
    return tuple(shown)
