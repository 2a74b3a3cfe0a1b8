"""Trigger jobs: create the child pipeline that one asks for."""

from __future__ import annotations

import zipfile
from collections.abc import Awaitable, Callable

from sandbox.ci import limits
from sandbox.ci.configuration.compilation import Source
from sandbox.ci.configuration.definition import ArtifactInclude, LocalInclude, Trigger
from sandbox.ci.engine import steering
from sandbox.ci.engine.machine import Machine
from sandbox.ci.engine.orders import expired, forwarded
from sandbox.ci.engine.site import NewPipeline
from sandbox.ci.errors import CiError, ConfigError
from sandbox.ci.records import Job, Parent, Pipeline, Status


async def start(machine: Machine, bridge: Job, *, create: Callable[[NewPipeline], Awaitable[Pipeline]]) -> None:
    """Create the child; where that fails, the trigger job fails with GitLab's reason."""
    trigger = bridge.definition.trigger
    if trigger is None:
        raise TypeError(f"{bridge.name} is no trigger job")
    if bridge.pipeline.depth >= limits.CHILD_DEPTH:
        machine.set(bridge, Status.FAILED, reason="reached_max_descendant_pipelines_depth")
        return
    if _hierarchy(machine, bridge.pipeline) >= limits.HIERARCHY:
        machine.set(bridge, Status.FAILED, reason="reached_max_pipeline_hierarchy_size")
        return
    try:
        child = await create(await _new(machine, bridge, trigger))
    except (CiError, OSError, zipfile.BadZipFile) as error:
        bridge.problem = str(error)
        if bridge.status is Status.PENDING:
            machine.set(bridge, Status.FAILED, reason="downstream_pipeline_creation_failed")
        return
    bridge.downstream = child
    if bridge.status is not Status.PENDING:
        steering.cancel(machine, child)  # canceled while the child was made
        return
    machine.follow(bridge)


async def _new(machine: Machine, bridge: Job, trigger: Trigger) -> NewPipeline:
    parent = bridge.pipeline
    tree = await machine.site.tree(parent.project_id, parent.sha)
    sources: list[Source] = []
    for include in trigger.includes:
        if isinstance(include, ArtifactInclude):
            text = _artifact(machine, parent, include)
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
        protected=parent.protected,
        before_sha=parent.before_sha,
        variables=forwarded(bridge, below=parent.predefined),
        config=tuple(sources),
        parent=Parent(pipeline_id=parent.id, job_id=bridge.id),
        depth=parent.depth + 1,
    )


def _local(texts: dict[str, str], include: LocalInclude) -> str:
    text = texts.get(include.local.lstrip("/"))
    if text is None:
        raise ConfigError(f"Local file `{include.local}` does not exist!")
    return text


def _artifact(machine: Machine, pipeline: Pipeline, include: ArtifactInclude) -> str:
    job = pipeline.job(include.job)
    if job is None:
        raise ConfigError(f"Job `{include.job}` not found in parent pipeline or does not have artifacts!")
    if job.archive is None or expired(job, machine.site):
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


def _hierarchy(machine: Machine, pipeline: Pipeline) -> int:
    top = pipeline
    while top.parent is not None:
        top = machine.pipelines[top.parent.pipeline_id]
    members = {top.id}
    for one in machine.pipelines.values():
        if one.parent is not None and one.parent.pipeline_id in members:
            members.add(one.id)
    return len(members)
