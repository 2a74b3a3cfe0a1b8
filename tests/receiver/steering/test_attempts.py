"""Another attempt, a pause, more money, the repository's own pipeline: through the store and the emulated vendors."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from pipelines.language import DiagnosisKind, Phase
from pipelines.language.pipeline_key import fix
from receiver import limits
from receiver.store.jobs import sessions
from receiver.store.jobs.sessions import NewSession
from receiver.store.run import runs
from receiver.store.schema import IterationRow, RunRow
from receiver.store.story import rows
from receiver.worker.sweep import sweep
from receiver.workflow.run import RunStatus
from tests.receiver.steering.conftest import Steered

pytestmark = [pytest.mark.integration, pytest.mark.anyio]


async def let(steered: Steered, status: RunStatus) -> None:
    async with steered.workshop.database.begin() as session:
        row = await session.get_one(RunRow, steered.run)
        row.status, row.status_at = status, steered.workshop.setting.clock()
        row.finished_at = row.status_at if status is RunStatus.ESCALATED else None


async def iteration(steered: Steered, number: int) -> IterationRow:
    async with steered.workshop.database.begin() as session:
        return await session.get_one(IterationRow, (steered.run, number))


async def test_a_run_that_ended_goes_on_with_a_hint_for_the_agents(steered: Steered) -> None:
    await let(steered, RunStatus.ESCALATED)
    await steered.say("tomas", "Have a look.\n\n/bug-fix retry implementation -- use Decimal, not float")
    row = await steered.row()
    assert (row.status, row.iteration, row.finished_at, row.reason_code) == ("starting", 2, None, None)
    second = await iteration(steered, 2)
    assert second.cause == "retried"
    async with steered.workshop.database.begin() as session:
        facts = await runs.facts(session, steered.run)
    assert [(one.kind, one.messages) for one in facts.diagnoses] == [(DiagnosisKind.HINT, ("use Decimal, not float",))]
    (command,) = await steered.commands()
    assert (command.word, command.arguments, command.hint) == (
        "retry",
        ["implementation"],
        "use Decimal, not float",
    )
    assert "Tomás Ferreira wants another attempt from implementation on" in steered.answers()[-1]
    async with steered.workshop.database.begin() as session:
        story = await rows.story(session, await session.get_one(RunRow, steered.run))
    assert [(one.kind, one.actor, one.detail) for one in story.interventions] == [
        ("retry_with_hint", "Tomás Ferreira", "use Decimal, not float")
    ]
    (told,) = story.commands
    assert (told.word, told.by, told.allowed) == ("retry", "Tomás Ferreira", True)
    assert told.answer.startswith("Tomás Ferreira wants another attempt")


async def test_a_run_that_has_a_successor_is_not_tried_again(steered: Steered) -> None:
    await let(steered, RunStatus.ESCALATED)
    async with steered.workshop.database.begin() as session:
        await runs.create(
            session,
            steered.workshop.setting.new_run(),
            issue_key="PL-479",
            status=RunStatus.ADMITTING,
            actor=None,
            name="Mara",
            now=steered.workshop.setting.clock(),
        )
    await steered.say("tomas", "/bug-fix retry")
    assert (await steered.row()).status == "escalated"
    assert "has a newer bug fix" in steered.answers()[-1]


async def test_a_pause_is_no_attempt_at_a_fix_and_is_ended_by_people(steered: Steered) -> None:
    await let(steered, RunStatus.RUNNING)
    await steered.say("tomas", "/bug-fix pause")
    row = await steered.row()
    assert (row.status, row.paused_from) == ("paused", "running")
    assert (await iteration(steered, 1)).kind == "paused"
    await steered.say("tomas", "/bug-fix resume")
    row = await steered.row()
    assert (row.status, row.iteration, row.paused_from) == ("starting", 2, None)
    async with steered.workshop.database.begin() as session:
        view = await runs.load(session, await runs.hold(session, steered.run))
    assert (view.fixes_tried, view.waits) == (1, 1)


async def test_the_ticket_is_reminded_of_a_paused_run_once(steered: Steered, world: Any) -> None:
    await let(steered, RunStatus.RUNNING)
    await steered.say("tomas", "/bug-fix pause")
    async with steered.workshop.database.begin() as session:
        row = await session.get_one(RunRow, steered.run)
        row.status_at -= limits.PAUSED_REMINDER + timedelta(minutes=1)
        row.deadline = row.status_at + limits.PAUSED_REMINDER
    before = len(world.comments())
    for _ in range(2):
        await sweep(steered.workshop)
        await steered.settle()
    reminders = [one["body"] for one in world.comments()[before:] if "/bug-fix resume" in one["body"]]
    assert len([one for one in reminders if "The bug fix is paused." in one]) == 1
    assert (await steered.row()).status == "paused"


async def test_a_raised_budget_is_what_the_gateway_reserves_from_and_what_people_read(steered: Steered) -> None:
    await let(steered, RunStatus.RUNNING)
    await steered.say("mara", "/bug-fix budget +2.50")
    await steered.say("tomas", "/bug-fix budget +1")  # only maintainers may
    assert (await steered.row()).extra_usd == Decimal("2.50")
    now = steered.workshop.setting.clock()
    new = NewSession(
        token="a job's token",
        jti="1",
        run=steered.run,
        pipeline=fix(1),
        phase=Phase.ANALYSIS,
        repository=None,
        project_id=1,
        pipeline_id=2,
        job_id=77,
        created_at=now,
        expires_at=now + timedelta(hours=1),
    )
    async with steered.workshop.database.begin() as session:
        await sessions.open_once(session, new)
        story = await rows.story(session, await session.get_one(RunRow, steered.run))
    async with steered.workshop.database.direct() as connection:
        admitted = await sessions.admitted(connection, new.token, now=now)
    assert admitted is not None
    assert admitted.extra_usd == Decimal("2.50")
    assert story.costs.budget_usd == Decimal("8.50")
    assert "8.50" in steered.answers()[0]


async def hold_back(steered: Steered) -> None:
    """Let the repository's own pipeline wait for an approval."""
    async with steered.workshop.database.begin() as session:
        row = await runs.hold(session, steered.run)
        assert row.catalogue is not None
        policy = row.catalogue["policy"] | {"target_pipeline": "skip_until_approved"}
        row.catalogue = {**row.catalogue, "policy": policy}


async def test_the_own_pipeline_is_started_without_an_approval_for_the_commit_that_was_seen(
    steered: Steered, world: Any
) -> None:
    await hold_back(steered)
    await steered.say("tomas", "/bug-fix ci")
    request = world.contacts.mergerequests.get(steered.iid)
    commit = world.contacts.commits.get(request.sha)
    assert "[skip ci]" not in commit.message
    assert request.approvals.get().approved_by == []
    assert "its own pipeline is started" in steered.answers()[-1]


async def test_a_commit_that_came_after_the_note_is_not_what_was_meant(steered: Steered, world: Any) -> None:
    await hold_back(steered)
    note = steered.note("tomas", "/bug-fix ci")
    request = world.contacts.mergerequests.get(steered.iid)
    steered.as_("tomas").commits.create(
        {
            "branch": request.source_branch,
            "commit_message": "More [skip ci]",
            "actions": [{"action": "create", "file_path": "more.txt", "content": "x\n"}],
        }
    )
    await steered.hear(note)
    await steered.settle()
    assert "Another commit was pushed" in steered.answers()[-1]
    assert await steered.effects("StartTargetPipeline") == []


async def test_a_run_is_begun_by_a_comment_without_the_label(steered: Steered, world: Any) -> None:
    async with steered.workshop.database.begin() as session:
        row = await session.get_one(RunRow, steered.run)
        row.status, row.finished_at, row.deadline = "declined", steered.workshop.setting.clock(), None
    world.jira("PUT", "/rest/api/2/issue/PL-479", {"update": {"labels": [{"set": []}]}})
    await steered.hear_comment(world.say("mara", "/bug-fix start"))
    await steered.settle()
    async with steered.workshop.database.begin() as session:
        newest = await runs.newest(session, "PL-479")
    assert newest is not None
    assert (newest.id, newest.status, newest.is_commanded) == ("00000000000000cc", "starting", True)
    assert newest.actor_name == "Mara Lindqvist"


@pytest.mark.parametrize("word", ["status", "cost", "explain", "help"])
async def test_questions_are_answered_from_the_store(steered: Steered, world: Any, word: str) -> None:
    await steered.say("tomas", f"/bug-fix {word}")
    (answer,) = steered.answers()
    assert "Tomás Ferreira" in answer
    assert "/runs/" in answer or word == "help"
    await steered.hear_comment(world.say("mara", f"/bug-fix {word}"))
    await steered.settle()
    assert "Mara Lindqvist" in world.comments()[-1]["body"]
