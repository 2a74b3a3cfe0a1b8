"""What the engine needs of the world around it, which is the emulated GitLab."""

from datetime import datetime
from typing import Protocol

import msgspec

from sandbox.ci.configuration.compilation import Source
from sandbox.ci.configuration.expansion import Variable
from sandbox.ci.records import Job, Parent, Pipeline
from sandbox.ci.running.checkout import Sources

CONFIG_PATH = ".gitlab-ci.yml"


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    """A commit's files: all paths, and the text of those that can be a configuration."""

    paths: tuple[str, ...]
    texts: dict[str, str]


class NewPipeline(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline to create."""

    project_id: int
    ref: str
    sha: str
    source: str
    user_id: int
    protected: bool = False
    before_sha: str = "0" * 40
    variables: dict[str, Variable] = {}
    inputs: dict[str, object] = {}
    config: tuple[Source, ...] | None = None
    """Of a child; None takes the repository's own."""
    source_sha: str | None = None
    """Of a merge request's pipeline: the head that it is of, when `sha` is a commit made of it and others."""
    changed: frozenset[str] | None = None
    parent: Parent | None = None
    depth: int = 0


class Site(Protocol):
    """The world around the engine."""

    def now(self) -> datetime:
        """Give the aware time."""

    def next_id(self, kind: str) -> int:
        """Give a new id of this kind."""

    async def tree(self, project_id: int, sha: str) -> Tree:
        """Give a commit's files."""

    def predefined(self, new: NewPipeline) -> dict[str, str]:
        """Give the predefined variables that exist before the pipeline does."""

    def predefined_for_job(self, job: Job) -> dict[str, str]:
        """Give those that need a pipeline and a job, the job's token included."""

    def sources(self, job: Job, *, depth: int) -> Sources:
        """Tell where a job's build folder is filled from."""

    def id_token(self, job: Job, audience: tuple[str, ...]) -> str:
        """Mint an ID token."""

    def job_changed(self, job: Job) -> None:
        """Take note that a job has a new status."""

    def pipeline_changed(self, pipeline: Pipeline) -> None:
        """Take note that a pipeline has a new status."""
