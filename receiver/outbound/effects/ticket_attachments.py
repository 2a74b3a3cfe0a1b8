"""Fetch what is attached to a ticket: small texts and pictures that a model takes. Others are named only.

Pictures are kept as blobs and not in the run, which each event reads; a job is told them when it needs them.
"""

from __future__ import annotations

import asyncio
from typing import Final

from msgspec.structs import replace

from pipelines.language import RunId, image_format
from pipelines.language.wire import Ticket, TicketAttachment
from receiver.outbound.effects.desk import Desk
from receiver.outbound.errors import OutboundError
from receiver.outbound.jira.issues import AttachedFile, Issue
from receiver.store.jobs import blobs
from receiver.store.jobs.blobs import TooMuchError

MOST_PICTURES: Final = 4
LARGEST_PICTURE: Final = 1024 * 1024
"""Bytes of one; each turn of a conversation sends all of them, in base64."""
MOST_TEXTS: Final = 5
LARGEST_TEXT: Final = 60_000
"""Bytes of one; as many characters of a text are shown to a model at most."""

_TEXT_TYPES: Final = ("text/", "application/json", "application/xml", "application/x-yaml", "application/yaml")
_TEXT_NAMES: Final = (".txt", ".log", ".csv", ".json", ".xml", ".yml", ".yaml", ".md", ".http")


async def fetched(desk: Desk, run: RunId, issue: Issue) -> Ticket:
    """Return the ticket with what could be fetched; the newest pictures and texts first, in the ticket's order."""
    pictures = [one for one in issue.files if _is_picture(one) and not _unfit(one)]
    texts = [one for one in issue.files if _is_text(one) and 0 < one.size <= LARGEST_TEXT]
    shown, read = ({one.id for one in found} for found in (pictures[-MOST_PICTURES:], texts[-MOST_TEXTS:]))
    filled = []
    for file, named in zip(issue.files, issue.ticket.attachments, strict=True):
        if _is_picture(file):
            why = _unfit(file) or ("" if file.id in shown else f"is older than the {MOST_PICTURES} that are shown")
            filled.append(replace(named, left_out=why) if why else await _pictured(desk, run, file, named))
        else:
            filled.append(await _filled(desk, file, named) if file.id in read else named)
    return replace(issue.ticket, attachments=tuple(filled))


def left_out(ticket: Ticket) -> str:
    """Return a sentence about the pictures that no model is shown, empty when there are none."""
    told = [f"{one.name[:_NAME]} {one.left_out}" for one in ticket.attachments if one.left_out]
    more = f"; and {len(told) - _MOST_TOLD} more" if len(told) > _MOST_TOLD else ""
    return f"Not shown to the model: {'; '.join(told[:_MOST_TOLD])}{more}." if told else ""


_NAME, _MOST_TOLD = 60, 4


def _is_picture(file: AttachedFile) -> bool:
    return file.mime_type.startswith("image/") and not _is_text(file)


def _is_text(file: AttachedFile) -> bool:
    return file.mime_type.startswith(_TEXT_TYPES) or file.name.lower().endswith(_TEXT_NAMES)


def _unfit(file: AttachedFile) -> str:
    """Return why a picture is not fetched, by what Jira says of it."""
    if file.mime_type not in image_format.TAKEN:
        return "has a format that the model does not take"
    if not file.size:
        return "is empty"
    return _TOO_LARGE if file.size > LARGEST_PICTURE else ""


_TOO_LARGE: Final = f"is larger than {LARGEST_PICTURE // 1024} KiB"


async def _filled(desk: Desk, file: AttachedFile, named: TicketAttachment) -> TicketAttachment:
    try:
        content = await asyncio.to_thread(desk.jira.content, file, limit=LARGEST_TEXT)
        # a NUL is in no text, but in UTF-16 and in files that only look like one
        return named if b"\0" in content else replace(named, text=content.decode("utf-8-sig"))
    except (OutboundError, UnicodeDecodeError):
        return named  # the ticket can be worked on without it


async def _pictured(desk: Desk, run: RunId, file: AttachedFile, named: TicketAttachment) -> TicketAttachment:
    try:
        content = await asyncio.to_thread(desk.jira.content, file, limit=LARGEST_PICTURE)
        why = image_format.fault(content, file.mime_type)
        return replace(named, left_out=why) if why else replace(named, sha256=await _kept(desk, run, content))
    except OutboundError:
        return replace(named, left_out="could not be fetched")
    except TooMuchError:
        return replace(named, left_out="is more than what is kept of one bug fix")


async def _kept(desk: Desk, run: RunId, content: bytes) -> str:
    async with desk.database.begin() as session:
        digest, _ = await blobs.keep(
            session, content, run=run, now=desk.clock(), retention_days=desk.evidence_retention_days
        )
    return digest
