"""The end of a merge request that only a hook told of counts when GitLab knows it as the run's."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from pipelines.language import CommitSha, ProjectPath, RunId
from receiver.outbound.effects import merge_request_polling
from receiver.outbound.effects.desk import Desk
from receiver.outbound.effects.performers import perform
from receiver.outbound.gitlab.repositories_api import MergeRequest, Project
from receiver.store.postgres.database import Database
from receiver.store.run import polled_merge_requests, runs
from receiver.store.schema import MergeRequestRow
from receiver.workflow.effects import ConfirmEnd
from receiver.workflow.events import MergeRequestChanged
from receiver.workflow.run import RunStatus

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

RUN = RunId("00000000000000aa")
CONTACTS = ProjectPath("payk12/contacts")
BRANCH = "bug-fix/PL-479"
OURS, ANOTHER = 2, 9
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Merged:
    """A GitLab in which every merge request is merged."""

    def __init__(self, *, branch: str = BRANCH, source: int | None = None) -> None:
        self.branch = branch
        self.source = source

    def project(self, path: ProjectPath) -> Project:
        return Project(id=OURS, path=path, default_branch="main", url="")

    def merge_request(self, project_id: int, iid: int) -> MergeRequest:
        return MergeRequest(
            project_id=project_id,
            iid=iid,
            url="",
            state="merged",
            sha="f" * 40,
            source_branch=self.branch,
            source_project_id=self.source or project_id,
            target_branch="main",
            author_id=3,
        )


@pytest.fixture
async def desk_of(database: Database) -> Callable[[Merged], Desk]:
    async with database.begin() as session:
        row = await runs.create(
            session, RUN, issue_key="PL-479", status=RunStatus.ESCALATED, actor=None, name="Mara", now=NOW
        )
        row.branch, row.repositories = BRANCH, [CONTACTS]
    parts = dict.fromkeys(Desk.__struct_fields__) | {"database": database}
    return lambda there: Desk(**parts | {"repositories": there})


def merged(project_id: int) -> MergeRequestChanged:
    return MergeRequestChanged(
        project_id=project_id,
        project=CONTACTS,
        iid=5,
        action="merge",
        state="merged",
        source_branch=BRANCH,
        head_sha=CommitSha("f" * 40),
        actor_id=3,
        actor="mara",
        at=NOW,
        source_project_id=project_id,
    )


async def note(database: Database, *, head: str, project_id: int) -> None:
    async with database.begin() as session:
        known: dict[str, Any] = {"url": "", "seen_head_sha": "", "state": "opened", "opened_at": NOW}
        row = MergeRequestRow(
            run_id=RUN, repository=CONTACTS, project_id=project_id, iid=5, source_branch=BRANCH, head_sha=head, **known
        )
        session.add(row)


@pytest.mark.parametrize(
    ("there", "project_id", "is_so"),
    [
        (Merged(), OURS, True),
        (Merged(), ANOTHER, False),
        (Merged(branch="main"), OURS, False),
        (Merged(source=ANOTHER), OURS, False),
    ],
    ids=["ours", "of another project", "of another branch", "of a fork"],
)
async def test_an_unknown_merge_request_counts_when_it_is_of_the_runs_branch_in_the_project_of_that_path(
    desk_of: Callable[[Merged], Desk], there: Merged, project_id: int, *, is_so: bool
) -> None:
    hook = merged(project_id)
    done = await perform(desk_of(there), RUN, ConfirmEnd(told=hook))
    assert (done.events, done.result) == ((hook,) if is_so else (), {"state": "merged", "is_so": is_so})


async def test_one_that_an_earlier_hook_told_of_is_not_known_for_that(
    desk_of: Callable[[Merged], Desk], database: Database
) -> None:
    desk = desk_of(Merged())
    await note(database, head="", project_id=ANOTHER)
    assert (await perform(desk, RUN, ConfirmEnd(told=merged(ANOTHER)))).events == ()
    async with database.begin() as session:
        view = await runs.load(session, await runs.hold(session, RUN))
        before = await polled_merge_requests.known(session, RUN)
    (known,) = view.merge_requests
    assert await merge_request_polling.news(desk, view, known, before) == []
    ours = replace(known, project_id=OURS)
    assert len(await merge_request_polling.news(desk, view, ours, before)) == 1


async def test_what_our_own_request_told_of_stays_the_runs_when_people_rename_its_branch(
    desk_of: Callable[[Merged], Desk], database: Database
) -> None:
    await note(database, head="f" * 40, project_id=OURS)
    done = await perform(desk_of(Merged(branch="renamed")), RUN, ConfirmEnd(told=merged(OURS)))
    assert done.events == (merged(OURS),)
