"""Tell a runner what to do for a job: its environment in GitLab's order of precedence, and what it downloads."""

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from sandbox.ci.configuration.expansion import Variable, expanded, plain, resolved
from sandbox.ci.engine.site import Site
from sandbox.ci.records import Job
from sandbox.ci.running.checkout import NoSources
from sandbox.ci.running.runner import Download, Order

DEFAULT_DEPTH = 20
"""GitLab's default of the project setting for shallow clones."""


class RunnerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How this sandbox's runner is set up."""

    root: Path
    """Builds, logs and archives go below it."""
    path: str = "/usr/local/bin:/usr/bin:/bin"
    """PATH of the jobs."""
    variables: dict[str, str] = {}
    """Further environment of the runner itself, below all variables (`environment` in a runner's config.toml)."""
    concurrency: int = 4


def order_for(job: Job, *, site: Site, settings: RunnerSettings, below: Mapping[str, str]) -> Order:
    """Give the order for a job; `below` are the predefined variables of its pipeline."""
    pipeline, definition = job.pipeline, job.definition
    folder = settings.root / "builds" / str(job.id)
    own = {
        **site.predefined_for_job(job),
        "CI_PROJECT_DIR": str(folder / "build"),
        "CI_BUILDS_DIR": str(settings.root / "builds"),
        "CI_CONCURRENT_ID": "0",
    }
    layers = [
        plain(below),
        plain(own),
        definition.variables,
        pipeline.variables,
    ]
    values = resolved(layers)
    tokens = {
        name: site.id_token(job, tuple(expanded(one, values) for one in audience))
        for name, audience in definition.id_tokens.items()
    }
    environment = {"PATH": settings.path, "HOME": str(folder / "home"), **settings.variables, **values, **tokens}
    depth = environment.get("GIT_DEPTH", "")
    strategy = environment.get("GIT_STRATEGY", "fetch")
    return Order(
        job_id=job.id,
        sources=NoSources()
        if strategy in {"none", "empty"}
        else site.sources(job, depth=int(depth) if depth.isdecimal() else DEFAULT_DEPTH),
        folder=folder,
        log=log_path(job, settings),
        environment=environment,
        secrets=tuple(one for one in (job.token, *tokens.values()) if one),
        script=(*definition.before_script, *definition.script),
        after_script=definition.after_script,
        timeout_s=definition.timeout_s,
        image=definition.image,
        services=definition.services,
        downloads=tuple(
            Download(name=one.name, job_id=one.id, archive=one.archive.path)
            for one in suppliers(job)
            if one.archive is not None and not expired(one, site)
        ),
        artifacts=definition.artifacts,
        archive=settings.root / "artifacts" / str(job.id) / "artifacts.zip",
        coverage=definition.coverage,
    )


def log_path(job: Job, settings: RunnerSettings) -> Path:
    """Tell where a job's log is."""
    return settings.root / "logs" / f"{job.id}.log"


def expired(job: Job, site: Site) -> bool:
    """Tell whether a job's artifacts are past their time."""
    expire_at = job.archive.expire_at if job.archive else None
    return expire_at is not None and expire_at <= site.now()


def forwarded(bridge: Job, *, below: Mapping[str, str]) -> dict[str, Variable]:
    """Give the variables that a trigger job hands to its child (doc/ci/yaml/_index.md#triggerforward)."""
    trigger = bridge.definition.trigger
    pipeline = bridge.pipeline
    out: dict[str, Variable] = {}
    if trigger is None:
        return out
    if trigger.forward_yaml_variables:
        own = bridge.definition.variables
        layers = [plain(below), own, pipeline.variables]
        values = resolved(layers)
        for name, one in own.items():
            text = expanded(one.value, values) if one.expand else one.value
            out[name] = Variable(value=text, expand=False)
    if trigger.forward_pipeline_variables:
        out.update(pipeline.variables)
    return out


def suppliers(job: Job) -> list[Job]:
    """Give the jobs whose artifacts this one gets."""
    definition = job.definition
    latest = job.pipeline.latest()
    if definition.needs is None:
        found = [one for one in latest if one.definition.stage_index < definition.stage_index]
    else:
        names = {need.job for need in definition.needs if need.artifacts}
        found = [one for one in latest if one.name in names]
    if definition.dependencies is not None:
        found = [one for one in found if any(_named(one.name, wanted) for wanted in definition.dependencies)]
    return found


def _named(name: str, wanted: str) -> bool:
    """Tell whether a dependency means this job; a parallel job may be named as a whole."""
    return name == wanted or re.fullmatch(re.escape(wanted) + r"(: \[.*\]| \d+/\d+)", name) is not None
