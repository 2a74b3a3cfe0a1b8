"""The engine's world inside of the emulated GitLab: repositories, users, tokens, hooks."""

from collections.abc import Callable
from datetime import datetime

from sandbox.ci.engine.site import NewPipeline, Tree
from sandbox.ci.instance import hook_payloads, oidc, predefined
from sandbox.ci.records import Job, Pipeline, Status
from sandbox.ci.running.checkout import GitSources, Sources
from sandbox.gitlab.hook_model import Event
from sandbox.gitlab.model import Project
from sandbox.gitlab.repository import Commit, Repository
from sandbox.gitlab.state import State

_JOB_EVENTS = frozenset(
    {Status.CREATED, Status.PENDING, Status.RUNNING, Status.SUCCESS, Status.FAILED, Status.CANCELED}
)
"""Changes that send a Job Hook."""


class GitLabSite:
    """Implements `sandbox.ci.engine.site.Site` over the emulator's state."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.signer = oidc.Signer()
        self.on_pipeline: list[Callable[[Pipeline], None]] = []
        """Called after a pipeline got a new status."""
        self._trees: dict[tuple[int, str], Tree] = {}
        self._commits: dict[tuple[int, str], Commit] = {}

    def project(self, project_id: int) -> Project:
        """Give a project that is known to exist."""
        return self.state.projects[project_id]

    def commit(self, pipeline: Pipeline) -> Commit:
        """Give a pipeline's commit."""
        return self._commits[pipeline.project_id, pipeline.sha]

    def now(self) -> datetime:
        """Give the emulator's time."""
        return self.state.now()

    def next_id(self, kind: str) -> int:
        """Give a new id."""
        return self.state.next_id(kind)

    async def tree(self, project_id: int, sha: str) -> Tree:
        """Read a commit's paths and YAML files."""
        key = (project_id, sha)
        if key not in self._trees:
            repository = Repository(self.project(project_id).repository)
            entries = [one for one in await repository.tree(sha, recursive=True) if one.type == "blob"]
            self._commits[key] = await repository.commit(sha)
            self._trees[key] = Tree(
                paths=tuple(one.path for one in entries),
                texts={
                    one.path: (await repository.blob(one.id)).decode("utf-8", "replace")
                    for one in entries
                    if one.path.endswith((".yml", ".yaml")) and one.mode != "120000"
                },
            )
        return self._trees[key]

    def predefined(self, new: NewPipeline) -> dict[str, str]:
        """Give what is known before the pipeline exists."""
        commit = self._commits[new.project_id, new.sha]
        return predefined.of_pipeline(self.state, self.project(new.project_id), new, commit)

    def predefined_for_job(self, job: Job) -> dict[str, str]:
        """Give what needs a job."""
        return predefined.of_job(self.state, self.project(job.pipeline.project_id), job)

    def sources(self, job: Job, *, depth: int) -> Sources:
        """Fetch over smart HTTP with the job token."""
        project = self.project(job.pipeline.project_id)
        return GitSources(
            url=predefined.clone_url(self.state, project, job.token or ""),
            ref=job.pipeline.ref,
            sha=job.pipeline.sha,
            depth=depth,
        )

    def id_token(self, job: Job, audience: tuple[str, ...]) -> str:
        """Mint an ID token."""
        project = self.project(job.pipeline.project_id)
        return self.signer.sign(oidc.claims(self.state, project, job, audience=audience, now=self.now()))

    def job_changed(self, job: Job) -> None:
        """Send the Job Hook; trigger jobs send none."""
        if not job.is_bridge and job.status in _JOB_EVENTS:
            payload = hook_payloads.job(self.state, job, commit=self.commit(job.pipeline))
            self.state.emit(self.project(job.pipeline.project_id), Event.JOB, payload)

    def pipeline_changed(self, pipeline: Pipeline) -> None:
        """Send the Pipeline Hook."""
        payload = hook_payloads.pipeline(self.state, pipeline, commit=self.commit(pipeline))
        self.state.emit(self.project(pipeline.project_id), Event.PIPELINE, payload)
        for listener in self.on_pipeline:
            listener(pipeline)
