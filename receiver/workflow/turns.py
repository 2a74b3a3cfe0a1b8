"""Decide whose turn it is: how many runs may have a pipeline at once, and in which order the others follow. Pure.

`policy.concurrency` caps them in all, per Jira project and per person. The order goes round between people: a run's
rank is how many runs its person has at work, and queued before it. Of equal ranks the person comes first who got a turn
longest ago, then the run that waits longest; so many labels of one person delay nobody else by more than one run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from pipelines.language import RunId
from pipelines.language.policy import Concurrency


class Contender(Struct, frozen=True, kw_only=True):
    """A run that has a pipeline at work, or wants one."""

    run: RunId
    project: str
    """Key of its ticket's Jira project."""
    person: str
    """Who set the label: the Jira account, or the operator's name."""
    name: str = ""
    """The person's, for people."""
    since: datetime
    """When it got its pipeline, or began to wait."""


class RunQueue(Struct, frozen=True, kw_only=True):
    """All that is known of other runs when one may begin, as it is under the lock that admits runs."""

    limits: Concurrency = Concurrency()
    working: tuple[Contender, ...] = ()
    """Runs that have a pipeline, without the one that is decided on."""
    waiting: tuple[Contender, ...] = ()
    """Runs in the queue, in any order; the one that is decided on only if it waits already."""
    own: Contender | None = None
    """The run that is decided on; None: nothing limits it."""


EMPTY_QUEUE: Final = RunQueue()
"""Nobody else wants anything."""


NEVER: Final = datetime.min.replace(tzinfo=UTC)
"""When somebody got a turn who has none."""


def joined(queue: RunQueue) -> RunQueue:
    """Return the queue with the run that is decided on in it."""
    own = queue.own
    if own is None or any(one.run == own.run for one in queue.waiting):
        return queue
    return replace(queue, waiting=(*queue.waiting, own))


def order(queue: RunQueue) -> tuple[Contender, ...]:
    """Return the waiting runs in the order of their turns."""
    before = Counter(one.person for one in queue.working)
    latest: dict[str, datetime] = {}
    for one in queue.working:
        latest[one.person] = max(latest.get(one.person, one.since), one.since)
    ranked = []
    for one in sorted(queue.waiting, key=lambda waiting: (waiting.since, waiting.run)):
        ranked.append((before[one.person], latest.get(one.person, NEVER), one.since, one.run, one))
        before[one.person] += 1
    return tuple(one for *_, one in sorted(ranked, key=lambda entry: entry[:4]))


def next_turns(queue: RunQueue) -> tuple[Contender, ...]:
    """Return the waiting runs that may begin now, all together; one that a limit holds back lets others pass."""
    limits, working = queue.limits, list(queue.working)
    turns = []
    for one in order(queue):
        if not _full(one, working, limits):
            turns.append(one)
            working.append(one)
    return tuple(turns)


def may_begin(queue: RunQueue) -> bool:
    """Return whether it is the turn of the run that is decided on."""
    own = queue.own
    return own is None or any(one.run == own.run for one in next_turns(joined(queue)))


def why_waiting(queue: RunQueue) -> str:
    """Return why the run that is decided on has to wait, a sentence for people."""
    own = queue.own
    if own is None:
        return ""
    reason = _full(own, queue.working, queue.limits)
    return f"It waits for its turn: {reason or 'others have waited longer'}."


def place_in_words(position: int | None) -> str:
    """Return `3rd in the queue`, for people; empty for a run that does not wait."""
    if position is None:
        return ""
    suffix = "th" if 10 <= position % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(position % 10, "th")
    return f"{position}{suffix} in the queue"


def _full(one: Contender, working: Iterable[Contender], limits: Concurrency) -> str:
    """Return which limit is reached for a run, a clause for people; empty: none."""
    working = tuple(working)
    of_project = sum(other.project == one.project for other in working)
    of_person = sum(other.person == one.person for other in working)
    counted = (
        (of_person, limits.person, "person", f"{_fixes(of_person)} of {one.name or 'the same person'}"),
        (of_project, limits.project, "project", f"{_fixes(of_project)} of {one.project}"),
        (len(working), limits.all, "all", _fixes(len(working))),
    )
    for count, most, key, what in counted:
        if count >= most:
            return f"{what} {'is' if count == 1 else 'are'} at work, as many as `policy.concurrency.{key}` allows"
    return ""


def _fixes(count: int) -> str:
    return f"{count} bug fix" if count == 1 else f"{count} bug fixes"
