"""The state machine of pipelines and jobs: each change of a status, and what follows from it at once.

Runs no job: an engine does, and fills in the three methods at the end. It does no more than GitLab's own processing
does (`status`).
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable

from sandbox.ci.configuration.definition import JobDefinition
from sandbox.ci.engine import status
from sandbox.ci.engine.site import Site
from sandbox.ci.engine.status import Next
from sandbox.ci.records import COMPLETED, Job, Pipeline, Status


class Machine(ABC):
    """All pipelines and jobs of one instance, and their statuses."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.pipelines: dict[int, Pipeline] = {}
        self.jobs: dict[int, Job] = {}
        self._groups: dict[tuple[int, str], Job] = {}
        self._pulse = asyncio.Event()

    def add_job(self, pipeline: Pipeline, definition: JobDefinition, *, user_id: int, retries: int = 0) -> Job:
        """Put a job into a pipeline."""
        job = Job(
            id=self.site.next_id("job"),
            pipeline=pipeline,
            definition=definition,
            user_id=user_id,
            created_at=self.site.now(),
            allow_failure=definition.allow_failure,
            retries=retries,
        )
        pipeline.jobs.append(job)
        self.jobs[job.id] = job
        self._tell(job)
        return job

    def advance(self, pipeline: Pipeline) -> None:
        """Process created jobs until nothing changes, update the pipeline, and start what may start."""
        progress = True
        while progress:
            progress = False
            latest = pipeline.latest()
            for job in status.processing_order([one for one in latest if one.status is Status.CREATED]):
                progress |= self._process(job, status.following(job, latest))
        self.update(pipeline)
        self.dispatch()

    def _process(self, job: Job, verdict: Next) -> bool:
        match verdict:
            case Next.WAIT:
                return False
            case Next.SKIP:
                self.set(job, Status.SKIPPED)
            case Next.ASK:
                self.set(job, Status.MANUAL)
            case Next.SCHEDULE:
                self.set(job, Status.SCHEDULED)
                self.enqueue_later(job)
            case Next.ENQUEUE:
                self.enqueue(job)
        return True

    def enqueue(self, job: Job) -> None:
        """Make a job pending, or let it wait for its resource group."""
        key = (job.pipeline.project_id, job.definition.resource_group or "")
        if key[1] and self._groups.setdefault(key, job) is not job:
            self.set(job, Status.WAITING_FOR_RESOURCE)
            return
        self.set(job, Status.PENDING)

    def set(self, job: Job, to: Status, *, reason: str | None = None) -> None:
        """Change a job's status: the only place that does."""
        now = self.site.now()
        job.status = to
        job.failure_reason = reason if to is Status.FAILED else None
        if to is Status.PENDING:
            job.queued_at, job.finished_at = now, None
        elif to is Status.RUNNING:
            job.started_at, job.finished_at = job.started_at or now, None
        elif to in COMPLETED:
            job.finished_at = now
            job.token = None
            self._release_group(job)
        job.pipeline.updated_at = now
        self._tell(job)

    def _tell(self, job: Job) -> None:
        self.site.job_changed(job)
        self.beat()

    def beat(self) -> None:
        """Wake all waiters, so that they check their condition again."""
        pulse, self._pulse = self._pulse, asyncio.Event()
        pulse.set()

    def _release_group(self, job: Job) -> None:
        key = (job.pipeline.project_id, job.definition.resource_group or "")
        if self._groups.get(key) is not job:
            return
        del self._groups[key]
        waiting = [
            one
            for one in self.jobs.values()
            if one.status is Status.WAITING_FOR_RESOURCE
            and (one.pipeline.project_id, one.definition.resource_group) == key
        ]
        if waiting:
            self.enqueue(waiting[0])
            if waiting[0].pipeline is not job.pipeline:
                self.update(waiting[0].pipeline)

    def update(self, pipeline: Pipeline) -> None:
        """Give a pipeline the status that its jobs make."""
        to = status.of(pipeline.latest()) or Status.SUCCESS
        if to is pipeline.status:
            return
        now = self.site.now()
        pipeline.status, pipeline.updated_at = to, now
        if to is Status.RUNNING:
            pipeline.started_at = pipeline.started_at or now
        pipeline.finished_at = now if to in COMPLETED else None
        self.site.pipeline_changed(pipeline)
        self.beat()
        if pipeline.parent is not None and pipeline.parent.job_id in self.jobs:
            self.follow(self.jobs[pipeline.parent.job_id])

    def follow(self, bridge: Job) -> None:
        """Give a trigger job the status that its child and its strategy make."""
        trigger, child = bridge.definition.trigger, bridge.downstream
        if trigger is None or child is None:
            return
        to = status.of_trigger(trigger.strategy, child.status)
        if to is bridge.status or (trigger.strategy is None and bridge.status in COMPLETED):
            return
        if bridge.started_at is None:
            bridge.started_at = self.site.now()
        reopened = bridge.status in COMPLETED and to not in COMPLETED
        self.set(bridge, to, reason="downstream_pipeline_failed" if to is Status.FAILED else None)
        if reopened:
            self.reopen(bridge.pipeline)
        self.advance(bridge.pipeline)

    def reopen(self, pipeline: Pipeline) -> None:
        """Give skipped jobs another chance."""
        for one in pipeline.latest():
            if one.status is Status.SKIPPED:
                self.set(one, Status.CREATED)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something is true; looked at after each change."""
        while not condition():
            await self._pulse.wait()

    @abstractmethod
    def dispatch(self) -> None:
        """Start pending jobs that may start."""

    @abstractmethod
    def enqueue_later(self, job: Job) -> None:
        """Enqueue a scheduled job when its time has come."""

    @abstractmethod
    def interrupt(self, job: Job) -> bool:
        """Tell a job's runner to stop; False where no runner has it."""
