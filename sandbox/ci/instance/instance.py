"""The CI engine of one emulated GitLab: what its routes work on."""

import hmac
import re
from collections import deque
from typing import Final

import msgspec

from sandbox.ci.engine import steering
from sandbox.ci.engine.engine import Engine
from sandbox.ci.engine.orders import RunnerSettings
from sandbox.ci.engine.site import CONFIG_PATH, NewPipeline
from sandbox.ci.engine.status import has_warnings
from sandbox.ci.errors import CiError
from sandbox.ci.instance import entities, merge_request_pipelines
from sandbox.ci.instance.gitlab_site import GitLabSite
from sandbox.ci.records import ACTIVE, COMPLETED, Job, Pipeline
from sandbox.gitlab import merge_trains
from sandbox.gitlab.entities import stamp
from sandbox.gitlab.hook_model import Json
from sandbox.gitlab.merge_request_model import MergeRequest
from sandbox.gitlab.merge_train_model import Car
from sandbox.gitlab.model import JobSubject, Project, Push, User
from sandbox.gitlab.repository import NULL_SHA, Repository
from sandbox.gitlab.state import NoPipeline, State

SKIPS: Final = re.compile(r"\[(ci[ _-]skip|skip[ _-]ci)\]", re.IGNORECASE)
"""lib/gitlab/ci/pipeline/chain/skip.rb: a push makes a skipped pipeline then; the pipelines API pays no heed to it."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A push that made no pipeline though the repository has a configuration."""

    project: str
    ref: str
    sha: str
    reason: str


class Ci:
    """State, world and engine, and what the rest of the emulator asks of them."""

    def __init__(self, state: State, settings: RunnerSettings) -> None:
        self.state = state
        self.site = GitLabSite(state)
        self.engine = Engine(self.site, settings)
        self.refusals: deque[Refusal] = deque(maxlen=100)
        state.job_token_subject = self.subject
        state.on_push += [self.pushed, self._train_pushed]
        state.on_merge_request.append(self._train_told)
        self.site.on_pipeline.append(self._train_tested)
        state.pipelines = self
        state.dump_parts["ci"] = self.dump

    def job_of_token(self, token: str) -> Job | None:
        """Find the job whose token this is, while it runs."""
        given = token.encode()
        return next(
            (
                job
                for job in self.engine.jobs.values()
                if job.token is not None and job.status in ACTIVE and hmac.compare_digest(job.token.encode(), given)
            ),
            None,
        )

    def subject(self, token: str) -> JobSubject | None:
        """Tell whom a job token speaks for."""
        job = self.job_of_token(token)
        if job is None:
            return None
        return JobSubject(user_id=job.user_id, project_id=job.pipeline.project_id, job_id=job.id)

    def pushed(self, push: Push) -> None:
        """Create a pipeline for a pushed branch; there are no tag and no merge request pipelines here."""
        if push.ref.startswith("refs/heads/") and push.after != NULL_SHA:
            self.engine.spawn(self._push_pipeline(push))

    async def _push_pipeline(self, push: Push) -> None:
        ref = push.ref.removeprefix("refs/heads/")
        tree = await self.site.tree(push.project.id, push.after)
        commit = await Repository(push.project.repository).commit(push.after)
        if CONFIG_PATH not in tree.texts:
            return
        changed = None
        if push.before != NULL_SHA:
            changes = await Repository(push.project.repository).diff(push.before, push.after)
            changed = frozenset(path for one in changes for path in (one.old_path, one.new_path))
        new = NewPipeline(
            project_id=push.project.id,
            ref=ref,
            sha=push.after,
            before_sha=push.before,
            source="push",
            user_id=push.user.id,
            protected=ref in push.project.protected_branches,
            changed=changed,
        )
        if push.skips_ci or SKIPS.search(commit.message):
            self.engine.skip(new)
            return
        try:
            await self.engine.create(new)
        except CiError as error:
            path = push.project.path_with_namespace
            self.refusals.append(Refusal(project=path, ref=ref, sha=push.after, reason=str(error)))

    def of_head(self, project: Project, mr: MergeRequest) -> Json | None:
        """Give the newest pipeline of a merge request's head, in REST shape."""
        found = max(
            (
                one
                for one in self.engine.pipelines.values()
                if one.project_id == project.id
                and one.parent is None
                and merge_request_pipelines.source_ref(project, one.ref) == mr.source_branch
                and (one.source_sha or one.sha) == mr.sha
            ),
            key=lambda one: one.id,
            default=None,
        )
        return None if found is None else entities.pipeline(self.site, found)

    def get(self, pipeline_id: int) -> Json | None:
        """Give a pipeline in REST shape."""
        found = self.engine.pipelines.get(pipeline_id)
        return None if found is None else entities.pipeline(self.site, found)

    async def start_train(self, project: Project, mr: MergeRequest, car: Car) -> int:
        """Start the pipeline of a merge train's car."""
        new = NewPipeline(
            project_id=project.id,
            ref=car.ref,
            sha=car.sha,
            source_sha=mr.sha,
            source="merge_request_event",
            user_id=car.user_id,
        )
        try:
            return (await self.engine.create(new)).id
        except CiError as error:
            raise NoPipeline(str(error)) from error

    def cancel(self, pipeline_id: int) -> None:
        """Cancel a pipeline, if it isn't over."""
        found = self.engine.pipelines.get(pipeline_id)
        if found is not None and found.status not in COMPLETED:
            steering.cancel(self.engine, found)

    def train_changed(self, project: Project, target_branch: str) -> None:
        """Have a merge train looked at, soon."""
        if merge_trains.train(project, target_branch):
            self.engine.spawn(self._refresh_train(project, target_branch))

    async def _refresh_train(self, project: Project, target_branch: str) -> None:
        async with project.lock:
            await merge_trains.refresh(self.state, project, target_branch)

    def _train_pushed(self, push: Push) -> None:
        self.train_changed(push.project, push.ref.removeprefix("refs/heads/"))

    def _train_told(self, project: Project, mr: MergeRequest, _actor: User, _action: str) -> None:
        self.train_changed(project, mr.target_branch)

    def _train_tested(self, pipeline: Pipeline) -> None:
        project = self.site.project(pipeline.project_id)
        mr = merge_request_pipelines.of_ref(project, pipeline.ref)
        if mr is not None and pipeline.status in COMPLETED:
            self.train_changed(project, mr.target_branch)

    def dump(self) -> Json:
        """Give all pipelines for `GET /_sandbox/state`."""
        return {
            "holds": sorted(self.engine.holds),
            "refusals": list(self.refusals),
            "pipelines": [self._dumped(one) for one in self.engine.pipelines.values()],
        }

    def _dumped(self, one: Pipeline) -> Json:
        return {
            "id": one.id,
            "project": self.site.project(one.project_id).path_with_namespace,
            "name": one.name,
            "ref": one.ref,
            "sha": one.sha,
            "source": one.source,
            "status": one.status.value,
            "warnings": has_warnings(one.latest()),
            "created_at": stamp(one.created_at),
            "started_at": stamp(one.started_at),
            "finished_at": stamp(one.finished_at),
            "user": self.state.users[one.user_id].username,
            "parent": one.parent,
            "jobs": [
                {
                    "id": job.id,
                    "name": job.name,
                    "stage": job.definition.stage,
                    "status": job.status.value,
                    "bridge": job.is_bridge,
                    "retried": job.retried,
                    "allow_failure": job.allow_failure,
                    "failure_reason": job.failure_reason,
                    "exit_code": job.exit_code,
                    "problem": job.problem,
                    "needs": None if job.definition.needs is None else [need.job for need in job.definition.needs],
                    "image": job.definition.image,
                    "services": job.definition.services,
                    "tags": job.definition.tags,
                    "cache_paths": job.definition.cache_paths,
                    "downstream": job.downstream.id if job.downstream else None,
                    "started_at": stamp(job.started_at),
                    "finished_at": stamp(job.finished_at),
                }
                for job in one.jobs
            ],
        }
