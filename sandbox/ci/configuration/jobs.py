"""Turn one written job into definitions: defaults, inheritance, rules, parallel, every keyword interpreted."""

from typing import Any

import msgspec

from sandbox.ci import limits
from sandbox.ci.configuration import rules
from sandbox.ci.configuration.definition import (
    ArtifactInclude,
    Artifacts,
    Environment,
    JobDefinition,
    LocalInclude,
    Retry,
    Strategy,
    Trigger,
    When,
)
from sandbox.ci.configuration.duration import seconds
from sandbox.ci.configuration.expansion import Variable, Variables, expanded, resolved
from sandbox.ci.configuration.keywords import (
    DEFAULT_KEYS,
    RawAllowFailure,
    RawArtifacts,
    RawEnvironment,
    RawJob,
    RawRetry,
    RawRule,
    RawTrigger,
    flat,
    lines,
    shaped,
    strings,
)
from sandbox.ci.configuration.matrix import Instance, instances
from sandbox.ci.configuration.yaml_text import Config
from sandbox.ci.errors import ConfigError

_WHENS = {when.value for when in When}


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What a job's definition depends on besides itself."""

    stages: tuple[str, ...]
    default: Config
    """The `default` entry as written."""
    global_variables: dict[str, Variable]
    below: tuple[Variables, ...]
    """Layers below the YAML variables: predefined ones."""
    above: tuple[Variables, ...]
    """Layers above them: the pipeline's."""
    facts: rules.Facts


def with_defaults(raw: Config, job: RawJob, default: Config) -> Config:
    """Add the `default` keys that the job lacks and may inherit; a trigger job takes only what it may have."""
    inherit = job.inherit.default
    wanted = DEFAULT_KEYS if inherit is True else frozenset(inherit or ())
    if "trigger" in raw:
        wanted &= limits.TRIGGER_KEYS
    return {**{key: value for key, value in default.items() if key in wanted}, **raw}


def definitions(name: str, job: RawJob, around: Surroundings) -> tuple[JobDefinition, ...]:
    """Give the jobs that one entry becomes: none when its rules exclude it, several when it is parallel."""
    where = f"jobs:{name}"
    if job.stage not in around.stages:
        raise ConfigError(
            f"{name} job: chosen stage {job.stage} does not exist; available stages are {', '.join(around.stages)}"
        )
    if job.when is not None and job.when not in _WHENS - {"never"}:
        raise ConfigError(f"{where} when should be one of: on_success, on_failure, always, manual, delayed")
    made = (_definition(one, job, around, where=where) for one in instances(name, job.parallel))
    return tuple(one for one in made if one is not None)


def _definition(instance: Instance, job: RawJob, around: Surroundings, *, where: str) -> JobDefinition | None:
    if len(instance.name) > limits.NAME:
        raise ConfigError(f"{where} name is too long (maximum is {limits.NAME} characters)")
    yaml_variables = rules.merged(
        _inherited(job, around.global_variables),
        rules.variables(job.variables),
        {key: Variable(value=value) for key, value in instance.variables.items()},
    )
    own = {"CI_JOB_NAME": instance.name, "CI_JOB_STAGE": job.stage}
    below = (*around.below, {key: Variable(value=value, expand=False) for key, value in own.items()})
    values = resolved((*below, yaml_variables, *around.above))
    chosen = _rule(job, msgspec.structs.replace(around.facts, values=values), where=where)
    if chosen is None or chosen.when == "never":
        return None
    when = When(chosen.when or job.when or "on_success")
    if chosen.variables:
        yaml_variables = rules.merged(yaml_variables, rules.variables(chosen.variables))
        values = resolved((*below, yaml_variables, *around.above))
    allowed, exit_codes = _allow_failure(job, chosen, when)
    group = job.resource_group and expanded(job.resource_group, values)
    return JobDefinition(
        name=instance.name,
        stage=job.stage,
        stage_index=around.stages.index(job.stage),
        script=lines(job.script, where=f"{where}:script"),
        before_script=lines(job.before_script, where=f"{where}:before_script"),
        after_script=lines(job.after_script, where=f"{where}:after_script"),
        variables=yaml_variables,
        matrix=instance.variables,
        node=instance.node,
        dependencies=None if job.dependencies is None else tuple(job.dependencies),
        when=when,
        start_in_s=_start_in(job, when, where=where),
        allow_failure=allowed,
        allow_failure_exit_codes=exit_codes,
        timeout_s=seconds(job.timeout, where=f"{where}:timeout") or limits.TIMEOUT_S
        if job.timeout is not None
        else limits.TIMEOUT_S,
        retry=_retry(job.retry, where=where),
        interruptible=bool(job.interruptible),
        resource_group=group or None,
        environment=_environment(job.environment, values),
        artifacts=_artifacts(job.artifacts, where=where),
        id_tokens={key: strings(token.aud) for key, token in (job.id_tokens or {}).items()},
        image=_named(job.image),
        services=tuple(_named(one) or "" for one in job.services or ()),
        tags=tuple(expanded(str(tag), values) for tag in flat(job.tags or [])),
        cache_paths=_cache(job.cache, where=where),
        coverage=job.coverage,
        trigger=_trigger(job.trigger, where=where),
    )


def _inherited(job: RawJob, variables: dict[str, Variable]) -> dict[str, Variable]:
    inherit = job.inherit.variables
    if inherit is True:
        return variables
    return {key: value for key, value in variables.items() if key in (inherit or ())}


def _rule(job: RawJob, facts: rules.Facts, *, where: str) -> RawRule | None:
    if job.rules is None:
        return RawRule()
    written = [shaped(one, RawRule, where=f"{where}:rules:rule") for one in flat(job.rules)]
    if bad := next((one for one in written if one.when is not None and one.when not in _WHENS), None):
        raise ConfigError(f"{where}:rules:rule when unknown value: {bad.when}")
    found = rules.first(written, facts, where=where)
    return found if isinstance(found, RawRule) else None


def _allow_failure(job: RawJob, rule: RawRule, when: When) -> tuple[bool, tuple[int, ...]]:
    if rule.allow_failure is not None:
        return rule.allow_failure, ()
    if isinstance(job.allow_failure, RawAllowFailure):
        codes = job.allow_failure.exit_codes
        return False, (codes,) if isinstance(codes, int) else tuple(codes)
    if job.allow_failure is not None:
        return job.allow_failure, ()
    # A manual job of the job-level `when` is optional, one of a rule blocks (doc/ci/yaml/_index.md#allow_failure).
    return job.rules is None and when is When.MANUAL, ()


def _start_in(job: RawJob, when: When, *, where: str) -> float | None:
    if when is not When.DELAYED:
        return None
    if job.start_in is None:
        raise ConfigError(f"{where} start in should be a duration")
    return seconds(job.start_in, where=f"{where} start in")


def _retry(raw: int | RawRetry | None, *, where: str) -> Retry:
    retry = raw if isinstance(raw, RawRetry) else RawRetry(max=raw or 0)
    if not 0 <= retry.max <= limits.RETRY:
        raise ConfigError(f"{where}:retry max must be less than or equal to {limits.RETRY}")
    codes = (retry.exit_codes,) if isinstance(retry.exit_codes, int) else tuple(retry.exit_codes)
    return Retry(max=retry.max, when=strings(retry.when), exit_codes=codes)


def _environment(raw: str | RawEnvironment | None, values: dict[str, str]) -> Environment | None:
    if raw is None:
        return None
    one = RawEnvironment(name=raw) if isinstance(raw, str) else raw
    return Environment(
        name=expanded(one.name, values), url=one.url, action=one.action, deployment_tier=one.deployment_tier
    )


def _artifacts(raw: RawArtifacts | None, *, where: str) -> Artifacts | None:
    if raw is None:
        return None
    if raw.when not in {"on_success", "on_failure", "always"}:
        raise ConfigError(f"{where}:artifacts when should be one of: on_success, on_failure, always")
    if raw.access is not None and raw.public is not None:
        raise ConfigError(f"{where}:artifacts access and public are mutually exclusive")
    access = raw.access or ("none" if raw.public is False else "all")
    if access not in {"all", "developer", "maintainer", "none"}:
        raise ConfigError(f"{where}:artifacts access should be one of: all, developer, maintainer, none")
    expire = None if raw.expire_in is None else seconds(raw.expire_in, where=f"{where}:artifacts expire in")
    return Artifacts(
        paths=tuple(raw.paths),
        exclude=tuple(raw.exclude),
        name=raw.name or "artifacts",
        when=When(raw.when),
        expire_in_s=expire,
        access=access,
        junit=strings(raw.reports.junit),
        coverage=None if raw.reports.coverage_report is None else raw.reports.coverage_report.path,
    )


def _named(raw: object) -> str | None:
    if isinstance(raw, dict):
        return str(raw.get("name", ""))
    return raw if isinstance(raw, str) else None


def _cache(raw: dict[str, Any] | list[dict[str, Any]] | None, *, where: str) -> tuple[str, ...]:
    caches: list[dict[str, Any]] = raw if isinstance(raw, list) else [] if raw is None else [raw]
    if len(caches) > limits.CACHES:
        raise ConfigError(f"{where}:cache config has too many caches (maximum is {limits.CACHES})")
    return tuple(str(path) for cache in caches for path in cache.get("paths", ()))


def _trigger(raw: str | RawTrigger | None, *, where: str) -> Trigger | None:
    if raw is None:
        return None
    if isinstance(raw, str):
        raise ConfigError(f"{where}: the CI emulator does not support multi-project `trigger`")
    entries = [{"local": raw.include}] if isinstance(raw.include, str) else raw.include
    if not 1 <= len(entries) <= limits.TRIGGER_INCLUDES:
        raise ConfigError(f"{where}:trigger:include config is too long (maximum is {limits.TRIGGER_INCLUDES})")
    includes = tuple(_trigger_include(one, where=f"{where}:trigger:include") for one in entries)
    for one in includes:
        path = one.artifact if isinstance(one, ArtifactInclude) else one.local
        if not path.endswith((".yml", ".yaml")):
            raise ConfigError(f"{where}:trigger:include `{path}` does not have YAML extension!")
    if raw.strategy not in {None, "mirror", "depend"}:
        raise ConfigError(f"{where}:trigger strategy should be one of: mirror, depend")
    return Trigger(
        includes=includes,
        strategy=Strategy(raw.strategy) if raw.strategy else None,
        forward_yaml_variables=raw.forward.yaml_variables,
        forward_pipeline_variables=raw.forward.pipeline_variables,
    )


def _trigger_include(raw: dict[str, Any], *, where: str) -> ArtifactInclude | LocalInclude:
    return shaped(raw, ArtifactInclude, where=where) if "artifact" in raw else shaped(raw, LocalInclude, where=where)
