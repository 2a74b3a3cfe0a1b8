"""With a Maintainer's token what hooks failed to deliver is told sooner than by asking, and a dead one lives again."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from receiver.workflow.run import RunStatus
from tests.receiver.worker.lossy.conftest import STEP

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

PROJECTS = 2
"""The automation project and the repository, each with a hook."""


async def taken_to_converge(service: Any, vendors: Any) -> tuple[timedelta, int]:
    """Let people act while every second hook of GitLab fails; return how long it takes, and the calls about hooks."""
    merged, to_merge = await service.requested(RunStatus.IN_REVIEW)
    closed, to_close = await service.requested(RunStatus.IN_REVIEW)
    reviewed, to_review = await service.requested(RunStatus.IN_REVIEW)
    await service.pass_(3 * STEP)  # each search was made
    vendors.treat(vendors.gitlab_url, ["fail", "send"] * 50)
    for act in (to_merge.merge, to_review.approve):
        act()
    to_close.state_event = "close"
    to_close.save()
    for said in ("Looks good.", "Thank you."):
        to_review.notes.create({"body": said})
    since = service.clock.now
    service.calls.clear()
    expected = {merged: ("merged", 1), closed: ("closed", 1), reviewed: ("in_review", 1)}
    while not (expected.items() <= (await service.statuses()).items() and await service.said(reviewed) == (2, 1, 0)):
        await service.pass_(STEP)
        assert service.clock.now - since < timedelta(minutes=10)
    vendors.treat(vendors.gitlab_url, [])
    return service.clock.now - since, service.calls["hooks"]


async def test_hooks_that_failed_and_are_sent_again_make_a_load_converge_sooner(service: Any, vendors: Any) -> None:
    alone, without = await taken_to_converge(service, vendors)
    service.workshop = replace(service.workshop, hooks=service.hooks)
    sent_again, calls = await taken_to_converge(service, vendors)
    assert sent_again <= timedelta(minutes=2) < alone
    assert without == 0
    rounds = sent_again / timedelta(minutes=1) + 1
    assert calls <= rounds * (2 * PROJECTS + 5), "of each project its hooks and what failed; five are sent again"


async def test_a_hook_that_was_switched_off_is_switched_on_and_tells_again(service: Any, vendors: Any) -> None:
    service.workshop = replace(service.workshop, hooks=service.hooks)
    run, request = await service.requested(RunStatus.IN_REVIEW)
    project = vendors.gitlab("mara")
    await service.pass_(STEP)
    vendors.treat(vendors.gitlab_url, ["fail"] * 4)
    for said in ("One.", "Two.", "Three.", "Four."):
        request.notes.create({"body": said})
    (hook,) = project.hooks.list(get_all=True)
    assert hook.alert_status == "temporarily_disabled"
    request.notes.create({"body": "Five, of which GitLab does not even try to tell."})
    await service.pass_(3 * STEP)
    (hook,) = project.hooks.list(get_all=True)
    assert (hook.alert_status, hook.disabled_until) == ("executable", None)
    assert (await service.said(run))[0] == 4
    request.notes.create({"body": "Six."})
    await service.pass_(STEP)
    assert (await service.said(run))[0] == 5
    await service.pass_(timedelta(minutes=6))
    assert (await service.said(run))[0] == 6
