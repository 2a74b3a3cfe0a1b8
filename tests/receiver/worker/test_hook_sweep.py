"""What is done about a project's hooks, round by round; `lossy` shows it with a whole GitLab."""

from datetime import timedelta
from typing import Any

import pytest

from pipelines.language import ProjectPath
from receiver import limits
from receiver.outbound.effects.desk import Desk
from receiver.outbound.errors import RefusedError, UnavailableError
from receiver.outbound.gitlab.hooks_api import SENT, FailedDelivery, Hook
from receiver.store.postgres.database import Database
from receiver.store.postgres.retention import Retention
from receiver.worker.effect_task import Workshop
from receiver.worker.event_handler import Setting
from receiver.worker.hook_sweep import HOOKS
from receiver.worker.searches import search

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

AUTOMATION, CONTACTS = ProjectPath("payk12/bug-fix"), ProjectPath("payk12/contacts")


class Kept:
    """Hooks as GitLab keeps them: one of each project, and what it failed to deliver."""

    def __init__(self) -> None:
        self.status = dict.fromkeys((AUTOMATION, CONTACTS), SENT)
        self.lists: dict[ProjectPath, list[FailedDelivery]] = {AUTOMATION: [], CONTACTS: []}
        self.resent: list[int] = []
        self.answers = True
        self.broken: dict[ProjectPath, Exception] = {}

    def of(self, project: ProjectPath, *, public_url: str) -> list[Hook]:
        assert public_url == "https://bug-fix.example.com"
        if project in self.broken:
            raise self.broken[project]
        number = [AUTOMATION, CONTACTS].index(project)
        return [Hook(project=project, id=number, status=self.status[project], tells=frozenset())]

    def enable(self, hook: Hook) -> None:
        if not self.answers:
            raise RefusedError("GitLab answered 422.")
        self.status[hook.project] = SENT

    def failed(self, hook: Hook) -> list[FailedDelivery]:
        return self.lists[hook.project]

    def resend(self, hook: Hook, delivery: FailedDelivery) -> bool:
        assert self.status[hook.project] == SENT
        self.resent.append(delivery.id)
        if not self.answers:
            again = FailedDelivery(id=max(one.id for one in self.lists[hook.project]) + 1, kind=delivery.kind)
            self.lists[hook.project] = [*self.lists[hook.project], again]
        return self.answers

    def fail(self, project: ProjectPath, *numbers: int, kind: str = "note") -> None:
        self.lists[project] = [*self.lists[project], *(FailedDelivery(id=one, kind=kind) for one in numbers)]


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
async def workshop(database: Database, setting: Setting, kept: Kept) -> Workshop:
    """Return a workshop in which the hooks were looked at before."""
    days = timedelta(days=30)
    parts = dict.fromkeys(Desk.__struct_fields__) | {"public_url": "https://bug-fix.example.com"}
    made = Workshop(
        database=database,
        desk=Desk(**parts),  # type: ignore[arg-type]  # nothing else is looked at
        setting=setting,
        retention=Retention(deliveries=days, transcripts=days),
        hooks=kept,  # type: ignore[arg-type]  # without GitLab
    )
    kept.fail(CONTACTS, 1)
    assert await search(made, HOOKS) == 0, "it failed before the first look"
    return made


async def look(workshop: Workshop, clock: Any) -> int:
    clock.pass_(timedelta(seconds=limits.POLL_EVERY_S))
    return await search(workshop, HOOKS)


async def test_what_failed_is_sent_again_once_the_oldest_first_and_five_at_a_time(
    workshop: Workshop, kept: Kept, clock: Any
) -> None:
    kept.fail(CONTACTS, 2, 3, 4, 5, 6, 7, 8)
    kept.fail(AUTOMATION, 9)
    assert [await look(workshop, clock) for _ in range(3)] == [6, 2, 0]
    assert kept.resent == [9, 2, 3, 4, 5, 6, 7, 8]
    kept.fail(CONTACTS, 10)
    assert await look(workshop, clock) == 1


async def test_what_means_nothing_to_a_run_is_not_sent_again(workshop: Workshop, kept: Kept, clock: Any) -> None:
    kept.fail(CONTACTS, 2, kind="push")
    kept.fail(CONTACTS, 3, kind="merge_request")
    assert await look(workshop, clock) == 1
    assert kept.resent == [3]


async def test_one_that_fails_again_ends_the_round_and_comes_up_behind_the_others(
    workshop: Workshop, kept: Kept, clock: Any
) -> None:
    kept.fail(CONTACTS, 2, 3)
    kept.answers = False
    assert await look(workshop, clock) == 0
    assert kept.resent == [2]
    kept.answers = True
    assert await look(workshop, clock) == 2
    assert kept.resent == [2, 3, 4], "GitLab lists the failed repetition of 2 as 4"


async def test_a_hook_that_was_switched_off_is_tested_and_only_sent_through_when_that_went_well(
    workshop: Workshop, kept: Kept, clock: Any
) -> None:
    kept.status[CONTACTS] = "disabled"
    kept.fail(CONTACTS, 2)
    kept.answers = False
    assert await look(workshop, clock) == 0
    assert (kept.resent, kept.status[CONTACTS]) == ([], "disabled")
    kept.answers = True
    assert await look(workshop, clock) == 1
    assert kept.status[CONTACTS] == SENT


@pytest.mark.parametrize("error", [RefusedError("GitLab answered 403."), UnavailableError("GitLab answered 429.")])
async def test_a_project_whose_hooks_can_not_be_mended_hides_no_other(
    workshop: Workshop, kept: Kept, clock: Any, error: Exception
) -> None:
    kept.broken[AUTOMATION] = error
    kept.fail(CONTACTS, 2)
    assert await look(workshop, clock) == 1
