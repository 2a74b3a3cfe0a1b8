"""Jobs of generated pipelines as values: what runs, for whom, after what, and when. Pure data.

A fix has script jobs only. Triggers, manual jobs, environments and resource groups are here for pipelines that deploy.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from pipelines.language import ProjectPath


class When(StrEnum):
    """What starts a job once its needs are met."""

    ON_SUCCESS = "on_success"
    MANUAL = "manual"
    """A person does; the pipeline waits for it."""
    OPTIONAL = "optional"
    """A person may; the pipeline goes on without it."""


class EnvironmentAction(StrEnum):
    """What a job does with its environment."""

    START = "start"
    """Deploys to it: GitLab records a deployment."""
    PREPARE = "prepare"
    VERIFY = "verify"
    STOP = "stop"


class Environment(Struct, frozen=True, kw_only=True):
    """An environment in GitLab."""

    name: str
    action: EnvironmentAction = EnvironmentAction.START
    url: str = ""


class Job(Struct, frozen=True, kw_only=True):
    """What all jobs have."""

    name: str
    stage: str
    needs: tuple[str, ...] | None
    """Names of jobs; None: it waits for all earlier stages."""
    when: When = When.ON_SUCCESS
    environment: Environment | None = None
    resource_group: str = ""
    """Of jobs of one group only one runs at a time, in all pipelines of the project; empty: no limit."""


class ScriptJob(Job, frozen=True, kw_only=True):
    """A job that a runner runs: a hidden job of `templates/ci` with the settings of its repository."""

    template: str
    """Name of the hidden job, without the dot."""
    scope: ProjectPath | None
    """The repository that it works on; None: the run as a whole."""
    image: str = ""
    """For a job of the run; those of a repository have their stack's."""
    artifacts_from: tuple[str, ...] = ()
    """Names of jobs whose artifacts it gets."""


class Downstream(Struct, frozen=True, kw_only=True):
    """A pipeline of another project."""

    project: ProjectPath
    branch: str


class GeneratedFile(Struct, frozen=True, kw_only=True):
    """A child pipeline whose file an earlier job left as an artifact."""

    job: str
    path: str


class TriggerJob(Job, frozen=True, kw_only=True):
    """A job that starts another pipeline and takes over its status. GitLab runs it itself: no runner, no session."""

    target: Downstream | GeneratedFile
    inputs: Mapping[str, str | int] = {}
    """Inputs of the pipeline that it starts. Only values of ours: never text of a ticket or a model."""
