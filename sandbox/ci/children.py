"""Trigger jobs: create the child pipeline that one asks for, and let it follow the child's status."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from sandbox.ci import limits, steering
from sandbox.ci.compilation import Source
from sandbox.ci.definition import ArtifactInclude, LocalInclude, Strategy, Trigger
from sandbox.ci.errors import CiError, ConfigError
from sandbox.ci.orders import expired, forwarded
from sandbox.ci.records import COMPLETED, Job, Parent, Pipeline, Status
from sandbox.ci.site import NewPipeline

if TYPE_CHECKING:
    from sandbox.ci.engine import Engine

_DEPENDS = {
    Status.SUCCESS: Status.SUCCESS,
    Status.CANCELED: Status.CANCELED,
    Status.FAILED: Status.FAILED,
    Status.SKIPPED: Status.FAILED,
}
"""What a job with `strategy: depend` becomes; anything else leaves it running."""


async def start(engine: Engine, bridge: Job) -> None:
    """Create the child; where that fails, the trigger job fails with GitLab's reason."""
    trigger = bridge.definition.trigger
    if trigger is None:
        raise TypeError(f"{bridge.name} is no trigger job")
    if bridge.pipeline.depth >= limits.CHILD_DEPTH:
        engine.set(bridge, Status.FAILED, reason="reached_max_descendant_pipelines_depth")
        return
    if _hierarchy(engine, bridge.pipeline) >= limits.HIERARCHY:
        engine.set(bridge, Status.FAILED, reason="reached_max_pipeline_hierarchy_size")
        return
    try:
        child = await engine.create(await _new(engine, bridge, trigger))
    except (CiError, OSError, zipfile.BadZipFile) as error:
        bridge.problem = str(error)
        if bridge.status is Status.PENDING:
            engine.set(bridge, Status.FAILED, reason="downstream_pipeline_creation_failed")
        return
    bridge.downstream = child
    if bridge.status is not Status.PENDING:
        steering.cancel(engine, child)  # canceled while the child was made
        return
    follow(engine, bridge)


async def _new(engine: Engine, bridge: Job, trigger: Trigger) -> NewPipeline:
    parent = bridge.pipeline
    tree = await engine.site.tree(parent.project_id, parent.sha)
    sources: list[Source] = []
    for include in trigger.includes:
        if isinstance(include, ArtifactInclude):
            text = _artifact(engine, parent, include)
            where = f"{include.artifact} of {include.job}"
        else:
            text, where = _local(tree.texts, include), include.local
        sources.append(
            Source(text=text, inputs=include.inputs, where=where, generated=isinstance(include, ArtifactInclude))
        )
    return NewPipeline(
        project_id=parent.project_id,
        ref=parent.ref,
        sha=parent.sha,
        source="parent_pipeline",
        user_id=bridge.user_id,
        tag=parent.tag,
        protected=parent.protected,
        before_sha=parent.before_sha,
        variables=forwarded(bridge, site=engine.site, below=engine.predefined(parent)),
        config=tuple(sources),
        parent=Parent(pipeline_id=parent.id, job_id=bridge.id),
        depth=parent.depth + 1,
    )


def _local(texts: dict[str, str], include: LocalInclude) -> str:
    text = texts.get(include.local.lstrip("/"))
    if text is None:
        raise ConfigError(f"Local file `{include.local}` does not exist!")
    return text


def _artifact(engine: Engine, pipeline: Pipeline, include: ArtifactInclude) -> str:
    job = pipeline.job(include.job)
    if job is None:
        raise ConfigError(f"Job `{include.job}` not found in parent pipeline or does not have artifacts!")
    if job.archive is None or expired(job, engine.site):
        raise ConfigError(f"Job `{include.job}` has missing artifacts metadata and cannot be extracted!")
    if job.archive.size > limits.ARTIFACT_YAML_BYTES:
        raise ConfigError(f"Artifacts archive for job `{include.job}` is too large: max {limits.ARTIFACT_YAML_BYTES}")
    with zipfile.ZipFile(job.archive.path) as archive:
        try:
            info = archive.getinfo(include.artifact)
            if info.file_size > limits.YAML_BYTES:
                raise ConfigError(f"{include.artifact}: The parsed YAML is too big")
            return archive.read(info).decode()
        except (KeyError, UnicodeDecodeError) as error:
            raise ConfigError(f"File `{include.artifact}` not found in artifacts of `{include.job}`") from error


def follow(engine: Engine, bridge: Job) -> None:
    """Give a trigger job the status that its child and its strategy make."""
    trigger, child = bridge.definition.trigger, bridge.downstream
    if trigger is None or child is None:
        return
    match trigger.strategy:
        case None:
            to = Status.SUCCESS
        case Strategy.MIRROR:
            to = child.status
        case Strategy.DEPEND:
            to = _DEPENDS.get(child.status, Status.RUNNING)
    if to is bridge.status or (trigger.strategy is None and bridge.status in COMPLETED):
        return
    if bridge.started_at is None:
        bridge.started_at = engine.site.now()
    reopened = bridge.status in COMPLETED and to not in COMPLETED
    engine.set(bridge, to, reason="downstream_pipeline_failed" if to is Status.FAILED else None)
    if reopened:
        steering.reopen(engine, bridge.pipeline)
    engine.advance(bridge.pipeline)


def _hierarchy(engine: Engine, pipeline: Pipeline) -> int:
    top = pipeline
    while top.parent is not None:
        top = engine.pipelines[top.parent.pipeline_id]
    members = {top.id}
    for one in engine.pipelines.values():
        if one.parent is not None and one.parent.pipeline_id in members:
            members.add(one.id)
    return len(members)
