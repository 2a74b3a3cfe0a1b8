"""What people and workflows do to running pipelines: cancel, retry, run again. Permissions are checked elsewhere."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.ci.configuration.definition import AutoCancel
from sandbox.ci.engine.machine import Machine
from sandbox.ci.records import CANCELABLE, COMPLETED, Job, Pipeline, Status


def again(machine: Machine, job: Job, *, user_id: int) -> Job:
    """Put a new job in the place of a finished one, and reopen what was skipped because of it."""
    job.retried = True
    new = machine.add_job(job.pipeline, job.definition, user_id=user_id, retries=job.retries + 1)
    machine.reopen(job.pipeline)
    machine.enqueue(new)
    return new


def retry(machine: Machine, pipeline: Pipeline, *, user_id: int) -> None:
    """Run a pipeline's failed and canceled jobs again."""
    for job in pipeline.latest():
        if job.status in {Status.FAILED, Status.CANCELED}:
            job.retried = True
            machine.add_job(pipeline, job.definition, user_id=user_id, retries=job.retries + 1)
    machine.reopen(pipeline)
    machine.advance(pipeline)


def forget(machine: Machine, pipeline: Pipeline) -> None:
    """Remove a pipeline, its jobs and its children; what still runs of them ends by itself."""
    machine.pipelines.pop(pipeline.id, None)
    for job in pipeline.jobs:
        machine.jobs.pop(job.id, None)
        if job.downstream is not None:
            forget(machine, job.downstream)


def cancel(machine: Machine, pipeline: Pipeline, *, only: Callable[[Job], bool] = lambda _job: True) -> None:
    """Cancel what can be canceled of a pipeline, and its children."""
    for job in pipeline.latest():
        if only(job):
            cancel_job(machine, job)
    machine.advance(pipeline)


def cancel_job(machine: Machine, job: Job) -> None:
    """Cancel one job; a running one is `canceling` until its processes have ended."""
    if job.is_bridge and job.downstream is not None and job.downstream.status not in COMPLETED:
        cancel(machine, job.downstream)
    if job.status not in CANCELABLE:
        return
    running = job.status is Status.RUNNING and machine.interrupt(job)
    machine.set(job, Status.CANCELING if running else Status.CANCELED)


def cancel_redundant(machine: Machine, new: Pipeline) -> None:
    """Cancel older pipelines of the ref for another commit (app/services/ci/…/cancel_redundant_pipelines)."""
    for old in list(machine.pipelines.values()):
        same = old.project_id == new.project_id and old.ref == new.ref and old.parent is None
        if not same or old.sha == new.sha or old.status in COMPLETED:
            continue
        match old.definition.on_new_commit:
            case AutoCancel.NONE:
                pass
            case AutoCancel.INTERRUPTIBLE:
                cancel(machine, old, only=lambda job: job.definition.interruptible)
            case AutoCancel.CONSERVATIVE:
                if all(job.definition.interruptible for job in old.latest() if job.started_at):
                    cancel(machine, old)
