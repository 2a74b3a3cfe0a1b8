"""Decide what follows from statuses: a pipeline's status, and what a waiting job does next. Pure.

Sources: lib/gitlab/ci/status/composite.rb, app/services/ci/process_build_service.rb and
app/services/ci/pipeline_processing/atomic_processing_service.rb of GitLab.
"""

from collections.abc import Iterable, Sequence
from enum import Enum

from sandbox.ci.configuration.definition import Strategy, When
from sandbox.ci.records import COMPLETED, Job, Status


class Next(Enum):
    """What becomes of a job in state `created`."""

    WAIT = "wait"
    SKIP = "skip"
    ENQUEUE = "enqueue"
    SCHEDULE = "schedule"
    ASK = "ask"
    """Becomes manual."""


_WARNINGS = "success_with_warnings"
_IGNORED = "ignored"
_FINE = {"success", "skipped", _WARNINGS, _IGNORED}
_ONLY: Sequence[tuple[set[str], Status]] = (
    ({"skipped", _IGNORED}, Status.SKIPPED),
    (_FINE, Status.SUCCESS),
    ({"created", _WARNINGS, _IGNORED}, Status.CREATED),
    ({"canceled", *_FINE}, Status.CANCELED),
    ({"pending", "created", "skipped", _WARNINGS, _IGNORED}, Status.PENDING),
)
"""The first whose set holds all that there is."""
_ANY: Sequence[tuple[set[str], Status]] = (
    ({"running", "pending"}, Status.RUNNING),
    ({"waiting_for_resource"}, Status.WAITING_FOR_RESOURCE),
    ({"manual"}, Status.MANUAL),
    ({"scheduled"}, Status.SCHEDULED),
    ({"created"}, Status.RUNNING),
    ({"canceling"}, Status.CANCELING),
)
"""Then the first of which there is any; failed where none is."""
_RUNS_AFTER = {
    When.ON_SUCCESS: {Status.SUCCESS, Status.SKIPPED},
    When.MANUAL: {Status.SUCCESS, Status.SKIPPED},
    When.DELAYED: {Status.SUCCESS, Status.SKIPPED},
    When.ON_FAILURE: {Status.FAILED},
    When.ALWAYS: {Status.SUCCESS, Status.FAILED, Status.SKIPPED},
}
_DEPENDS = {
    Status.SUCCESS: Status.SUCCESS,
    Status.CANCELED: Status.CANCELED,
    Status.FAILED: Status.FAILED,
    Status.SKIPPED: Status.FAILED,
}
"""What a trigger job with `strategy: depend` becomes; anything else of its child leaves it running."""


def seen(status: Status, *, allow_failure: bool) -> str:
    """Give how a job's status counts where others depend on it."""
    if allow_failure and status in {Status.FAILED, Status.CANCELED}:
        return _WARNINGS
    return _IGNORED if allow_failure and status is Status.MANUAL else status.value


def composite(statuses: Iterable[tuple[Status, bool]], *, dag: bool = False) -> Status | None:
    """Give the status of several jobs, each with its `allow_failure`; None for no jobs."""
    present = {seen(status, allow_failure=allowed) for status, allowed in statuses}
    if not present:
        return None
    if dag and present & {"skipped", _IGNORED}:
        return Status.SKIPPED
    for names, status in _ONLY:
        if present <= names:
            return status
    return next((status for names, status in _ANY if present & names), Status.FAILED)


def of(jobs: Iterable[Job], *, dag: bool = False) -> Status | None:
    """Give the status of these jobs."""
    return composite(((job.status, job.allow_failure) for job in jobs), dag=dag)


def has_warnings(jobs: Iterable[Job]) -> bool:
    """Tell whether a job that may fail has failed."""
    return any(seen(job.status, allow_failure=job.allow_failure) == _WARNINGS for job in jobs)


def following(job: Job, latest: Sequence[Job]) -> Next:
    """Decide what a created job does now."""
    needs = job.definition.needs
    if needs is None:
        before = [one for one in latest if one.definition.stage_index < job.definition.stage_index]
    else:
        names = {need.job for need in needs}
        before = [one for one in latest if one.name in names]
    previous = of(before, dag=needs is not None) or Status.SUCCESS
    if previous not in COMPLETED:
        return Next.WAIT
    when = job.definition.when
    runs_after = _RUNS_AFTER[when] - ({Status.SKIPPED} if needs is not None and when is not When.ALWAYS else set())
    if previous not in runs_after:
        return Next.SKIP
    return {When.MANUAL: Next.ASK, When.DELAYED: Next.SCHEDULE}.get(when, Next.ENQUEUE)


def of_trigger(strategy: Strategy | None, child: Status) -> Status:
    """Give the status of a trigger job whose child pipeline has this status."""
    match strategy:
        case None:
            return Status.SUCCESS
        case Strategy.MIRROR:
            return child
        case Strategy.DEPEND:
            return _DEPENDS.get(child, Status.RUNNING)


def processing_order(jobs: Sequence[Job]) -> list[Job]:
    """Order jobs so that each comes after those it depends on: by stage, within a stage by needs."""
    done: list[Job] = []
    waiting = sorted(jobs, key=lambda job: (job.definition.stage_index, job.id))
    while waiting:
        names = {job.name for job in waiting}
        ready = [
            job for job in waiting if not names & {need.job for need in job.definition.needs or ()} - {job.name}
        ] or waiting
        done.append(ready[0])
        waiting.remove(ready[0])
    return done
