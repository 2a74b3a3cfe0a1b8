"""Fetch what is attached to a ticket: small texts and pictures that a model takes. Others are named only.

Pictures are kept as blobs and not in the run, which each event reads; a job is told them when it needs them.
"""

from __future__ import annotations

import asyncio
from typing import Final

from msgspec.structs import replace

from pipelines.model import RunId
from pipelines.wire import Ticket, TicketAttachment
from receiver.outbound.desk import Desk
from receiver.outbound.errors import OutboundError
from receiver.outbound.jira_issue import AttachedFile, Issue
from receiver.store import submissions
from receiver.store.submissions import TooMuchError

MOST_PICTURES: Final = 4
LARGEST_PICTURE: Final = 1024 * 1024
"""Bytes of one; each turn of a conversation sends all of them, in base64."""
MOST_TEXTS: Final = 5
LARGEST_TEXT: Final = 60_000
"""Bytes of one; as many characters of a text are shown to a model at most."""

BEGINNINGS: Final[dict[str, tuple[bytes, ...]]] = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/webp": (b"RIFF",),
}
"""Pictures that the Messages API takes, and how they begin: whoever attaches a file may call it anything."""

_TEXT_TYPES: Final = ("text/", "application/json", "application/xml", "application/x-yaml", "application/yaml")
_TEXT_NAMES: Final = (".txt", ".log", ".csv", ".json", ".xml", ".yml", ".yaml", ".md", ".http")


async def fetched(desk: Desk, run: RunId, issue: Issue) -> Ticket:
    """Return the ticket with what could be fetched; the newest pictures and texts first, in the ticket's order."""
    pictures = [one for one in issue.files if one.mime_type in BEGINNINGS and 0 < one.size <= LARGEST_PICTURE]
    texts = [one for one in issue.files if _is_text(one) and 0 < one.size <= LARGEST_TEXT]
    wanted = {one.id for one in (*pictures[-MOST_PICTURES:], *texts[-MOST_TEXTS:])}
    filled = [
        await _filled(desk, run, file, named) if file.id in wanted else named
        for file, named in zip(issue.files, issue.ticket.attachments, strict=True)
    ]
    return replace(issue.ticket, attachments=tuple(filled))


def _is_text(file: AttachedFile) -> bool:
    return file.mime_type.startswith(_TEXT_TYPES) or file.name.lower().endswith(_TEXT_NAMES)


async def _filled(desk: Desk, run: RunId, file: AttachedFile, named: TicketAttachment) -> TicketAttachment:
    limit = LARGEST_PICTURE if file.mime_type in BEGINNINGS else LARGEST_TEXT
    try:
        content = await asyncio.to_thread(desk.jira.content, file, limit=limit)
        if file.mime_type not in BEGINNINGS:
            # a NUL is in no text, but in UTF-16 and in files that only look like one
            return named if b"\0" in content else replace(named, text=content.decode("utf-8-sig"))
        if not content.startswith(BEGINNINGS[file.mime_type]):
            return named
        return replace(named, sha256=await _kept(desk, run, content))
    except (OutboundError, UnicodeDecodeError, TooMuchError):
        return named  # the ticket can be worked on without it


async def _kept(desk: Desk, run: RunId, content: bytes) -> str:
    async with desk.database.begin() as session:
        digest, _ = await submissions.keep_blob(
            session, content, run=run, now=desk.clock(), retention_days=desk.evidence_retention_days
        )
    return digest
