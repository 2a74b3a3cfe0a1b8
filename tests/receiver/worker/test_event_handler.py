import asyncio
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select

from pipelines.language import IssueKey, ProjectPath, RunId
from pipelines.language.wire import Ticket
from receiver.store.postgres.database import Database
from receiver.store.run import runs
from receiver.store.schema import (
    DecisionRow,
    EffectRow,
    InterventionRow,
    MergeRequestRow,
    RunRow,
)
from receiver.worker.event_handler import Handled, Setting, handle
from receiver.workflow.events.event import Event
from receiver.workflow.events.merge_request_events import MergeRequestChanged
from receiver.workflow.events.pipeline_events import PipelineChanged, PipelineId, PipelineStarted
from receiver.workflow.events.ticket_events import IssueLabelled, TicketAdmitted
from receiver.workflow.person import AccountId
from receiver.workflow.run import RunStatus, Verdict

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

CONTACTS = ProjectPath("payk12/contacts")
AUTOMATION = ProjectPath("payk12/bug-fix")
LABELLED = IssueLabelled(issue_key=IssueKey("PL-479"), actor=AccountId("mara"), actor_name="Mara")
BASE = "a" * 40


async def told(database: Database, event: Event, setting: Setting, run: RunId | None = None) -> Handled:
    async with database.begin() as session:
        return await handle(session, event, setting=setting, run=run)


async def running(database: Database, setting: Setting, ticket: Ticket, *, pipeline: int = 100) -> RunId:
    run = (await told(database, LABELLED, setting)).run
    assert run is not None
    admitted = TicketAdmitted(ticket=ticket, base_shas={CONTACTS: BASE}, catalogue_sha256="0" * 64)
    await told(database, admitted, setting, run)
    started = PipelineStarted(iteration=1, project_id=1, pipeline=PipelineId(pipeline), url="https://gitlab/100")
    await told(database, started, setting, run)
    return run


def changed(pipeline: int, status: str, *, parent: int | None = None) -> PipelineChanged:
    return PipelineChanged(
        project_id=1,
        project=AUTOMATION,
        pipeline=PipelineId(pipeline),
        status=status,
        source="parent_pipeline" if parent else "api",
        parent=None if parent is None else PipelineId(parent),
        url="",
        ref="main",
        sha=BASE,
        created_at=None,
        finished_at=None,
    )


def review_of(branch: str, *, iid: int, source: int | None) -> MergeRequestChanged:
    return MergeRequestChanged(
        project_id=2,
        project=CONTACTS,
        iid=iid,
        action="open",
        state="opened",
        source_branch=branch,
        head_sha="e" * 40,
        actor_id=42,
        actor="somebody",
        at=None,
        source_project_id=source,
    )


async def one(database: Database, query: Any) -> Any:
    async with database.begin() as session:
        return await session.scalar(query)


async def test_a_label_starts_one_run_even_when_it_is_told_five_times_at_once(
    database: Database, setting: Setting
) -> None:
    answers = await asyncio.gather(*(told(database, LABELLED, setting) for _ in range(5)))
    assert sorted(answer.decision.verdict for answer in answers) == [Verdict.ACTED, *[Verdict.IGNORED] * 4]
    assert await one(database, select(func.count()).select_from(RunRow)) == 1
    assert await one(database, select(func.count()).select_from(EffectRow)) == 1


async def test_a_label_after_a_runs_end_starts_a_new_run_on_the_same_branch(
    database: Database, setting: Setting, ticket: Ticket
) -> None:
    first = await running(database, setting, ticket)
    await told(database, changed(100, "canceled"), setting)
    second = (await told(database, LABELLED, setting)).run
    assert second != first
    async with database.begin() as session:
        before, after = await session.get(RunRow, first), await session.get(RunRow, second)
        assert before is not None
        assert after is not None
        assert before.status == RunStatus.CANCELLED
        assert after.branch == before.branch == "bug-fix/PL-479-contact-creation-fails-for-names-with"


async def test_a_run_keeps_the_ticket_and_catalogue_that_it_was_started_with(
    database: Database, setting: Setting, ticket: Ticket
) -> None:
    run = await running(database, setting, ticket)
    async with database.begin() as session:
        facts = await runs.facts(session, run)
    assert facts.ticket == ticket
    assert facts.catalogue == setting.catalogue
    assert facts.base_shas == {CONTACTS: BASE}


async def test_each_decision_is_kept_with_its_reason_and_the_change_of_status(
    database: Database, setting: Setting, ticket: Ticket
) -> None:
    run = await running(database, setting, ticket)
    async with database.begin() as session:
        rows = list(
            await session.scalars(select(DecisionRow).where(DecisionRow.run_id == run).order_by(DecisionRow.id))
        )
    assert [(row.event_kind, row.status_before, row.status_after) for row in rows] == [
        ("IssueLabelled", "admitting", "admitting"),
        ("TicketAdmitted", "admitting", "starting"),
        ("PipelineStarted", "starting", "running"),
    ]
    assert all(row.reason.endswith(".") for row in rows)


async def test_a_hook_about_a_pipeline_that_is_nobodys_is_ignored_with_a_reason(
    database: Database, setting: Setting
) -> None:
    answer = await told(database, changed(5, "running"), setting)
    assert (answer.run, answer.decision.verdict) == (None, Verdict.IGNORED)


async def test_a_commit_of_a_person_on_our_branch_is_an_intervention_and_ours_is_not(
    database: Database, setting: Setting, ticket: Ticket
) -> None:
    run = await running(database, setting, ticket)
    async with database.begin() as session:
        row = await runs.hold(session, run)
        row.repositories = [CONTACTS]
        branch = row.branch
    setting = replace(setting, merge_bot=8)
    for sha, actor in (("b" * 40, setting.bot), ("c" * 40, setting.merge_bot), ("d" * 40, 42)):
        event = MergeRequestChanged(
            project_id=2,
            project=CONTACTS,
            iid=1,
            action="update",
            state="opened",
            source_branch=branch,
            head_sha=sha,
            actor_id=actor,
            actor="somebody",
            at=None,
            source_project_id=2,
        )
        await told(database, event, setting)
    async with database.begin() as session:
        found = list(await session.scalars(select(InterventionRow.detail)))
    assert [detail[:4] for detail in found] == ["dddd"]


async def test_a_hook_that_writes_the_projects_path_in_another_case_is_about_the_same_project(
    database: Database, setting: Setting, ticket: Ticket
) -> None:
    run = await running(database, setting, ticket)
    async with database.begin() as session:
        row = await runs.hold(session, run)
        row.repositories = [CONTACTS]
    hook = replace(review_of(row.branch, iid=5, source=2), project=ProjectPath(CONTACTS.title()))
    assert (await told(database, hook, setting)).run == run
    assert await one(database, select(MergeRequestRow.repository)) == CONTACTS
    other = replace(review_of(row.branch, iid=6, source=2), project_id=9, project=ProjectPath("payk12/other"))
    assert (await told(database, other, setting)).run is None


@pytest.mark.parametrize("source", [77, None])
async def test_a_merge_request_of_a_fork_with_our_branchs_name_is_nothing_of_ours(
    database: Database, setting: Setting, ticket: Ticket, source: int | None
) -> None:
    run = await running(database, setting, ticket)
    async with database.begin() as session:
        row = await runs.hold(session, run)
        row.repositories = [CONTACTS]
    answer = await told(database, review_of(row.branch, iid=5, source=source), setting)
    assert answer.run is None
    assert await one(database, select(func.count()).select_from(MergeRequestRow)) == 0


async def test_a_second_merge_request_of_our_branch_does_not_take_the_firsts_place(
    database: Database, setting: Setting, ticket: Ticket
) -> None:
    run = await running(database, setting, ticket)
    async with database.begin() as session:
        row = await runs.hold(session, run)
        row.repositories = [CONTACTS]
    for iid in (1, 2):
        await told(database, review_of(row.branch, iid=iid, source=2), setting)
    assert await one(database, select(MergeRequestRow.iid)) == 1
