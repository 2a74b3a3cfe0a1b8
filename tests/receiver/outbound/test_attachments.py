"""What is attached to a ticket: small texts and pictures that a model takes are fetched, everything else is named."""

import base64
import zlib
from typing import Any

import httpx2
import pytest

from pipelines.language import IssueKey, Phase, RunId
from pipelines.language.wire import Ticket, TicketAttachment
from receiver.jobs.run_specs import build
from receiver.outbound.effects.desk import Desk
from receiver.outbound.effects.ticket_attachments import LARGEST_PICTURE, LARGEST_TEXT, MOST_PICTURES, fetched, left_out
from receiver.outbound.jira.issues import AttachedFile, Issue
from receiver.store.jobs.sessions import JobSession
from receiver.store.postgres.database import Database
from receiver.store.run import runs
from receiver.workflow.run import RunStatus

pytestmark = [pytest.mark.integration, pytest.mark.anyio]


def png(text: bytes = b"", width: int = 4) -> bytes:
    """Return a whole picture with something written into it."""
    header = width.to_bytes(4, "big") + b"\0\0\0\3\x08\0\0\0\0"
    parts = ((b"IHDR", header), (b"tEXt", text), (b"IDAT", zlib.compress(b"\0" * 16)), (b"IEND", b""))
    chunks = (
        len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big") for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


PNG = png()
PL_479 = IssueKey("PL-479")


def attach(world: Any, name: str, content: bytes, kind: str, *, who: str = "dana") -> str:
    person = world.facts["people"].get(who)
    jira = world.facts["jira"]
    login = (jira["user"], jira["token"]) if person is None else (person["jira_login"], person["jira_token"])
    answer = httpx2.post(
        f"{world.jira_url}/rest/api/2/issue/PL-479/attachments",
        files={"file": (name, content, kind)},
        headers={"X-Atlassian-Token": "no-check"},
        auth=login,
        timeout=60,
    )
    return str(answer.raise_for_status().json()[0]["id"])


async def newest(desk: Desk, run: RunId, count: int) -> tuple[TicketAttachment, ...]:
    """Fetch the ticket as if nothing but the newest files were attached to it."""
    issue = desk.jira.issue(PL_479)
    ticket = Ticket(key=PL_479, summary="", description="", attachments=issue.ticket.attachments[-count:])
    return (await fetched(desk, run, Issue(ticket=ticket, status="", files=issue.files[-count:]))).attachments


@pytest.mark.parametrize(
    ("name", "content", "kind", "text"),
    [
        ("service.log", b'near "Brien": syntax error', "text/plain", 'near "Brien": syntax error'),
        ("names.csv", "name\nD’Angelo".encode(), "application/octet-stream", "name\nD’Angelo"),
        ("body.json", b'{"name": "O\'Brien"}', "application/json", '{"name": "O\'Brien"}'),
        ("marked.txt", b"\xef\xbb\xbfO'Brien", "text/plain", "O'Brien"),
        ("utf-16.log", "row 1".encode("utf-16-le"), "text/plain", ""),
        ("latin.txt", b"D\xb4Angelo", "text/plain", ""),
        ("page.pdf", b"%PDF-1.7", "application/pdf", ""),
        ("long.log", b"x" * (LARGEST_TEXT + 1), "text/plain", ""),
        ("empty.txt", b"", "text/plain", ""),
    ],
)
async def test_small_texts_are_fetched_and_others_are_named(
    desk: Desk, run: RunId, world: Any, name: str, content: bytes, kind: str, text: str
) -> None:
    attach(world, name, content, kind)
    (told,) = await newest(desk, run, 1)
    assert (told.name, told.size, told.text, told.image, told.sha256) == (name, len(content), text, "", "")


@pytest.mark.parametrize(
    ("content", "kind", "why"),
    [
        (PNG, "image/png", ""),
        (PNG, "image/PNG", ""),
        (b"\xff\xd8\xff\xc0\0\x0b\x08\0\3\0\4\1\1\x11\0\xff\xda\0\3apixels\xff\xd9", "image/jpg", ""),
        (b"GIF89a\4\0\3\0\0\0\0;and more", "image/gif", ""),
        (b"GIF89a\4\0\3\0\0\0\0;", "image/gif", ""),
        (b"RIFF....WAVEfmt ", "image/webp", "is called WEBP and is none"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", "has a format that the model does not take"),
        (b"<script>alert(1)</script>", "image/png", "is called PNG and is none"),
        (PNG[:-20], "image/png", "is a broken or cut PNG"),
        (png(width=9000), "image/png", "has 9000 × 3 pixels, of which the model takes 8000 × 8000 at most"),
        (png(b"x" * LARGEST_PICTURE), "image/png", "is larger than 1024 KiB"),
        (b"", "image/png", "is empty"),
    ],
)
async def test_pictures_that_a_model_takes_are_kept_as_blobs(
    desk: Desk,
    run: RunId,
    world: Any,
    content: bytes,
    kind: str,
    why: str,
) -> None:
    attach(world, "screenshot", content, kind)
    (told,) = await newest(desk, run, 1)
    assert told.image == ""
    assert told.mime_type == {"image/PNG": "image/png", "image/jpg": "image/jpeg"}.get(kind, kind)
    assert told.left_out == why
    assert bool(told.sha256) == (not why)
    said = left_out(Ticket(key=PL_479, summary="", description="", attachments=(told,)))
    assert said == (f"Not shown to the model: screenshot {why}." if why else "")


async def test_the_newest_pictures_are_taken_and_the_rest_is_named(desk: Desk, run: RunId, world: Any) -> None:
    for number in range(MOST_PICTURES + 2):
        attach(world, f"{number}.png", png(bytes([number])), "image/png")
    told = await newest(desk, run, MOST_PICTURES + 2)
    assert [one.name for one in told] == [f"{number}.png" for number in range(MOST_PICTURES + 2)]
    assert [bool(one.sha256) for one in told] == [False, False] + [True] * MOST_PICTURES
    assert [one.left_out for one in told] == ["is older than the 4 that are shown"] * 2 + [""] * MOST_PICTURES


async def test_what_we_attached_ourselves_is_not_part_of_the_ticket(desk: Desk, world: Any) -> None:
    attach(world, "bug-fix-after.png", PNG, "image/png", who="bug-fix-bot")
    issue = desk.jira.issue(PL_479)
    assert "bug-fix-after.png" not in {one.name for one in (*issue.files, *issue.ticket.attachments)}


async def test_a_file_that_can_not_be_had_is_named_and_stops_nothing(desk: Desk, run: RunId, world: Any) -> None:
    identity = attach(world, "service.log", b"error", "text/plain")
    gone = {"path": f"/rest/api/2/attachment/content/{identity}", "status": 404, "times": 1}
    httpx2.post(f"{world.jira_url}/_sandbox/faults", json={"requests": [gone]}, timeout=60).raise_for_status()
    (told,) = await newest(desk, run, 1)
    assert (told.name, told.text, told.left_out) == ("service.log", "", "")


async def test_a_picture_that_can_not_be_had_is_told_and_stops_nothing(desk: Desk, run: RunId, world: Any) -> None:
    identity = attach(world, "a.png", PNG, "image/png")
    gone = {"path": f"/rest/api/2/attachment/content/{identity}", "status": 404, "times": 1}
    httpx2.post(f"{world.jira_url}/_sandbox/faults", json={"requests": [gone]}, timeout=60).raise_for_status()
    (told,) = await newest(desk, run, 1)
    assert (told.sha256, told.left_out) == ("", "could not be fetched")


def test_only_some_pictures_are_named_in_the_sentence() -> None:
    many = tuple(
        TicketAttachment(name=f"{n}" * 100, mime_type="image/png", size=1, left_out="is empty") for n in range(6)
    )
    said = left_out(Ticket(key=PL_479, summary="", description="", attachments=many))
    assert said.count("is empty") == 4
    assert said.endswith("; and 2 more.")
    assert "0" * 61 not in said


async def test_a_file_that_is_larger_than_jira_said_is_not_read_to_its_end(desk: Desk, run: RunId, world: Any) -> None:
    identity = attach(world, "service.log", b"x" * (LARGEST_TEXT + 10), "text/plain")
    file = AttachedFile(id=identity, name="service.log", mime_type="text/plain", size=5)
    named = TicketAttachment(name=file.name, mime_type=file.mime_type, size=5)
    ticket = Ticket(key=PL_479, summary="", description="", attachments=(named,))
    told = await fetched(desk, run, Issue(ticket=ticket, status="", files=(file,)))
    assert told.attachments == (named,)


@pytest.mark.parametrize("phase", [Phase.ANALYSIS, Phase.PREPARE])
async def test_analysis_is_told_the_pictures_and_no_other_phase(
    desk: Desk, run: RunId, database: Database, world: Any, phase: Phase
) -> None:
    attach(world, "screenshot.png", PNG, "image/png")
    (told,) = await newest(desk, run, 1)
    async with database.begin() as session:
        row = await runs.hold(session, run)
        row.status = RunStatus.RUNNING
        row.ticket = {
            **(row.ticket or {}),
            "attachments": [{"name": "a", "mime_type": "image/png", "size": 1, "sha256": told.sha256}],
        }
    job = JobSession(
        id=1,
        run=run,
        iteration=1,
        phase=phase,
        repository=None,
        project_id=1,
        pipeline_id=2,
        job_id=3,
        expires_at=desk.clock(),
        current=True,
    )
    async with database.begin() as session:
        spec = await build(session, job, gitlab_url="https://gitlab.example")
    (shown,) = spec.ticket.attachments
    assert base64.b64decode(shown.image) == (PNG if phase is Phase.ANALYSIS else b"")
