"""What is new to us counts when GitLab says that it is the run's: a child pipeline, a merge request."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from pipelines.language import CommitSha, Phase, ProjectPath, RunId
from receiver.outbound.effects.desk import Desk
from receiver.outbound.effects.performers import perform
from receiver.outbound.gitlab.repositories_api import MergeRequest, Project
from receiver.store.postgres.database import Database
from receiver.store.run import runs
from receiver.store.schema import MergeRequestRow, PipelineRow
from receiver.workflow.effects import Confirm, SettleReports
from receiver.workflow.events.merge_request_events import MergeRequestChanged
from receiver.workflow.events.pipeline_events import (
    JobChanged,
    JobId,
    PipelineChanged,
    PipelineId,
    ReportAccepted,
    ReportsSettled,
)
from receiver.workflow.run import RunStatus
from tests.receiver.workflow.conftest import World
from tests.reports import a_report, stored

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

RUN = RunId("00000000000000aa")
CONTACTS, AUTOMATION = ProjectPath("payk12/contacts"), ProjectPath("payk12/bug-fix")
BRANCH = "bug-fix/PL-479"
OURS, ANOTHER = 2, 9
BOT = 3
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class There:
    """A GitLab in which every merge request has one state, and pipeline 100 one child."""

    bot = BOT

    def __init__(
        self, state: str = "merged", *, branch: str = BRANCH, source: int | None = None, author: int = BOT
    ) -> None:
        self.state, self.branch, self.source, self.author = state, branch, source, author
        self.job = "pending"
        self.requests: list[str] = []

    def project(self, path: ProjectPath) -> Project:
        return Project(id=OURS, path=path, default_branch="main", url="")

    def merge_request(self, project_id: int, iid: int) -> MergeRequest:
        return MergeRequest(
            project_id=project_id,
            iid=iid,
            url="",
            state=self.state,
            sha="e" * 40,
            source_branch=self.branch,
            source_project_id=self.source or project_id,
            target_branch="main",
            author_id=self.author,
        )

    def children(self, project_id: int, pipeline: int) -> list[int]:
        self.requests.append("children")
        return [101] if (project_id, pipeline) == (1, 100) else []

    def pipeline(self, project_id: int, project: ProjectPath, pipeline: int) -> PipelineChanged:
        self.requests.append("pipeline")
        return replace(CHILD, project_id=project_id, project=project, pipeline=PipelineId(pipeline), parent=None)

    def jobs(self, project_id: int, project: ProjectPath, pipeline: int) -> list[JobChanged]:
        self.requests.append("jobs")
        nothing = {"failure_reason": None, "queued_s": None, "started_at": None, "finished_at": None}
        return [
            JobChanged(
                project_id=project_id,
                project=project,
                pipeline=PipelineId(pipeline),
                job=JobId(7),
                name="testing: payk12/contacts",
                stage="testing",
                status=self.job,
                allow_failure=False,
                duration_s=None,
                **nothing,  # type: ignore[arg-type]  # None each
            )
        ]


CHILD = PipelineChanged(
    project_id=1,
    project=AUTOMATION,
    pipeline=PipelineId(101),
    status="running",
    source="parent_pipeline",
    parent=PipelineId(100),
    url="https://gitlab/101",
    ref="main",
    sha="a" * 40,
    created_at=None,
    finished_at=None,
)


@pytest.fixture
async def desk_of(database: Database) -> Callable[[There], Desk]:
    async with database.begin() as session:
        row = await runs.create(
            session, RUN, issue_key="PL-479", status=RunStatus.ESCALATED, actor=None, name="Mara", now=NOW
        )
        row.branch, row.repositories = BRANCH, [CONTACTS]
        row.catalogue = msgspec.to_builtins(World.catalogue)
        await session.flush()
        known: dict[str, Any] = {"run_id": RUN, "iteration": 1, "status": "running", "url": "", "seen_at": NOW}
        session.add(PipelineRow(id=100, project_id=1, **known))
    parts = dict.fromkeys(Desk.__struct_fields__) | {"database": database}
    return lambda there: Desk(**parts | {"repositories": there, "reader": there})


def hook(project_id: int, *, state: str = "merged", action: str = "merge") -> MergeRequestChanged:
    return MergeRequestChanged(
        project_id=project_id,
        project=CONTACTS,
        iid=5,
        action=action,
        state=state,
        source_branch=BRANCH,
        head_sha=CommitSha("f" * 40),
        actor_id=42,
        actor="mara",
        at=NOW,
        source_project_id=project_id,
    )


@pytest.mark.parametrize(
    ("there", "told", "is_so"),
    [
        (There(), hook(OURS), True),
        (There("opened"), hook(OURS, state="opened", action="open"), True),
        (There("opened"), hook(OURS), False),
        (There(), hook(ANOTHER), False),
        (There("opened"), hook(ANOTHER, state="opened", action="approved"), False),
        (There(branch="main"), hook(OURS), False),
        (There(source=ANOTHER), hook(OURS), False),
        (There(author=42), hook(OURS), False),
    ],
    ids=["ours", "opened", "open still", "another project's", "approved", "another branch", "a fork's", "a person's"],
)
async def test_an_unknown_merge_request_counts_when_we_opened_it_of_the_runs_branch_in_the_project_of_that_path(
    desk_of: Callable[[There], Desk], there: There, told: MergeRequestChanged, *, is_so: bool
) -> None:
    done = await perform(desk_of(there), RUN, Confirm(told=told))
    kept = replace(told, head_sha=CommitSha("e" * 40))
    assert (done.events, done.result) == ((kept,) if is_so else (), {"state": there.state, "is_so": is_so})


async def test_a_known_merge_request_stays_the_runs_when_people_rename_its_branch(
    desk_of: Callable[[There], Desk], database: Database
) -> None:
    async with database.begin() as session:
        heads: dict[str, Any] = dict.fromkeys(("head_sha", "seen_head_sha"), "e" * 40)
        known: dict[str, Any] = {"project_id": OURS, "iid": 5, "source_branch": BRANCH, "state": "opened", **heads}
        session.add(MergeRequestRow(run_id=RUN, repository=CONTACTS, url="", opened_at=NOW, **known))
    done = await perform(desk_of(There(branch="renamed", author=42)), RUN, Confirm(told=hook(OURS)))
    assert done.events == (hook(OURS),)


async def test_a_child_that_the_runs_pipeline_triggered_is_told_with_its_jobs(
    desk_of: Callable[[There], Desk],
) -> None:
    there = There()
    done = await perform(desk_of(there), RUN, Confirm(told=replace(CHILD, project=CONTACTS, url="http://elsewhere")))
    assert done.events[0] == CHILD
    assert [(one.pipeline, one.job) for one in done.events if isinstance(one, JobChanged)] == [(101, 7)]
    assert there.requests == ["children", "pipeline", "jobs"]


@pytest.mark.parametrize("parent", [PipelineId(100), None])
async def test_another_pipeline_that_names_the_runs_as_its_parent_is_not_the_runs(
    desk_of: Callable[[There], Desk], parent: PipelineId | None
) -> None:
    told = replace(CHILD, pipeline=PipelineId(666), parent=parent)
    done = await perform(desk_of(There()), RUN, Confirm(told=told))
    assert (done.events, done.result) == ((), {"state": "not triggered by the run", "is_so": False})


async def test_the_end_of_a_job_costs_one_request_with_its_report(
    desk_of: Callable[[There], Desk], database: Database
) -> None:
    async with database.begin() as session:
        session.add(stored(a_report(RUN, Phase.TESTING, None), job=7, at=NOW, state="pending", pipeline=100))
    there = There()
    asked = SettleReports(iteration=1, of_pipeline=(1, PipelineId(100)))
    assert (await perform(desk_of(there), RUN, asked)).events == ()
    there.job = "success"
    events = (await perform(desk_of(there), RUN, asked)).events
    assert [type(one) for one in events] == [JobChanged, ReportAccepted, ReportsSettled]
    assert there.requests == ["jobs", "jobs"]


async def test_of_a_pipeline_that_is_known_one_request_is_made(
    desk_of: Callable[[There], Desk], database: Database
) -> None:
    async with database.begin() as session:
        known: dict[str, Any] = {"run_id": RUN, "iteration": 1, "status": "created", "url": "", "seen_at": NOW}
        session.add(PipelineRow(id=101, project_id=1, parent_id=100, **known))
    there = There()
    assert (await perform(desk_of(there), RUN, Confirm(told=replace(CHILD, parent=PipelineId(77))))).events == (CHILD,)
    assert there.requests == ["pipeline"]
