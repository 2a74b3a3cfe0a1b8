"""Hooks get lost: of a mixed load 30 % are never sent and 20 % fail, and every run ends up as if all had come.

The emulated GitLab and Jira keep the worker's clock; no job runs. API calls are counted.
"""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from pipelines.language import RunId
from receiver import limits
from receiver.store.run import runs
from receiver.store.schema import (
    PipelineRow,
    RunRow,
)
from receiver.workflow.run import RunStatus

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

STEP = timedelta(seconds=30)
BOUND = timedelta(minutes=6)
"""After so long what happened to a ticket or a merge request is known without any hook (docs/lost-hooks.md)."""
PIPELINE_BOUND = timedelta(minutes=3)
"""The same for the end of a pipeline."""
CONVERGING = {"jira": 100, "gitlab": 80, "hooks": 0}
"""Calls until all of the load is known and answered, from 78 and 59 with all hooks to 90 and 70 with none."""
AT_WORK = 30
"""Calls in half an hour for a run at work of which no hook tells."""


@pytest.mark.parametrize(
    "lost",
    [
        pytest.param((0, 0), marks=pytest.mark.nightly),  # the demos; it shows that the bound counts from the hooks
        (30, 20),
        (100, 0),
    ],
    ids=["all come", "half come", "none comes"],
)
async def test_every_run_ends_up_as_if_no_hook_had_been_lost_and_within_the_bound(
    service: Any, vendors: Any, lost: tuple[int, int]
) -> None:
    asked = await service.waiting(RunStatus.NEEDS_INFORMATION, "question:1")
    planned = await service.waiting(RunStatus.AWAITING_APPROVAL, "plan:1")
    merged, to_merge = await service.requested(RunStatus.IN_REVIEW)
    closed, to_close = await service.requested(RunStatus.IN_REVIEW)
    reviewed, to_review = await service.requested(RunStatus.IN_REVIEW)
    given_up, merged_late = await service.requested(RunStatus.IN_REVIEW)
    restricted, _ = await service.requested(RunStatus.IN_REVIEW)
    await service.pass_(STEP)
    async with service.database.begin() as session:
        row = await runs.hold(session, given_up)
        row.status, row.finished_at, row.deadline = RunStatus.ESCALATED, service.clock(), None
        issues = {one.id: one.issue_key for one in await session.scalars(select(RunRow))}

    vendors.lose(*lost)
    service.calls.clear()
    labelled = vendors.ticket()
    vendors.jira("mara", "PUT", f"issue/{labelled}", {"update": {"labels": [{"add": "bug-fix"}]}})
    vendors.jira("dana", "POST", f"issue/{issues[asked]}/comment", {"body": "It is O'Brien."})
    vendors.jira("mara", "POST", f"issue/{issues[planned]}/comment", {"body": "/bug-fix approve"})
    vendors.jira("mara", "PUT", f"issue/{issues[restricted]}", {"fields": {"security": {"id": "10200"}}})
    to_merge.merge()
    merged_late.merge()
    to_close.state_event = "close"
    to_close.save()
    to_review.approve()
    change = {"action": "create", "file_path": "people.md", "content": "Better.\n"}
    commit = {"branch": f"bug-fix/{issues[reviewed]}", "commit_message": "Improve it", "actions": [change]}
    vendors.gitlab("mara").commits.create(commit)
    for said in ("Looks good.", "/bug-fix retry", "Thank you."):
        to_review.notes.create({"body": said})
    await service.pass_(BOUND, step=timedelta(minutes=1))
    begun = RunId((await service.newest(labelled)).id)
    expected = {
        begun: ("running", 1),
        asked: ("running", 2),
        planned: ("running", 2),
        merged: ("merged", 1),
        given_up: ("merged", 1),
        closed: ("closed", 1),
        reviewed: ("running", 2),
        restricted: ("escalated", 1),
    }
    assert await service.statuses() == expected
    assert await service.said(reviewed) == (3, 1, 1)
    assert {vendor for vendor, calls in service.calls.items() if calls > CONVERGING[vendor]} == set(), service.calls

    async with service.database.begin() as session:
        ours = select(PipelineRow).where(PipelineRow.run_id.in_([begun, asked]))
        for pipeline in list(await session.scalars(ours)):
            service.cancel(pipeline.id)
    await service.pass_(PIPELINE_BOUND)
    assert await service.statuses() == expected | {begun: ("cancelled", 1), asked: ("cancelled", 2)}


async def test_while_nothing_happens_few_calls_are_made(service: Any, vendors: Any) -> None:
    service.workshop = replace(service.workshop, hooks=service.hooks)
    labelled = vendors.ticket()
    vendors.jira("mara", "PUT", f"issue/{labelled}", {"update": {"labels": [{"add": "bug-fix"}]}})
    for _ in range(2):
        await service.requested(RunStatus.IN_REVIEW)
    await service.pass_(2 * BOUND, step=timedelta(seconds=limits.POLL_EVERY_S))
    assert sorted(status for status, _ in (await service.statuses()).values()) == ["in_review", "in_review", "running"]
    service.calls.clear()
    duration = timedelta(minutes=30)
    await service.pass_(duration, step=timedelta(seconds=limits.POLL_EVERY_S))
    searches = duration / timedelta(seconds=limits.POLL_EVERY_S)
    assert searches <= service.calls["jira"] <= searches + 3 * 2, "and two for the ticket of each active run"
    assert searches <= service.calls["gitlab"] <= searches + AT_WORK, "a list for the project, and the run at work"
    assert service.calls["hooks"] == 2 * 2 * searches, (
        "of each of the two projects its hooks and what they failed to tell"
    )
