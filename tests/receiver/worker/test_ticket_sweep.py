"""Labels of which no hook told are found by searching, once each, in a bounded number of requests."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from pipelines.language import IssueKey
from receiver import limits
from receiver.outbound.effects.desk import Desk
from receiver.outbound.jira import label_search
from receiver.outbound.jira.label_search import LabelPage, LabelSet
from receiver.store.postgres.database import Database
from receiver.store.postgres.retention import Retention
from receiver.store.schema import EffectRow, RunRow
from receiver.worker.effect_task import Workshop
from receiver.worker.event_handler import Setting, handle
from receiver.worker.searches import search
from receiver.worker.ticket_sweep import TICKETS
from receiver.workflow.events.ticket_events import IssueLabelled
from receiver.workflow.person import AccountId

pytestmark = [pytest.mark.integration, pytest.mark.anyio]


class Searched:
    """A Jira that keeps labels and answers searches for them, a page at a time."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.labels: dict[IssueKey, LabelSet] = {}
        self.changes: dict[IssueKey, datetime] = {}
        """When tickets were changed after they were labelled."""
        self.most = limits.LABEL_PAGE
        """Tickets of one answer, whatever is asked for."""
        self.windows: list[int] = []
        """Minutes of each request."""

    def set(self, number: int, *, ago: timedelta, actor: str = "mara") -> IssueLabelled:
        key = IssueKey(f"PL-{number}")
        account = AccountId(actor)
        at = self.clock() - ago
        self.labels[key] = LabelSet(issue_key=key, actor=account, actor_name="Mara", at=at)
        return IssueLabelled(issue_key=key, actor=account, actor_name="Mara", at=at + timedelta(seconds=2))

    def labelled(
        self, _project: str, _label: str, *, minutes: int, start: int = 0, token: str | None = None
    ) -> LabelPage:
        assert token is None
        self.windows.append(minutes)
        since = self.clock() - timedelta(minutes=minutes)
        found = sorted((one for one in self.labels.values() if one.at >= since), key=lambda one: one.at)
        page = tuple(found[start : start + min(self.most, limits.LABEL_PAGE)])
        changed = tuple((one.issue_key, max(one.at, self.changes.get(one.issue_key, one.at))) for one in page)
        return LabelPage(found=page, changed=changed, token=None, is_last=start + len(page) >= len(found))


class Sweeping:
    """Workers' searches on a real Postgres, at their times."""

    def __init__(self, database: Database, setting: Setting, clock: Any) -> None:
        self.clock = clock
        self.jira = Searched(setting.clock)
        days = timedelta(days=30)
        desk = Desk(**dict.fromkeys(Desk.__struct_fields__) | {"database": database, "jira": self.jira})
        self.workshop = Workshop(
            database=database, desk=desk, setting=setting, retention=Retention(deliveries=days, transcripts=days)
        )

    async def search(self) -> int:
        """Search when it is time to."""
        self.clock.pass_(timedelta(seconds=limits.POLL_EVERY_S))
        return await search(self.workshop, TICKETS)

    async def end_run(self) -> None:
        async with self.workshop.database.begin() as session:
            row = await session.scalar(select(RunRow).where(RunRow.finished_at.is_(None)))
            assert row is not None
            row.status, row.finished_at, row.deadline = "declined", self.clock.now, None

    async def polled(self) -> int:
        async with self.workshop.database.begin() as session:
            wanted = select(EffectRow.id).where(EffectRow.kind == "PollTicket")
            return len(list(await session.scalars(wanted)))

    async def hear(self, event: IssueLabelled) -> None:
        async with self.workshop.database.begin() as session:
            await handle(session, event, setting=self.workshop.setting)

    async def runs(self) -> list[tuple[str, str | None]]:
        async with self.workshop.database.begin() as session:
            return [
                (row.issue_key, row.actor) for row in await session.scalars(select(RunRow).order_by(RunRow.issue_key))
            ]


@pytest.fixture
def sweeping(database: Database, setting: Setting, clock: Any) -> Sweeping:
    return Sweeping(database, setting, clock)


async def test_a_label_of_which_no_hook_told_starts_a_run_of_whoever_set_it_and_is_found_once(
    sweeping: Sweeping,
) -> None:
    sweeping.jira.set(7, ago=timedelta(minutes=3), actor="dana")
    assert [await sweeping.search() for _ in range(3)] == [1, 0, 0]
    assert await sweeping.runs() == [("PL-7", "dana")]


async def test_a_label_that_is_young_is_left_to_its_hook_and_found_within_two_searches_when_that_is_lost(
    sweeping: Sweeping,
) -> None:
    sweeping.jira.set(7, ago=timedelta(seconds=1 - limits.POLL_EVERY_S))
    assert [await sweeping.search() for _ in range(3)] == [0, 1, 0]


async def test_at_its_pace_the_search_finds_a_lost_label_within_90_seconds(sweeping: Sweeping, clock: Any) -> None:
    sweeping.jira.set(7, ago=timedelta(seconds=-1))  # a moment after a search
    found = []
    for _ in range(3):
        clock.pass_(timedelta(seconds=TICKETS.every_s))
        found.append(await search(sweeping.workshop, TICKETS))
    assert found == [0, 1, 0]


async def test_a_label_that_a_hook_told_of_is_not_told_again_and_one_that_was_set_anew_is(
    sweeping: Sweeping, clock: Any
) -> None:
    await sweeping.hear(sweeping.jira.set(7, ago=timedelta(seconds=1)))
    clock.pass_(timedelta(hours=1))
    assert await sweeping.search() == 0
    await sweeping.end_run()
    sweeping.jira.set(7, ago=timedelta(minutes=5))
    assert await sweeping.search() == 1
    assert await sweeping.runs() == [("PL-7", "mara")] * 2


async def test_a_label_set_anew_is_found_though_the_one_before_was_heard_a_minute_ago(
    sweeping: Sweeping, clock: Any
) -> None:
    await sweeping.hear(sweeping.jira.set(7, ago=timedelta()))
    await sweeping.end_run()
    clock.pass_(timedelta(minutes=1))
    sweeping.jira.set(7, ago=timedelta())
    assert [await sweeping.search() for _ in range(3)] == [1, 0, 0]


@pytest.mark.parametrize("ended", [True, False], ids=["has ended", "is at work"])
async def test_a_hook_that_is_late_starts_no_second_run_when_the_one_that_the_search_began(
    sweeping: Sweeping,
    clock: Any,
    ended: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    late = sweeping.jira.set(7, ago=timedelta(minutes=3))
    assert await sweeping.search() == 1
    if ended:
        await sweeping.end_run()
    clock.pass_(timedelta(hours=5))
    await sweeping.hear(late)
    assert len(await sweeping.runs()) == 1
    clock.pass_(timedelta(minutes=1))
    await sweeping.hear(sweeping.jira.set(7, ago=timedelta()))
    assert len(await sweeping.runs()) == 1 + ended


async def test_a_label_that_was_set_before_the_one_which_began_a_run_starts_nothing_when_it_is_told_at_last(
    sweeping: Sweeping,
) -> None:
    first = sweeping.jira.set(7, ago=timedelta(hours=2))
    await sweeping.hear(sweeping.jira.set(7, ago=timedelta(hours=1)))
    await sweeping.end_run()
    await sweeping.hear(first)
    assert len(await sweeping.runs()) == 1


async def test_a_time_of_the_future_hides_no_later_label(sweeping: Sweeping, clock: Any) -> None:
    await sweeping.hear(sweeping.jira.set(7, ago=-timedelta(days=400)))
    await sweeping.end_run()
    clock.pass_(timedelta(hours=1))
    await sweeping.hear(sweeping.jira.set(7, ago=timedelta()))
    assert len(await sweeping.runs()) == 2


async def test_a_worker_goes_on_where_the_others_searched_and_leaves_out_what_one_just_did(
    sweeping: Sweeping, clock: Any
) -> None:
    await sweeping.search()
    assert await search(sweeping.workshop, TICKETS) == 0
    clock.pass_(timedelta(days=1))
    sweeping.jira.set(7, ago=timedelta(hours=23))
    assert await sweeping.search() == 1
    week, day = sweeping.jira.windows
    assert week > timedelta(days=7) / timedelta(minutes=1)
    assert timedelta(days=1) / timedelta(minutes=1) < day < timedelta(days=1.1) / timedelta(minutes=1)


async def test_the_ticket_of_a_run_is_looked_at_once_for_each_change(sweeping: Sweeping, clock: Any) -> None:
    sweeping.jira.set(8, ago=timedelta())
    await sweeping.hear(sweeping.jira.set(7, ago=timedelta()))
    async with sweeping.workshop.database.begin() as session:
        (row,) = await session.scalars(select(RunRow))
        row.status = "running"
    polled = []
    for minutes in (0, 0, 3, 0):
        if minutes:
            sweeping.jira.changes[IssueKey("PL-7")] = clock.now
        clock.pass_(timedelta(minutes=minutes))
        await sweeping.search()
        polled.append(await sweeping.polled())
    assert polled == [1, 1, 2, 2]


async def test_30_percent_of_hooks_lost_are_found_with_one_request_a_search_and_every_ticket_has_one_run(
    sweeping: Sweeping, clock: Any
) -> None:
    for number in range(40):
        event = sweeping.jira.set(number, ago=timedelta())
        if number % 10 >= 3:
            await sweeping.hear(event)
        if number % 4 == 3:
            await sweeping.search()
    clock.pass_(limits.HOOK_ON_ITS_WAY)
    await sweeping.search()
    assert len(await sweeping.runs()) == len(set(await sweeping.runs())) == 40
    assert len(sweeping.jira.windows) == 11
    assert sweeping.jira.windows[0] > timedelta(days=7) / timedelta(minutes=1)
    assert max(sweeping.jira.windows[1:]) <= 15


async def test_a_search_is_bounded_and_the_next_one_goes_on_where_it_ended(
    sweeping: Sweeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LABEL_PAGE", 2)
    monkeypatch.setattr(limits, "LABEL_PAGES", 2)
    monkeypatch.setattr(limits, "LABELS_OVERLAP", timedelta(seconds=1))
    for number in range(6):
        sweeping.jira.set(number, ago=timedelta(hours=6 - number))
    assert [await sweeping.search() for _ in range(3)] == [4, 2, 0]
    assert len(sweeping.jira.windows) == 2 + 2 + 1


async def test_of_a_jira_that_gives_fewer_tickets_than_it_is_asked_for_every_page_is_read(sweeping: Sweeping) -> None:
    sweeping.jira.most = 2
    for number in range(5):
        sweeping.jira.set(number, ago=timedelta(hours=6 - number))
    assert [await sweeping.search() for _ in range(2)] == [5, 0]


async def test_tickets_that_were_changed_all_at_once_are_found_in_several_searches(
    sweeping: Sweeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LABEL_PAGE", 2)
    monkeypatch.setattr(limits, "LABEL_PAGES", 2)
    for number in range(10):
        sweeping.jira.set(number, ago=timedelta(hours=1, milliseconds=-number))
    assert [await sweeping.search() for _ in range(4)] == [4, 4, 2, 0]


async def test_labels_that_were_too_young_in_a_search_that_was_full_are_found_later(
    sweeping: Sweeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LABEL_PAGE", 2)
    monkeypatch.setattr(limits, "LABEL_PAGES", 2)
    await sweeping.search()
    for number in range(6):
        sweeping.jira.set(number, ago=timedelta(seconds=-110, milliseconds=-number))
    found = [await sweeping.search() for _ in range(5)]
    assert (found[0], sum(found)) == (0, 6)


async def test_jira_itself_answers_the_search_with_who_set_the_label(desk: Desk, world: Any) -> None:
    page = desk.jira.labelled("PL", "bug-fix", minutes=60)
    (one,) = page.found
    assert ([key for key, _ in page.changed], page.token, page.is_last) == (["PL-479"], None, True)
    history = world.as_person("mara", "GET", "?expand=changelog&fields=labels")["changelog"]["histories"]
    people = [entry["author"]["accountId"] for entry in history if entry["items"][0]["field"] == "labels"]
    assert one.actor in people or not people
    assert desk.jira.labelled("PL", "no-such-label", minutes=60).found == ()


def answer(*entries: dict[str, Any], labels: tuple[str, ...] = ("bug-fix",), total: int | None = None) -> Any:
    fields = {
        "created": "2026-11-16T08:00:00.000+0000",
        "updated": "2026-11-16T14:05:00.000+0000",
        "labels": list(labels),
        "creator": {"accountId": "creator", "displayName": "Cora"},
    }
    log = {"histories": list(entries), "total": len(entries) if total is None else total}
    return {"issues": [{"key": "PL-1", "fields": fields, "changelog": log}], "isLast": True}


def entry(who: str, hour: int, before: str, after: str) -> dict[str, Any]:
    item = {"field": "labels", "fromString": before, "toString": after}
    return {"created": f"2026-11-16T{hour:02}:00:00.000+0000", "author": {"accountId": who}, "items": [item]}


@pytest.mark.parametrize(
    ("body", "who"),
    [
        (answer(entry("mara", 9, "", "bug-fix"), entry("dana", 11, "old", "bug-fix old")), ["dana"]),
        (answer(entry("dana", 11, "old", "bug-fix old"), entry("mara", 9, "", "bug-fix")), ["dana"]),
        (answer(entry("mara", 9, "bug-fix", "bug-fix two")), ["creator"]),
        (answer(entry("mara", 9, "bug-fixes", "bug-fixes bug-fix")), ["mara"]),
        (answer(), ["creator"]),
        (answer(total=120), []),
        (answer(labels=("other",)), []),
        ({"issues": []}, []),
    ],
    ids=["last", "any order", "at creation", "whole label", "no history", "history cut off", "removed", "none"],
)
def test_the_changelog_says_who_set_the_label_last(body: Any, who: list[str]) -> None:
    assert [one.actor for one in label_search.page(body, label="bug-fix").found] == who


@pytest.mark.parametrize(
    ("told", "is_last"),
    [
        ({"startAt": 0, "total": 3}, False),
        ({"startAt": 2, "total": 3}, True),
        ({"startAt": 3, "total": 9, "issues": []}, True),
        ({"nextPageToken": "abc"}, False),
        ({}, True),
    ],
)
def test_the_last_page_is_told_by_the_total_or_by_no_token(told: dict[str, Any], *, is_last: bool) -> None:
    assert label_search.page(answer() | told, label="bug-fix").is_last is is_last


def test_the_changelog_says_who_moved_a_label_last_and_which_way() -> None:
    nobody = {"created": "2026-11-16T12:00:00.000+0000", "items": entry("", 9, "bug-fix", "")["items"]}
    history = [
        entry("mara", 9, "", "bug-fix bug-fix-hold"),
        entry("dana", 11, "bug-fix bug-fix-hold", "bug-fix"),
        entry("tomas", 10, "old", "bug-fix-holder"),
        nobody,
    ]
    (issue,) = answer(*history)["issues"]
    moves = label_search.last_moves(issue, ("bug-fix", "bug-fix-hold", "other"))
    assert {label: (one.is_set, one.actor) for label, one in moves.items()} == {
        "bug-fix-hold": (False, "dana"),
        "bug-fix": (False, ""),
    }
