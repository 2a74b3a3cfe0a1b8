"""A run that the previous release left in the middle of its second iteration goes on and ends.

The data was made by that release's own program, and dumped with `pg_dump --data-only --inserts`: a review sent the
first fix back, in the second iteration all but the merge request job is accepted, and that job's report is pending.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from msgspec.structs import replace
from sqlalchemy import make_url, select

from pipelines.language import Phase, PhaseReport, PipelineKey, PipelineKind, ProjectPath, RunId
from pipelines.language.pipeline_key import fix
from receiver.outbound.effects.desk import Desk
from receiver.outbound.effects.performers import perform
from receiver.store.jobs import sessions
from receiver.store.postgres.database import Database
from receiver.store.postgres.migration import upgrade
from receiver.store.postgres.retention import Retention
from receiver.store.run import runs, settled_reports, started_pipelines
from receiver.store.schema import EffectRow, IterationRow, RunRow
from receiver.store.story.rows import story
from receiver.worker.effect_task import Workshop, work_on
from receiver.worker.event_handler import Setting, handle
from receiver.workflow.effects import OpenMergeRequest
from receiver.workflow.events.event import Event
from receiver.workflow.events.merge_request_events import MergeRequestChanged
from receiver.workflow.events.pipeline_events import JobId, ReportAccepted
from receiver.workflow.run import Cause, RunStatus

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

DUMP = Path(__file__).parent / "data" / "release_0012_mid_run.sql"
RUN = RunId("0000000000000001")
CONTACTS = ProjectPath("payk12/contacts")
BRANCH = "bug-fix/PL-479-contact-creation-fails-for-names-with"
BASE = b"a" * 40
"""The commit that the dump's fix was made for."""
NOW = datetime(2026, 11, 23, 9, 1, tzinfo=UTC)


def restore(url: str, dump: bytes) -> None:
    """Fill an empty database with the data of the previous release, and bring it to the newest schema."""
    upgrade(url, revision="0012")
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as connection:
        connection.execute("SET session_replication_role = replica")  # tables in any order
        connection.execute(dump)
    upgrade(url)


@pytest.fixture
async def migrated(empty_database: str) -> AsyncIterator[Database]:
    """Open a database with the data of the previous release, brought to the newest schema."""
    restore(empty_database, DUMP.read_bytes())
    async with Database(empty_database) as opened:
        yield opened


@pytest.fixture
def base(world: Any) -> Iterator[str]:
    """Let GitLab have the commit that the run's fix was made for on the default branch; return its id."""

    def commit(message: str, **action: str) -> str:
        actions = [{"file_path": "src/contacts.py", **action}]
        made = world.contacts.commits.create({"branch": "main", "commit_message": message, "actions": actions})
        return str(made.id)

    yield commit("Old", action="create", content="old\n")
    commit("Take back", action="delete")


@pytest.fixture
async def workshop(empty_database: str, base: str, desk: Desk, setting: Setting) -> AsyncIterator[Workshop]:
    """Open the migrated database with GitLab and Jira beside it."""
    restore(empty_database, DUMP.read_bytes().replace(BASE, base.encode()))
    days = timedelta(days=30)
    async with Database(empty_database) as opened:
        yield Workshop(
            database=opened,
            desk=replace(desk, database=opened),
            setting=replace(setting, clock=desk.clock),
            retention=Retention(deliveries=days, transcripts=days),
        )


async def tell(workshop: Workshop, event: Event) -> str:
    async with workshop.database.begin() as session:
        await handle(session, event, setting=workshop.setting, run=RUN)
    return await status(workshop)


async def status(workshop: Workshop) -> str:
    async with workshop.database.begin() as session:
        return (await session.get_one(RunRow, RUN)).status


async def test_the_run_finishes_and_its_diff_is_committed_as_it_was_tested(workshop: Workshop, world: Any) -> None:
    """Performed twice, as after a crash before the answer was noted: what was committed is known as ours."""
    async with workshop.database.begin() as session:
        (left,) = await settled_reports.pending(session, RUN, iteration=2)
    assert left.report.phase is Phase.MERGE_REQUEST
    assert await tell(workshop, ReportAccepted(job=JobId(left.job), report=left.report)) == RunStatus.OPENING
    await perform(workshop.desk, RUN, OpenMergeRequest(iteration=2, repository=CONTACTS))
    async with workshop.database.begin() as session:
        opening = await session.scalar(select(EffectRow.id).where(EffectRow.kind == "OpenMergeRequest"))
    assert opening is not None
    await work_on(workshop, opening)
    assert await status(workshop) == RunStatus.IN_REVIEW
    (request,) = world.contacts.mergerequests.list(source_branch=BRANCH, state="opened", get_all=True)
    assert world.contacts.files.get("src/contacts.py", ref=request.sha).decode() == b"newer\n"
    merged = MergeRequestChanged(
        project_id=request.project_id,
        project=CONTACTS,
        iid=request.iid,
        action="merge",
        state="merged",
        source_branch=BRANCH,
        head_sha=request.sha,
        actor_id=3,
        actor="mara",
        at=NOW,
    )
    assert await tell(workshop, merged) == RunStatus.MERGED


async def test_iterations_became_fix_pipelines_with_their_claims(migrated: Database) -> None:
    assert await started_pipelines.parents(migrated, RUN, fix(2)) == [200]
    assert await started_pipelines.parents(migrated, RUN, PipelineKey(kind=PipelineKind.DEPLOY, number=2)) == []
    async with migrated.begin() as session:
        assert await sessions.claim(session, RUN, fix(2), pipeline=999, now=NOW) == 200
        causes = await session.scalars(select(IterationRow.cause).order_by(IterationRow.number))
        assert list(causes) == [Cause.ADMITTED, Cause.SENT_BACK]


async def test_a_job_at_work_keeps_its_session(migrated: Database) -> None:
    async with migrated.begin() as session:
        job = await sessions.find(session, "token-2008", now=NOW)
        assert job is not None
        assert (job.pipeline, job.client, job.current) == (fix(2), "", True)


async def test_its_story_can_be_told(migrated: Database) -> None:
    async with migrated.begin() as session:
        told = await story(session, await session.get_one(RunRow, RUN))
    assert [(one.number, one.cause, one.reuses) for one in told.iterations] == [
        (1, Cause.ADMITTED, ()),
        (2, Cause.SENT_BACK, ()),
    ]


async def test_its_reports_are_read_as_those_of_fix_pipelines(migrated: Database) -> None:
    async with migrated.begin() as session:
        run = await runs.load(session, await runs.hold(session, RUN))
    assert {one.kind for one in run.pipelines} == {PipelineKind.FIX}
    assert {(one.kind, one.iteration) for one in run.reports} == {(PipelineKind.FIX, 2)}


def test_documents_of_the_previous_clients_wire_are_read(recorded: dict[str, Any]) -> None:
    report = msgspec.convert(recorded, PhaseReport)
    assert (report.version, report.kind, report.client) == (1, PipelineKind.FIX, "")


@pytest.fixture
def recorded() -> dict[str, Any]:
    """Return a report as a job client of the previous release sent it."""
    line = next(line for line in DUMP.read_text().splitlines() if '"phase": "merge_request"' in line)
    start = line.index('{"run":') if '{"run":' in line else line.index('{"agent"')
    document: dict[str, Any] = msgspec.json.decode(line[start : line.rindex("}") + 1].replace("''", "'"))
    return document
