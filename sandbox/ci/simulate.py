"""Run a configuration without any GitLab: a folder is the repository, and everything that happens is recorded.

For tests, which compare the record with what another implementation of GitLab CI does with the same configuration.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from sandbox.ci.configuration.expansion import Variable
from sandbox.ci.engine.engine import Engine
from sandbox.ci.engine.orders import RunnerSettings
from sandbox.ci.engine.site import CONFIG_PATH, NewPipeline, Tree
from sandbox.ci.records import Job, Pipeline
from sandbox.ci.running.checkout import FolderSources, Sources


class JobRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one job."""

    name: str
    stage: str
    status: str
    allow_failure: bool
    child: bool
    """Whether it belongs to a child pipeline."""
    log: str


class Simulation(msgspec.Struct, frozen=True, kw_only=True):
    """What happened."""

    status: str
    """Of the parent pipeline."""
    jobs: tuple[JobRecord, ...]
    started: tuple[str, ...]
    """Job names in the order in which they began to run."""
    finished: tuple[str, ...]
    """Job names in the order in which they ended, skipped ones left out."""


class FolderSite:
    """A world of one folder."""

    def __init__(self, folder: Path, config: str) -> None:
        self.folder = folder
        self.config = config
        self.history: list[tuple[str, str]] = []
        """(job name, status) at each change."""
        self._ids: dict[str, int] = defaultdict(int)

    def now(self) -> datetime:
        """Give the time."""
        return datetime.now(UTC)

    def next_id(self, kind: str) -> int:
        """Count."""
        self._ids[kind] += 1
        return self._ids[kind]

    async def tree(self, _project_id: int, _sha: str) -> Tree:
        """Read the folder."""
        return await asyncio.to_thread(self._read)

    def _read(self) -> Tree:
        files = [path for path in self.folder.rglob("*") if path.is_file() and ".git" not in path.parts]
        texts = {
            path.relative_to(self.folder).as_posix(): path.read_text(encoding="utf-8")
            for path in files
            if path.suffix in {".yml", ".yaml"}
        }
        return Tree(
            paths=tuple(path.relative_to(self.folder).as_posix() for path in files),
            texts={**texts, CONFIG_PATH: self.config},
        )

    def predefined(self, new: NewPipeline) -> dict[str, str]:
        """Give a few of the predefined variables."""
        return {
            "CI": "true",
            "GITLAB_CI": "true",
            "CI_PIPELINE_SOURCE": new.source,
            "CI_COMMIT_REF_NAME": new.ref,
            "CI_COMMIT_BRANCH": new.ref,
            "CI_DEFAULT_BRANCH": new.ref,
        }

    def predefined_for_job(self, job: Job) -> dict[str, str]:
        """Give the job's own."""
        return {"CI_JOB_NAME": job.name, "CI_JOB_STAGE": job.definition.stage, "CI_JOB_ID": str(job.id)}

    def project_variables(self, _project_id: int) -> dict[str, Variable]:
        """Give none."""
        return {}

    def sources(self, _job: Job, *, depth: int) -> Sources:  # noqa: ARG002 - a folder has no depth
        """Copy the folder."""
        return FolderSources(folder=self.folder)

    def id_token(self, job: Job, audience: tuple[str, ...]) -> str:
        """Give a text that is no token: nobody here could check one."""
        return f"simulated id token of {job.name} for {', '.join(audience)}"

    def job_changed(self, job: Job) -> None:
        """Write history."""
        self.history.append((job.name, job.status.value))

    def pipeline_changed(self, pipeline: Pipeline) -> None:
        """Leave it to the jobs."""


def simulate(
    config: str,
    *,
    folder: Path,
    state: Path,
    inputs: Mapping[str, object] | None = None,
    variables: Mapping[str, str] | None = None,
    source: str = "push",
    path: str = "/usr/local/bin:/usr/bin:/bin",
) -> Simulation:
    """Run a configuration to its end: until nothing moves any more, which may be at a manual job."""
    site = FolderSite(folder, config)

    async def play() -> Pipeline:
        engine = Engine(site, RunnerSettings(root=state, path=path))
        pipeline = await engine.create(
            NewPipeline(
                project_id=1,
                ref="main",
                sha="0" * 40,
                source=source,
                user_id=1,
                inputs=dict(inputs or {}),
                variables={name: Variable(value=value) for name, value in (variables or {}).items()},
            )
        )
        await engine.until(engine.quiet)
        children.extend(one for one in engine.pipelines.values() if one is not pipeline)
        await engine.stop()
        return pipeline

    children: list[Pipeline] = []
    pipeline = asyncio.run(play())
    return Simulation(
        status=pipeline.status.value,
        jobs=tuple(_record(job) for one in (pipeline, *children) for job in one.latest()),
        started=tuple(name for name, status in site.history if status == "running"),
        finished=tuple(name for name, status in site.history if status in {"success", "failed", "canceled"}),
    )


def _record(job: Job) -> JobRecord:
    return JobRecord(
        name=job.name,
        stage=job.definition.stage,
        status=job.status.value,
        allow_failure=job.allow_failure,
        child=job.pipeline.parent is not None,
        log=job.log.read_text(encoding="utf-8", errors="replace") if job.log and job.log.exists() else "",
    )
