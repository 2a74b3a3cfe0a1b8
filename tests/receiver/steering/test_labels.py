"""Labels that steer a run at work, by whoever may give the command of the same meaning."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text

from receiver import limits
from receiver.store.effects import outbox
from receiver.store.run import overdue
from receiver.store.schema import DecisionRow, RunRow
from receiver.workflow.effects import PollTicket
from receiver.workflow.end_codes import EndCode
from receiver.workflow.events.ticket_events import LabelChange
from receiver.workflow.run import Decision, RunStatus
from tests.receiver.steering.conftest import Steered

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

START, HOLD = "bug-fix", "bug-fix-hold"


async def let(steered: Steered, status: RunStatus) -> None:
    """Let the run be at work, before its merge request."""
    async with steered.workshop.database.begin() as session:
        await session.execute(text("DELETE FROM merge_requests"))
        row = await session.get_one(RunRow, steered.run)
        row.status, row.status_at = status, steered.workshop.setting.clock()


async def label(steered: Steered, who: str, before: set[str], after: set[str]) -> Decision:
    """Let somebody change the ticket's labels, and handle the hook of that."""
    world = steered.world
    world.as_person(who, "PUT", "", {"update": {"labels": [{"set": sorted(after)}]}})
    account = world.as_person(who, "POST", "/comment", {"body": "I changed a label."})["author"]
    change = {"field": "labels", "fromString": " ".join(sorted(before)), "toString": " ".join(sorted(after))}
    body: dict[str, Any] = {
        "webhookEvent": "jira:issue_updated",
        "issue": {"key": "PL-479"},
        "user": account,
        "changelog": {"items": [change]},
        "timestamp": int(steered.workshop.setting.clock().timestamp() * 1000),
    }
    return await steered.jira_hook(json.dumps(body).encode())


async def test_the_hold_label_pauses_and_taking_it_off_resumes(steered: Steered) -> None:
    await let(steered, RunStatus.RUNNING)
    await label(steered, "mara", {START}, {START, HOLD})
    await steered.settle()
    row = await steered.row()
    assert (row.status, row.paused_from) == ("paused", "running")
    await label(steered, "mara", {START, HOLD}, {START})
    await steered.settle()
    row = await steered.row()
    assert (row.status, row.iteration, row.paused_from) == ("starting", 2, None)


async def test_who_may_not_pause_changes_nothing_by_a_label_and_is_told(steered: Steered, world: Any) -> None:
    await let(steered, RunStatus.RUNNING)
    await label(steered, "dana", {START}, {START, HOLD})
    await steered.settle()
    assert (await steered.row()).status == "running"
    assert "the label changes nothing" in world.comments()[-1]["body"]


async def test_the_start_label_taken_off_cancels_after_a_minute(steered: Steered) -> None:
    await let(steered, RunStatus.RUNNING)
    await label(steered, "mara", {START}, set())
    (wanted,) = await steered.effects("CheckLabel")
    assert wanted.due_at - wanted.created_at == limits.LABEL_TAKEN_OFF
    await steered.settle()  # as if the minute had passed
    row = await steered.row()
    assert row.status == "cancelled"
    assert "Mara Lindqvist cancelled" in row.reason


async def test_the_reporter_alone_cancels_nothing_by_taking_the_label_off(steered: Steered) -> None:
    await let(steered, RunStatus.RUNNING)
    await label(steered, "dana", {START}, set())
    await steered.settle()
    assert (await steered.row()).status == "running"


async def test_the_start_label_set_again_within_a_minute_is_another_attempt(steered: Steered) -> None:
    await let(steered, RunStatus.RUNNING)
    await label(steered, "mara", {START}, set())
    decision = await label(steered, "mara", set(), {START})
    assert "set the start label again" in decision.reason
    await steered.settle()
    row = await steered.row()
    assert (row.status, row.iteration) == ("starting", 2)


async def test_the_start_label_set_again_later_means_what_it_always_did(steered: Steered) -> None:
    await let(steered, RunStatus.RUNNING)
    async with steered.workshop.database.begin() as session:
        row = await session.get_one(RunRow, steered.run)
        row.unlabelled_at = steered.workshop.setting.clock() - limits.LABEL_TAKEN_OFF - timedelta(seconds=1)
    decision = await label(steered, "mara", set(), {START})
    assert "is already at work" in decision.reason


async def test_once_the_merge_request_is_open_the_label_may_go(steered: Steered) -> None:
    decision = await label(steered, "mara", {START}, set())
    assert decision.effects == ()
    assert (await steered.row()).status == "in_review"


def relabel(steered: Steered, who: str, after: set[str]) -> None:
    """Let somebody change the ticket's labels; no hook tells of it."""
    steered.world.as_person(who, "PUT", "", {"update": {"labels": [{"set": sorted(after)}]}})


async def poll(steered: Steered) -> list[LabelChange]:
    """Look at the ticket as the sweep has it looked at; return which labels that told of."""
    now = steered.workshop.setting.clock()
    async with steered.workshop.database.begin() as session:
        await outbox.store(session, steered.run, (PollTicket(),), decision=None, origin=f"t:{now}", now=now)
        before = await session.scalar(select(func.max(DecisionRow.id))) or 0
    await steered.settle()
    async with steered.workshop.database.begin() as session:
        told = select(DecisionRow.event["change"].astext).where(DecisionRow.event_kind == "LabelChanged")
        return [LabelChange(one) for one in await session.scalars(told.where(DecisionRow.id > before))]


async def test_labels_of_which_no_hook_told_do_what_their_hooks_would_have_done(steered: Steered) -> None:
    await let(steered, RunStatus.RUNNING)
    relabel(steered, "mara", {START, HOLD})
    assert await poll(steered) == [LabelChange.HELD]
    row = await steered.row()
    assert (row.status, row.is_held) == ("paused", True)
    assert await poll(steered) == []
    relabel(steered, "mara", {START})
    assert await poll(steered) == [LabelChange.RELEASED]
    row = await steered.row()
    assert (row.status, row.is_held) == ("starting", False)
    relabel(steered, "mara", set())
    assert await poll(steered) == [LabelChange.REMOVED]
    assert (await steered.row()).status == "cancelled"
    assert await poll(steered) == []


async def test_a_label_that_a_hook_told_of_is_not_told_again_nor_its_author(steered: Steered, world: Any) -> None:
    await let(steered, RunStatus.RUNNING)
    await label(steered, "dana", {START}, {START, HOLD})
    await steered.settle()
    before = len(world.comments())
    assert await poll(steered) == []
    assert len(world.comments()) == before


async def test_who_takes_a_handed_over_ticket_off_the_bot_is_not_reminded_any_more(steered: Steered) -> None:
    async with steered.workshop.database.begin() as session:
        row = await session.get_one(RunRow, steered.run)
        row.status, row.reason_code = RunStatus.ESCALATED, EndCode.HANDED_OVER
        row.finished_at = row.status_at = steered.workshop.setting.clock()
    await label(steered, "mara", {START}, set())
    await steered.settle()  # as if the minute had passed
    row = await steered.row()
    assert (row.status, row.reason_code, row.deadline) == ("closed", "by_hand", None)


async def test_the_ticket_of_a_run_that_people_got_is_still_looked_at(steered: Steered) -> None:
    now = steered.workshop.setting.clock()
    hour = timedelta(hours=1)
    async with steered.workshop.database.begin() as session:
        row = await session.get_one(RunRow, steered.run)
        row.status, row.status_at, row.finished_at = RunStatus.ESCALATED, now - 2 * hour, now - 2 * hour
        await session.flush()
        assert await overdue.unread(session, before=now - hour, ended=now - 3 * hour) == [steered.run]
        assert await overdue.unread(session, before=now - hour, ended=now - hour) == []
