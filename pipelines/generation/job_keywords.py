"""A job as a value → GitLab's keywords for it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, assert_never

from pipelines.generation.jobs import (
    Downstream,
    Environment,
    EnvironmentAction,
    GeneratedFile,
    Job,
    ScriptJob,
    TriggerJob,
    When,
)
from pipelines.language import Phase, ProjectPath
from pipelines.language.repository import Stack

_READING: Final = frozenset({Phase.REVIEW, Phase.MERGE_REQUEST})
"""Phases that run nothing of the repository: no services, no caches."""

_WHEN: Final[Mapping[When, dict[str, Any]]] = {
    When.ON_SUCCESS: {},
    When.MANUAL: {"when": "manual", "allow_failure": False},
    When.OPTIONAL: {"when": "manual", "allow_failure": True},
}
"""GitLab lets a pipeline pass a manual job by exactly if it may fail (doc/ci/jobs/job_control.md)."""


def repository_template(path: ProjectPath) -> str:
    """Return the name of the hidden job with what all jobs of a repository share."""
    return f".{path}"


def job_keywords(job: ScriptJob | TriggerJob, stacks: Mapping[ProjectPath, Stack]) -> dict[str, Any]:
    """Return the job's entry in the file."""
    match job:
        case ScriptJob():
            return _script(job, None if job.scope is None else stacks[job.scope]) | _conduct(job)
        case TriggerJob():
            return _trigger(job) | _conduct(job)
        case never:
            assert_never(never)


def _script(job: ScriptJob, stack: Stack | None) -> dict[str, Any]:
    out: dict[str, Any] = {"extends": [f".{job.template}"]}
    if job.scope is not None:
        out["extends"].append(repository_template(job.scope))
    if job.image:
        out["image"] = job.image
    # a template has the stage of its own name; that of `prepare` is the parent's, where it runs beside analysis
    if job.stage != job.template or job.template == Phase.PREPARE:
        out["stage"] = str(job.stage)
    if job.needs is not None:
        out["needs"] = list(job.needs)
    else:
        out["dependencies"] = list(job.artifacts_from)
    if stack is not None and job.template in _READING:
        out |= {key: [] for key, used in (("services", stack.services), ("cache", stack.cache_paths)) if used}
    return out


def _trigger(job: TriggerJob) -> dict[str, Any]:
    out: dict[str, Any] = {"stage": str(job.stage)}
    if job.needs is not None:
        out["needs"] = list(job.needs)
    inputs = {"inputs": dict(job.inputs)} if job.inputs else {}
    match job.target:
        case Downstream(project=project, branch=branch):
            target: dict[str, Any] = {"project": project, "branch": branch} | inputs
        case GeneratedFile(job=source, path=path):
            target = {"include": [{"artifact": path, "job": source} | inputs]}
        case never:
            assert_never(never)
    out["trigger"] = target | {"strategy": "mirror"}
    return out


def _conduct(job: Job) -> dict[str, Any]:
    out = dict(_WHEN[job.when])
    if job.environment is not None:
        out["environment"] = _environment(job.environment)
    if job.resource_group:
        out["resource_group"] = job.resource_group
    return out


def _environment(environment: Environment) -> dict[str, Any]:
    out: dict[str, Any] = {"name": environment.name}
    if environment.url:
        out["url"] = environment.url
    if environment.action is not EnvironmentAction.START:
        out["action"] = str(environment.action)
    return out
