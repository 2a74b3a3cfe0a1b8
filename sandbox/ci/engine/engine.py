"""The engine: creates pipelines and lets the runner work on what the state machine (`machine`) says may start.

All of it runs on one event loop; whatever is not `async` here is atomic. It speaks no HTTP and knows no permissions
(`routes`).
"""

import asyncio
from collections.abc import Coroutine, Iterable
from datetime import timedelta
from fnmatch import fnmatchcase

from sandbox.ci.configuration.compilation import Context, Source, compile_pipeline
from sandbox.ci.configuration.definition import JobDefinition, OnJobFailure, PipelineDefinition
from sandbox.ci.engine import children, steering
from sandbox.ci.engine.machine import Machine
from sandbox.ci.engine.orders import RunnerSettings, log_path, order_for
from sandbox.ci.engine.site import CONFIG_PATH, NewPipeline, Site
from sandbox.ci.engine.tokens import new_job_token
from sandbox.ci.errors import PipelineRefused
from sandbox.ci.records import ACTIVE, Archive, Job, Pipeline, Status
from sandbox.ci.running.runner import Outcome, execute


class Engine(Machine):
    """All pipelines of one instance."""

    def __init__(self, site: Site, settings: RunnerSettings) -> None:
        super().__init__(site)
        self.settings = settings
        self.holds: set[str] = set()
        """Patterns of job names that stay pending."""
        self._cancel: dict[int, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._timers: set[asyncio.Task[None]] = set()
        self._closed = False

    async def create(self, new: NewPipeline) -> Pipeline:
        """Create a pipeline and start what can start; ConfigError or PipelineRefused where GitLab refuses."""
        tree = await self.site.tree(new.project_id, new.sha)
        sources = new.config
        if sources is None:
            text = tree.texts.get(CONFIG_PATH)
            if text is None:
                raise PipelineRefused("Missing CI config file")
            sources = (Source(text=text, inputs=new.inputs, where=CONFIG_PATH),)
        predefined = self.site.predefined(new)
        definition = compile_pipeline(
            sources,
            context=Context(
                predefined=predefined,
                pipeline_variables=new.variables,
                resolve=tree.texts.get,
                paths=lambda: tree.paths,
                changed=new.changed,
            ),
        )
        pipeline = self._record(new, definition, predefined=predefined)
        for one in definition.jobs:
            self.add_job(pipeline, one, user_id=new.user_id)
        if new.parent is None:
            steering.cancel_redundant(self, pipeline)
        self.advance(pipeline)
        return pipeline

    def skip(self, new: NewPipeline) -> Pipeline:
        """Create a pipeline that is skipped: it has no jobs, and its configuration is not read."""
        nothing = PipelineDefinition(name=None, stages=(), jobs=(), variables={})
        pipeline = self._record(new, nothing, predefined=self.site.predefined(new))
        pipeline.status, pipeline.finished_at = Status.SKIPPED, pipeline.created_at
        self.site.pipeline_changed(pipeline)
        return pipeline

    def _record(self, new: NewPipeline, definition: PipelineDefinition, *, predefined: dict[str, str]) -> Pipeline:
        now = self.site.now()
        pipeline = Pipeline(
            id=self.site.next_id("pipeline"),
            iid=self.site.next_id(f"pipeline of project {new.project_id}"),
            project_id=new.project_id,
            ref=new.ref,
            sha=new.sha,
            source=new.source,
            user_id=new.user_id,
            definition=definition,
            created_at=now,
            updated_at=now,
            protected=new.protected,
            before_sha=new.before_sha,
            source_sha=new.source_sha,
            name=definition.name,
            predefined=predefined,
            variables=dict(new.variables),
            parent=new.parent,
            depth=new.depth,
        )
        self.pipelines[pipeline.id] = pipeline
        return pipeline

    def dispatch(self) -> None:
        """Start pending jobs, oldest first, as far as there are runners and nothing holds them."""
        running = sum(1 for job_id in self._cancel if job_id not in self.jobs or not self.jobs[job_id].is_bridge)
        for job in [job for job in self.jobs.values() if job.status is Status.PENDING and job.id not in self._cancel]:
            if self._closed or self.is_held(job):
                continue
            if job.is_bridge and job.downstream is None:
                self._cancel[job.id] = asyncio.Event()
                self.spawn(self._run_bridge(job))
            elif not job.is_bridge and running < self.settings.concurrency:
                running += 1
                self._cancel[job.id] = asyncio.Event()
                self.spawn(self._run(job))

    def is_held(self, job: Job) -> bool:
        """Tell whether a switch keeps this job pending."""
        return any(fnmatchcase(job.name, one) or job.name == one for one in self.holds)

    def release(self, pattern: str) -> None:
        """Let held jobs run; `*` releases all."""
        self.holds = set() if pattern == "*" else self.holds - {pattern}
        self.dispatch()
        self.beat()

    async def _run_bridge(self, job: Job) -> None:
        try:
            await children.start(self, job, create=self.create)
        finally:
            self._cancel.pop(job.id, None)
        self.advance(job.pipeline)

    async def _run(self, job: Job) -> None:
        canceled = self._cancel[job.id]
        try:
            job.token = new_job_token()
            self.set(job, Status.RUNNING)
            self.update(job.pipeline)
            job.log = log_path(job, self.settings)
            try:
                order = order_for(job, site=self.site, settings=self.settings, below=job.pipeline.predefined)
                outcome = await execute(order, canceled)
                self._keep(job, outcome)
            except Exception as error:  # noqa: BLE001 - the job fails and says why; others go on
                job.problem = f"{type(error).__name__}: {error}"
                outcome = Outcome(status=Status.FAILED, failure_reason="runner_system_failure")
        finally:
            self._cancel.pop(job.id, None)
        self.finish(job, outcome)

    def _keep(self, job: Job, outcome: Outcome) -> None:
        job.tests, job.suite_error = outcome.tests, outcome.suite_error
        job.coverage, job.exit_code = outcome.coverage, outcome.exit_code
        job.coverage_reports = outcome.coverage_reports
        wanted = job.definition.artifacts
        if outcome.archive_size is not None and wanted is not None:
            expire_in = wanted.expire_in_s
            job.archive = Archive(
                path=self.settings.root / "artifacts" / str(job.id) / "artifacts.zip",
                filename=f"{wanted.name}.zip",
                size=outcome.archive_size,
                expire_at=None if expire_in is None else self.site.now() + timedelta(seconds=expire_in),
                access=wanted.access,
            )

    def finish(self, job: Job, outcome: Outcome) -> None:
        """Take in how a job went; run it again when its `retry` says so, cancel the pipeline when its workflow does."""
        definition = job.definition
        if outcome.exit_code is not None and outcome.exit_code in definition.allow_failure_exit_codes:
            job.allow_failure = True
        self.set(job, outcome.status, reason=outcome.failure_reason)
        if outcome.status is Status.FAILED:
            if job.retries < definition.retry.max and _may_retry(definition, outcome):
                steering.again(self, job, user_id=job.user_id)
            elif not job.allow_failure and job.pipeline.definition.on_job_failure is OnJobFailure.ALL:
                steering.cancel(self, job.pipeline)
                return
        self.advance(job.pipeline)

    def interrupt(self, job: Job) -> bool:
        """Tell a job's runner to stop; False where no runner has it."""
        if job.id not in self._cancel or job.is_bridge:
            return False
        self._cancel[job.id].set()
        return True

    def enqueue_later(self, job: Job) -> None:
        """Enqueue a scheduled job when its time has come."""
        self._timers.add(self.spawn(self._enqueue_later(job)))

    async def _enqueue_later(self, job: Job) -> None:
        await asyncio.sleep(job.definition.start_in_s or 0)
        if job.status is Status.SCHEDULED:
            self.enqueue(job)
            self.advance(job.pipeline)

    def spawn(self, work: Coroutine[None, None, None]) -> "asyncio.Task[None]":
        """Run something in the background until the engine stops."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._timers.discard(task)
        self.beat()
        if not task.cancelled():
            task.result()

    def quiet(self, pipelines: Iterable[Pipeline] | None = None) -> bool:
        """Tell whether nothing moves by itself any more: all is done, held, or waits for a person."""
        chosen = self.pipelines.values() if pipelines is None else pipelines
        moving = any(self._moves(job) for pipeline in chosen for job in pipeline.latest())
        return not moving and (pipelines is not None or self._tasks == self._timers)

    def _moves(self, job: Job) -> bool:
        if job.status is Status.PENDING:
            return not self.is_held(job) and job.downstream is None
        return job.status in ACTIVE and not job.is_bridge

    async def stop(self) -> None:
        """Stop all jobs and wait for their processes to be gone."""
        self._closed = True
        for event in self._cancel.values():
            event.set()
        for task in self._timers:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _may_retry(definition: JobDefinition, outcome: Outcome) -> bool:
    retry = definition.retry
    if retry.exit_codes and outcome.exit_code not in retry.exit_codes:
        return False
    return bool(retry.exit_codes) or "always" in retry.when or outcome.failure_reason in retry.when
