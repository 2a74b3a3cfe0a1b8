"""Whose turn it is: limits, and an order that goes round between people."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pipelines.language import RunId
from pipelines.language.policy import Concurrency
from receiver.workflow import turns
from receiver.workflow.turns import Contender, RunQueue

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def contender(run: str, person: str = "mara", *, minute: int = 0, project: str = "PL") -> Contender:
    since = NOW + timedelta(minutes=minute)
    return Contender(run=RunId(run), project=project, person=person, name=person.title(), since=since)


def names(contenders: tuple[Contender, ...]) -> list[str]:
    return [one.run for one in contenders]


def test_many_labels_of_one_person_delay_another_by_one_run() -> None:
    storm = tuple(contender(f"m{n}", minute=n) for n in range(5))
    late = contender("d0", "dana", minute=60), contender("d1", "dana", minute=61)
    assert names(turns.order(RunQueue(waiting=storm + late))) == ["m0", "d0", "m1", "d1", "m2", "m3", "m4"]


def test_who_has_a_run_at_work_comes_after_who_has_none() -> None:
    queue = RunQueue(working=(contender("m0"),), waiting=(contender("m1"), contender("d0", "dana", minute=9)))
    assert names(turns.order(queue)) == ["d0", "m1"]


def test_of_two_with_as_many_at_work_the_one_comes_first_who_got_a_turn_longer_ago() -> None:
    working = (contender("m0", minute=5), contender("d0", "dana", minute=2))
    queue = RunQueue(working=working, waiting=(contender("m1", minute=-9), contender("d1", "dana", minute=8)))
    assert names(turns.order(queue)) == ["d1", "m1"]


@pytest.mark.parametrize(
    ("allowed", "expected", "reason"),
    [
        ({"all": 1}, [], "1 bug fix is at work, as many as `policy.concurrency.all` allows"),
        ({"project": 1}, ["o0"], "1 bug fix of PL is at work, as many as `policy.concurrency.project` allows"),
        ({"person": 1}, ["d0", "o0"], "1 bug fix of Mara is at work, as many as `policy.concurrency.person`"),
        ({"all": 2}, ["d0"], "others have waited longer"),
    ],
)
def test_each_limit_holds_back_what_it_counts_and_says_so(
    allowed: dict[str, int], expected: list[str], reason: str
) -> None:
    own = contender("m1", minute=3)
    queue = RunQueue(
        limits=Concurrency(**{"all": 9, "project": 9, "person": 9} | allowed),
        working=(contender("m0"),),
        waiting=(contender("d0", "dana", minute=1), contender("o0", "olu", minute=2, project="OPS")),
        own=own,
    )
    assert names(turns.next_turns(queue)) == expected
    assert not turns.may_begin(queue)
    assert reason in turns.why_waiting(queue)


def test_a_run_that_nothing_holds_back_begins_at_once_and_a_newcomer_lets_those_pass_who_were_offered_a_turn() -> None:
    newcomer = contender("d0", "dana", minute=5)
    assert turns.may_begin(RunQueue(limits=Concurrency(all=1), own=newcomer))
    waiting = (contender("m0"),)
    assert not turns.may_begin(RunQueue(limits=Concurrency(all=1), waiting=waiting, own=newcomer))


@pytest.mark.parametrize(
    ("position", "words"), [(None, ""), (1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (22, "22nd")]
)
def test_a_position_is_said_in_words(position: int | None, words: str) -> None:
    assert turns.place_in_words(position) == (f"{words} in the queue" if words else "")


people = st.sampled_from(["mara", "dana", "olu"])
contenders = st.builds(
    lambda person, minute, project: contender("", person, minute=minute, project=project),
    people,
    st.integers(0, 9),
    st.sampled_from(["PL", "OPS"]),
)


@given(
    st.lists(contenders, max_size=5),
    st.lists(contenders, max_size=8),
    st.builds(Concurrency, **dict.fromkeys(("all", "project", "person"), st.integers(1, 4))),
)
def test_turns_keep_every_limit_leave_no_room_unused_and_keep_the_order_of_a_person(
    working: list[Contender], waiting: list[Contender], limits: Concurrency
) -> None:
    queue = RunQueue(
        limits=limits,
        working=tuple(replace(one, run=RunId(f"w{n}")) for n, one in enumerate(working)),
        waiting=tuple(replace(one, run=RunId(f"q{n}")) for n, one in enumerate(waiting)),
    )
    chosen = turns.next_turns(queue)
    at_work = [*queue.working, *chosen]
    for limit, groups in (
        (limits.all, [at_work]),
        (limits.project, [[o for o in at_work if o.project == p] for p in ("PL", "OPS")]),
        (limits.person, [[o for o in at_work if o.person == p] for p in ("mara", "dana", "olu")]),
    ):
        for group in groups:
            assert len(group) <= limit or not any(one in chosen for one in group)
    left = replace(queue, working=tuple(at_work), waiting=tuple(o for o in queue.waiting if o not in chosen))
    assert turns.next_turns(left) == ()
    for person in ("mara", "dana", "olu"):
        theirs = [one for one in turns.order(queue) if one.person == person]
        assert theirs == sorted(theirs, key=lambda one: (one.since, one.run))
