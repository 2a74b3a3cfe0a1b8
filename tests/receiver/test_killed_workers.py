"""A real worker that is killed while it attaches evidence or starts a repository's own pipeline does each once."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gitlab
import msgspec
import pytest

from pipelines.language import Artifact, ArtifactKind, Phase, ProjectPath, RunId
from pipelines.language.wire import sha256
from receiver.outbound.effects.commits import SKIP
from receiver.store.effects import outbox
from receiver.store.postgres.database import Database
from receiver.store.run import runs
from receiver.store.schema import ArtifactRow
from receiver.workflow.effects import AttachEvidence, Effect, OpenMergeRequest, StartTargetPipeline
from receiver.workflow.run import RunStatus
from tests.changes import file_change
from tests.conftest import Standing
from tests.pngs import png
from tests.receiver.workers import Eyes, die_at_each, jobs_held, until
from tests.reports import a_report, stored

pytestmark = [pytest.mark.acceptance, pytest.mark.anyio]

CONTACTS = ProjectPath("payk12/contacts")
FIX = file_change("docs/fix.md", None, "Fixed.\n")
PICTURES = {Phase.REPRODUCTION: png(1280, 720, comment=b"red"), Phase.TESTING: png(1280, 720, comment=b"green")}
EVIDENCE = "evidence"
"""A branch whose jobs leave the pictures behind."""


@pytest.fixture
def eyes(postgres: str, standing_connection: Standing) -> Eyes:
    return Eyes(postgres, standing_connection)


async def want(database: Database, run: RunId, effect: Effect, *, status: RunStatus) -> None:
    async with database.begin() as session:
        row = await runs.hold(session, run)
        row.status = status
        await outbox.store(session, run, (effect,), decision=None, origin="test", now=datetime.now(UTC))


@pytest.fixture
def jobs(world: Any) -> Iterator[dict[Phase, int]]:
    """Let GitLab run two jobs that leave a picture each, and return their ids."""
    written = {phase: "".join(f"\\{byte:03o}" for byte in picture) for phase, picture in PICTURES.items()}
    config = {
        str(phase): {"script": [f"printf '{octal}' > {phase}.png"], "artifacts": {"paths": [f"{phase}.png"]}}
        for phase, octal in written.items()
    }
    change = {"action": "update", "file_path": ".gitlab-ci.yml", "content": json.dumps(config)}
    commit = {"branch": EVIDENCE, "start_branch": "main", "commit_message": "Evidence", "actions": [change]}
    world.contacts.commits.create(commit)

    def done() -> Any:
        found = world.contacts.pipelines.list(ref=EVIDENCE, status="success", get_all=True)
        return [job for pipeline in found for job in pipeline.jobs.list(get_all=True)]

    yield {Phase(job.name): job.id for job in until(done)}
    world.contacts.branches.delete(EVIDENCE)


async def test_workers_that_die_around_each_picture_leave_it_on_the_ticket_once(
    database: Database, world: Any, eyes: Eyes, run: RunId, jobs: dict[Phase, int], tmp_path: Path
) -> None:
    project = world.admin.projects.get(CONTACTS).id
    async with database.begin() as session:
        for phase, picture in PICTURES.items():
            file = Artifact(
                kind=ArtifactKind.SCREENSHOT, path=f"{phase}.png", sha256=sha256(picture), size=len(picture)
            )
            report = a_report(run, phase, None, artifacts=(file,))
            row = stored(report, job=jobs[phase], at=datetime.now(UTC), project=project)
            session.add(row)
            await session.flush()
            session.add(ArtifactRow(report_id=row.id, **msgspec.to_builtins(file)))
    await want(database, run, AttachEvidence(iteration=1, repository=CONTACTS), status=RunStatus.IN_REVIEW)
    points = ("AttachEvidence:before_post", "AttachEvidence:after_post", "AttachEvidence:after_commit")
    with jobs_held(world):
        await die_at_each(points, world, eyes, tmp_path)
    found = world.jira("GET", "/rest/api/2/issue/PL-479?fields=attachment")["fields"]["attachment"]
    ours = sorted(one["filename"] for one in found if run in one["filename"])
    assert ours == [f"bug-fix-{run}-1-contacts-screenshot-{moment}.png" for moment in ("after", "before")]


async def test_workers_that_die_around_the_push_of_an_approved_fix_start_its_own_pipeline_once(
    database: Database, world: Any, eyes: Eyes, run: RunId, submit: Any, tmp_path: Path
) -> None:
    await submit(run, FIX)
    async with database.begin() as session:
        row = await runs.hold(session, run)
        assert row.catalogue is not None
        row.catalogue = {
            **row.catalogue,
            "policy": row.catalogue["policy"] | {"target_pipeline": "skip_until_approved"},
        }
        branch = row.branch
    opening = OpenMergeRequest(iteration=1, repository=CONTACTS)
    with jobs_held(world):
        await want(database, run, opening, status=RunStatus.OPENING)
        await die_at_each((), world, eyes, tmp_path)
        (request,) = world.contacts.mergerequests.list(source_branch=branch, get_all=True)
        (held,) = world.contacts.commits.list(ref_name=f"main..{branch}", get_all=True)
        assert SKIP in held.message
        approved = StartTargetPipeline(
            iteration=1, repository=CONTACTS, head_sha=held.id, approved_by=approve(world, request.iid)
        )
        await want(database, run, approved, status=RunStatus.IN_REVIEW)
        points = ("OpenMergeRequest:before_push", "OpenMergeRequest:after_push", "StartTargetPipeline:after_commit")
        await die_at_each(points, world, eyes, tmp_path)
        commit, below = world.contacts.commits.list(ref_name=f"main..{branch}", get_all=True)
        assert (SKIP in commit.message, below.id) == (False, held.id)

        def made() -> Any:
            found = world.contacts.pipelines.list(ref=branch, source="push", get_all=True)
            return len(found) >= 2 and [one.status == "skipped" for one in reversed(found)]

        assert until(made) == [True, False]


def approve(world: Any, iid: int) -> int:
    """Approve a merge request as Mara, and return her id."""
    with gitlab.Gitlab(world.gitlab_url, private_token=world.facts["gitlab"]["person_token"]) as mara:
        mara.auth()
        assert mara.user is not None
        mara.projects.get(CONTACTS).mergerequests.get(iid).approve()
        return int(mara.user.id)
