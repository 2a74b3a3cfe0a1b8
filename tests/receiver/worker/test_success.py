"""What is kept of a run's success, and of what the repositories' own CI says of its fix."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import select, update

from pipelines.language import IssueKey, ProjectPath, RunId
from receiver.store.postgres.database import Database
from receiver.store.run import runs
from receiver.store.schema import EffectRow, IndicatorRow, MergeRequestEventRow, MergeRequestRow, TargetPipelineRow
from receiver.store.story import rows as stories
from receiver.store.story import stored_indicators
from receiver.worker.event_handler import Handled, Setting, handle
from receiver.workflow.events.event import Event
from receiver.workflow.events.merge_request_events import MergeRequestChanged, MergeRequestOpened
from receiver.workflow.events.pipeline_events import PipelineChanged, PipelineId
from receiver.workflow.events.ticket_events import StartRequested
from receiver.workflow.run import RunStatus, Verdict

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

CONTACTS = ProjectPath("payk12/contacts")
HEAD = "c" * 40


async def told(database: Database, event: Event, setting: Setting, run: RunId | None = None) -> Handled:
    async with database.begin() as session:
        return await handle(session, event, setting=setting, run=run)


@pytest.fixture
async def reviewed(database: Database, setting: Setting) -> RunId:
    """Return a run whose merge request was opened just now."""
    asked = StartRequested(issue_key=IssueKey("PL-479"), actor_name="an operator")
    run = (await told(database, asked, setting)).run
    assert run is not None
    async with database.begin() as session:
        row = await runs.hold(session, run)
        row.status, row.branch, row.repositories = RunStatus.OPENING, "bug-fix/PL-479-x", [CONTACTS]
    opened = MergeRequestOpened(
        repository=CONTACTS, project_id=2, iid=1, url="https://gitlab.example/mr/1", head_sha=HEAD
    )
    assert (await told(database, opened, setting, run)).decision.status is RunStatus.IN_REVIEW
    return run


def changed(action: str, state: str) -> MergeRequestChanged:
    return MergeRequestChanged(
        project_id=2,
        project=CONTACTS,
        iid=1,
        action=action,
        state=state,
        source_branch="bug-fix/PL-479-x",
        head_sha=HEAD,
        actor_id=3,
        actor="mara",
        at=None,
    )


def own(status: str, *, pipeline: int = 500, ref: str = "bug-fix/PL-479-x", project_id: int = 2) -> PipelineChanged:
    return PipelineChanged(
        project_id=project_id,
        project=CONTACTS,
        pipeline=PipelineId(pipeline),
        status=status,
        source="push",
        parent=None,
        url="",
        ref=ref,
        sha=HEAD,
        created_at=None,
        finished_at=None,
    )


async def answers(database: Database, moment: str) -> dict[str, str]:
    async with database.begin() as session:
        rows = await session.scalars(select(IndicatorRow).where(IndicatorRow.moment == moment))
        return {row.name: row.answer for row in rows}


async def test_the_indicators_are_kept_at_review_and_again_at_the_end(
    database: Database, setting: Setting, reviewed: RunId, clock: Any
) -> None:
    at_review = {
        "all_tests_pass": "unknown",
        "coverage_kept": "unknown",
        "merge_request_linked": "unknown",
        "documentation_updated": "unknown",
        "no_intervention": "unknown",
    }
    assert (await answers(database, "in_review"), await answers(database, "end")) == (at_review, {})
    clock.pass_(timedelta(hours=1))
    linked = update(EffectRow).where(EffectRow.run_id == reviewed, EffectRow.kind == "LinkTicket")
    async with database.begin() as session:
        await session.execute(linked.values(state="done"))
        await stored_indicators.keep(session, await runs.hold(session, reviewed), now=clock())
    assert await answers(database, "in_review") == at_review | {"merge_request_linked": "yes"}
    await told(database, changed("merge", "merged"), setting)
    ended = at_review | {"merge_request_linked": "yes", "no_intervention": "yes"}
    assert await answers(database, "end") == ended
    async with database.begin() as session:
        story = await stories.story(session, await runs.find(session, reviewed))
    assert {one.name.value: one.answer.value for one in story.indicators} == ended


async def test_a_run_that_works_is_not_judged(database: Database, setting: Setting) -> None:
    asked = StartRequested(issue_key=IssueKey("PL-480"), actor_name="an operator")
    run = (await told(database, asked, setting)).run
    assert run is not None
    async with database.begin() as session:
        await stored_indicators.keep(session, await runs.hold(session, run), now=setting.clock())
        assert list(await session.scalars(select(IndicatorRow))) == []


@pytest.mark.parametrize("ref", ["bug-fix/PL-479-x", "refs/merge-requests/1/head", "refs/merge-requests/1/merge"])
async def test_what_the_repositorys_own_ci_says_is_kept_whatever_order_it_comes_in(
    database: Database, setting: Setting, reviewed: RunId, ref: str
) -> None:
    for status, verdict in (("pending", Verdict.NOTED), ("success", Verdict.ACTED), ("running", Verdict.NOTED)):
        answer = await told(database, own(status, ref=ref), setting)
        assert (answer.run, answer.decision.verdict) == (reviewed, verdict)
    async with database.begin() as session:
        (row,) = await session.scalars(select(TargetPipelineRow))
        assert (row.status, row.sha, row.source, row.finished_at is not None) == ("success", HEAD, "push", True)
        story = await stories.story(session, await runs.find(session, reviewed))
    assert [(one.repository, one.status) for one in story.target_pipelines] == [(CONTACTS, "success")]
    assert story.pipelines == ()


@pytest.mark.usefixtures("reviewed")
@pytest.mark.parametrize(
    "event",
    [own("success", ref="main"), own("success", ref=""), own("success", project_id=9), own("success", ref="refs/x")],
)
async def test_a_pipeline_of_another_branch_or_project_is_nothing_of_ours(
    database: Database, setting: Setting, event: PipelineChanged
) -> None:
    answer = await told(database, event, setting)
    assert (answer.run, answer.decision.verdict) == (None, Verdict.IGNORED)


@pytest.mark.usefixtures("reviewed")
async def test_the_commit_that_merging_made_is_kept_whatever_is_told_after_it(
    database: Database, setting: Setting
) -> None:
    await told(database, replace(changed("merge", "merged"), merge_commit_sha="d" * 40), setting)
    await told(database, changed("update", "merged"), setting)
    async with database.begin() as session:
        (row,) = await session.scalars(select(MergeRequestRow))
        assert (row.state, row.merge_commit_sha, row.head_sha) == ("merged", "d" * 40, HEAD)


@pytest.mark.usefixtures("reviewed")
async def test_approvals_and_merges_are_kept_with_who_did_it(database: Database, setting: Setting) -> None:
    for action, state in (("approved", "opened"), ("unapproved", "opened"), ("merge", "merged")):
        await told(database, changed(action, state), setting)
    async with database.begin() as session:
        rows = await session.scalars(select(MergeRequestEventRow).order_by(MergeRequestEventRow.id))
        assert [(row.action, row.actor, row.head_sha) for row in rows] == [
            ("approved", "mara", HEAD),
            ("unapproved", "mara", HEAD),
            ("merge", "mara", HEAD),
        ]
