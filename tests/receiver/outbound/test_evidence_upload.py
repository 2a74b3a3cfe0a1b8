from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from pipelines.language import Artifact, ArtifactKind, Phase, ProjectPath, RunId
from pipelines.language.wire import sha256
from receiver.outbound.effects import evidence_upload
from receiver.outbound.effects.desk import Desk
from receiver.outbound.effects.performers import perform
from receiver.outbound.errors import NotThereError, OutboundError, UnavailableError
from receiver.outbound.gitlab.pipelines_api import Pipelines
from receiver.outbound.jira.jira_client import JiraClient
from receiver.store.run import runs
from receiver.store.schema import ArtifactRow
from receiver.store.story import rows
from receiver.workflow.effects import AttachEvidence
from receiver.workflow.events.merge_request_events import PicturesAttached
from tests.pngs import png
from tests.reports import a_report, stored

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

CONTACTS = ProjectPath("payk12/contacts")
EFFECT = AttachEvidence(iteration=1, repository=CONTACTS)
RED, GREEN, TRACE = png(3, 2), png(2, 3), b"PK\x03\x04trace"
FILES = {"red.png": RED, "green.png": GREEN, "trace.zip": TRACE}


class Archive(Pipelines):
    """Holds the artifacts of all jobs, or raises what it is told to."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.error: OutboundError | None = None

    def artifact(self, project_id: int, job: int, path: str, *, limit: int) -> bytes:  # noqa: ARG002  # as its base
        if self.error is not None:
            raise self.error
        assert len(self.files[path]) <= limit
        return self.files[path]


class Died(Exception):  # noqa: N818  # what a crash would be, were it one
    """Raised where the process would have ended."""


class DieAt:
    """Breaks off at a point."""

    def __init__(self, point: str) -> None:
        self.point = point

    def reach(self, point: str) -> None:
        if point == self.point:
            raise Died


@pytest.fixture
def archive() -> Archive:
    return Archive(dict(FILES))


@pytest.fixture
async def shown(desk: Desk, run: RunId, archive: Archive) -> Desk:
    """Return a desk for a run with accepted reports that list pictures of before and after, and a trace."""
    listed = {
        Phase.REPRODUCTION: (("red.png", ArtifactKind.SCREENSHOT), ("trace.zip", ArtifactKind.TRACE)),
        Phase.TESTING: (("green.png", ArtifactKind.SCREENSHOT),),
    }
    async with desk.database.begin() as session:
        for job, (phase, files) in enumerate(listed.items(), start=7):
            artifacts = tuple(
                Artifact(kind=kind, path=path, sha256=sha256(FILES[path]), size=len(FILES[path]))
                for path, kind in files
            )
            report = a_report(run, phase, None, artifacts=artifacts)
            row = stored(report, job=job, at=datetime.now(UTC))
            session.add(row)
            await session.flush()
            session.add_all(ArtifactRow(report_id=row.id, **msgspec.to_builtins(one)) for one in artifacts)
    return replace(desk, reader=archive)


def attached(world: Any, run: RunId) -> dict[str, Any]:
    found = world.jira("GET", "/rest/api/2/issue/PL-479?fields=attachment")["fields"]["attachment"]
    ours = [one for one in found if run in one["filename"]]
    assert len({one["filename"] for one in ours}) == len(ours)
    return {one["filename"]: one for one in ours}


def names(run: RunId) -> list[str]:
    return [f"bug-fix-{run}-1-contacts-screenshot-{moment}.png" for moment in ("before", "after")]


async def test_the_pictures_of_before_and_after_are_attached_to_the_ticket_once(
    shown: Desk, run: RunId, world: Any
) -> None:
    for _ in range(3):
        done = await perform(shown, run, EFFECT)
        assert done.result == {"files": names(run)}
        assert done.events == (PicturesAttached(iteration=1, repository=CONTACTS, files=tuple(names(run))),)
    there = attached(world, run)
    assert sorted(there) == sorted(names(run))
    assert {one["mimeType"] for one in there.values()} == {"image/png"}
    assert [there[name]["size"] for name in names(run)] == [len(RED), len(GREEN)]


@pytest.mark.parametrize("point", ["AttachEvidence:before_post", "AttachEvidence:after_post"])
async def test_a_crash_around_a_request_leaves_each_picture_there_once(
    shown: Desk, run: RunId, world: Any, point: str
) -> None:
    with pytest.raises(Died):
        await perform(replace(shown, faults=DieAt(point)), run, EFFECT)
    await perform(shown, run, EFFECT)
    assert sorted(attached(world, run)) == sorted(names(run))


async def test_a_file_that_somebody_else_put_there_under_our_name_is_not_taken_for_ours(
    shown: Desk, run: RunId, world: Any
) -> None:
    facts = world.facts["jira"]
    theirs = JiraClient(facts["url"], user=facts["person"], token=facts["person_token"])
    theirs.attach("PL-479", filename=names(run)[0], content=png(3, 2, comment=b"c"))
    await perform(shown, run, EFFECT)
    theirs.close()
    found = world.jira("GET", "/rest/api/2/issue/PL-479?fields=attachment")["fields"]["attachment"]
    assert sum(one["filename"] == names(run)[0] for one in found) == 2


@pytest.mark.parametrize(
    ("path", "content"),
    [("green.png", png(2, 3, comment=b"c")), ("green.png", b"<svg onload='x'>"), ("red.png", RED[:-1])],
)
async def test_a_file_that_was_changed_after_it_was_reported_proves_nothing(
    shown: Desk, archive: Archive, run: RunId, world: Any, path: str, content: bytes
) -> None:
    archive.files[path] = content[: len(FILES[path])]
    await perform(shown, run, EFFECT)
    assert len(attached(world, run)) == 1


async def test_what_is_called_a_picture_and_is_none_is_not_shown(shown: Desk, archive: Archive, run: RunId) -> None:
    async with shown.database.begin() as session:
        story = await rows.story(session, await runs.find(session, run))
    fake = b"<script>alert(1)</script>"
    archive.files["green.png"] = fake
    report = story.reports[1]
    forged = replace(report, artifacts=(replace(report.artifacts[0], sha256=sha256(fake), size=len(fake)),))
    story = replace(story, reports=(story.reports[0], forged))
    project = shown.repositories.project(CONTACTS)
    uploaded = await evidence_upload.upload(shown, story, project.id, repository=CONTACTS, iteration=1)
    assert [(one.moment, one.kind) for one in uploaded] == [
        ("before", ArtifactKind.SCREENSHOT),
        ("before", ArtifactKind.TRACE),
    ]


async def test_nothing_of_a_confidential_run_is_uploaded_or_attached(shown: Desk, run: RunId, world: Any) -> None:
    async with shown.database.begin() as session:
        (await runs.hold(session, run)).confidential = True
    async with shown.database.begin() as session:
        story = await rows.story(session, await runs.find(session, run))
    project = shown.repositories.project(CONTACTS)
    assert await evidence_upload.upload(shown, story, project.id, repository=CONTACTS, iteration=1) == ()
    done = await perform(shown, run, EFFECT)
    assert (done.result, done.events, attached(world, run)) == ({"files": []}, (), {})


async def test_a_picture_that_is_no_longer_kept_is_left_out_and_gitlab_being_away_is_waited_for(
    shown: Desk, archive: Archive, run: RunId, world: Any
) -> None:
    archive.error = UnavailableError("GitLab answered 503.")
    with pytest.raises(UnavailableError):
        await perform(shown, run, EFFECT)
    archive.error = NotThereError("green.png of job 8 is empty.")
    done = await perform(shown, run, EFFECT)
    assert (done.result, done.events, attached(world, run)) == ({"files": []}, (), {})
