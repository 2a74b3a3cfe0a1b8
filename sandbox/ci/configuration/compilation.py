"""Compile a CI configuration: text, includes, inputs and variables in, job definitions out. Pure.

The subset is what `keywords` lists; everything else is an error that names it. GitLab's limits (`limits`) are applied.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from sandbox.ci import limits
from sandbox.ci.configuration import jobs, rules
from sandbox.ci.configuration.composition import Composer, Resolver, dereferenced, extended, merged
from sandbox.ci.configuration.definition import AutoCancel, JobDefinition, OnJobFailure, PipelineDefinition
from sandbox.ci.configuration.expansion import Variable, expanded, plain, resolved
from sandbox.ci.configuration.keywords import (
    DEFAULT_KEYS,
    RawAutoCancel,
    RawDefault,
    RawJob,
    RawVariables,
    RawWorkflow,
    RawWorkflowRule,
    check_keys,
    read_job,
    root,
    shaped,
)
from sandbox.ci.configuration.needs import Made, connected
from sandbox.ci.configuration.yaml_text import Config
from sandbox.ci.errors import ConfigError, PipelineRefused

FILTERED = "Pipeline filtered out by workflow rules."
EMPTY = (
    "Pipeline will not run for the selected trigger. "
    "The rules configuration prevented any jobs from being added to the pipeline."
)
_EDGES = frozenset({".pre", ".post"})


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One file that a configuration is made of."""

    text: str
    inputs: Mapping[str, Any] = {}
    where: str = ".gitlab-ci.yml"
    generated: bool = False
    """From an artifact: no variables in its `include`."""


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What a configuration is compiled against."""

    predefined: dict[str, str] = {}
    pipeline_variables: dict[str, Variable] = {}
    """Forwarded by its parent's trigger job."""
    resolve: Resolver = lambda _path: None
    paths: Callable[[], Sequence[str]] = tuple
    changed: frozenset[str] | None = None


def compile_pipeline(sources: Sequence[Source], *, context: Context) -> PipelineDefinition:
    """Give the pipeline that a configuration makes.

    Raises ConfigError for an invalid configuration, PipelineRefused where it makes no pipeline.
    """
    below = (plain(context.predefined),)
    above = (context.pipeline_variables,)
    composer = Composer(resolve=context.resolve, values=resolved((*below, *above)))
    config: Config = {}
    for source in sources:
        if source.generated:
            composer.literal.add(source.where)
        config = merged(config, composer.load(source.text, inputs=source.inputs, where=source.where))
    settings, entries = root(dereferenced(extended(config)))
    default = settings.get("default") or {}
    check_keys("default", default, DEFAULT_KEYS)
    shaped(default, RawDefault, where="default")
    global_variables = rules.variables(shaped(settings.get("variables") or {}, RawVariables, where="variables"))
    values = resolved((*below, global_variables, *above))
    workflow, rule = _workflow(settings, rules.Facts(values=values, paths=context.paths, changed=context.changed))
    if rule is not None and rule.variables:
        global_variables = rules.merged(global_variables, rules.variables(rule.variables))
        values = resolved((*below, global_variables, *above))
    around = jobs.Surroundings(
        stages=_stages(settings),
        default=default,
        global_variables=global_variables,
        below=below,
        above=above,
        facts=rules.Facts(values=values, paths=context.paths, changed=context.changed),
    )
    raw = _raw_jobs(entries, around)
    made = _definitions(_not_for_branches_only(raw, workflow, values), around)
    if not {one.stage for _, one in made} - _EDGES:
        raise PipelineRefused(EMPTY)
    auto_cancel = (rule.auto_cancel if rule is not None else None) or workflow.auto_cancel
    on_new_commit, on_job_failure = _auto_cancel(auto_cancel)
    return PipelineDefinition(
        name=_name(workflow, values),
        stages=tuple(stage for stage in around.stages if any(one.stage == stage for _, one in made)),
        jobs=connected(made, raw),
        variables=global_variables,
        on_new_commit=on_new_commit,
        on_job_failure=on_job_failure,
    )


def _raw_jobs(entries: Config, around: jobs.Surroundings) -> dict[str, RawJob]:
    visible = {name: value for name, value in entries.items() if not name.startswith(".")}
    if not visible:
        raise ConfigError("jobs config should contain at least one visible job")
    raw: dict[str, RawJob] = {}
    errors: list[str] = []
    for name, value in visible.items():
        try:
            own = read_job(name, value)
            raw[name] = read_job(name, jobs.with_defaults(value, own, around.default))
        except ConfigError as error:
            errors.extend(error.errors)
    if errors:
        raise ConfigError(*errors)
    return raw


def _not_for_branches_only(
    raw: dict[str, RawJob], workflow: RawWorkflow, values: Mapping[str, str]
) -> dict[str, RawJob]:
    """Leave out of a merge request's pipeline the jobs without rules, which mean branches and tags (Entry::Policy)."""
    if values.get("CI_PIPELINE_SOURCE") != "merge_request_event" or workflow.rules is not None:
        return raw
    return {name: one for name, one in raw.items() if one.rules is not None}


def _definitions(raw: Mapping[str, RawJob], around: jobs.Surroundings) -> Made:
    made: list[tuple[str, JobDefinition]] = []
    errors: list[str] = []
    for name, job in raw.items():
        try:
            made.extend((name, one) for one in jobs.definitions(name, job, around))
        except ConfigError as error:
            errors.extend(error.errors)
    if errors:
        raise ConfigError(*errors)
    return sorted(made, key=lambda one: one[1].stage_index)


def _workflow(settings: Config, facts: rules.Facts) -> tuple[RawWorkflow, RawWorkflowRule | None]:
    workflow = shaped(settings.get("workflow") or {}, RawWorkflow, where="workflow")
    if workflow.rules is None:
        return workflow, None
    found = rules.first(workflow.rules, facts, where="workflow")
    if not isinstance(found, RawWorkflowRule) or found.when == "never":
        raise PipelineRefused(FILTERED)
    return workflow, found


def _stages(settings: Config) -> tuple[str, ...]:
    stages = shaped(settings.get("stages") or ["build", "test", "deploy"], list[str], where="stages")
    return (".pre", *(stage for stage in stages if stage not in _EDGES), ".post")


def _auto_cancel(raw: RawAutoCancel) -> tuple[AutoCancel, OnJobFailure]:
    try:
        return AutoCancel(raw.on_new_commit), OnJobFailure(raw.on_job_failure)
    except ValueError as error:
        raise ConfigError(f"workflow:auto_cancel config: {error}") from error


def _name(workflow: RawWorkflow, values: Mapping[str, str]) -> str | None:
    name = expanded(workflow.name or "", values).strip()
    if len(name) > limits.NAME:
        raise ConfigError(f"workflow name is too long (maximum is {limits.NAME} characters)")
    return name or None
