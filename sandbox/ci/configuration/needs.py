"""Connect the jobs of a pipeline: `needs` and `dependencies` resolved, checked against GitLab's limits, no cycles."""

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

import msgspec

from sandbox.ci import limits
from sandbox.ci.configuration.definition import JobDefinition, Need
from sandbox.ci.configuration.keywords import RawJob, RawNeed
from sandbox.ci.configuration.matrix import instances
from sandbox.ci.errors import ConfigError

Made = Sequence[tuple[str, JobDefinition]]
"""Jobs with the name of the entry that they come from."""


def connected(made: Made, raw: Mapping[str, RawJob]) -> tuple[JobDefinition, ...]:
    """Give the jobs with their needs; ConfigError names every fault."""
    jobs = {job.name: job for _, job in made}
    by_entry = {name: [one.name for one in instances(name, written.parallel)] for name, written in raw.items()}
    written_names = {name for names in by_entry.values() for name in names}
    errors: list[str] = []
    out: list[JobDefinition] = []
    for entry, job in made:
        try:
            needs = raw[entry].needs
            if needs is not None:
                one_by_one = _expanded(job, needs, by_entry, written_names)
                job = msgspec.structs.replace(job, needs=tuple(_existing(job, one_by_one, jobs)))  # noqa: PLW2901
            _check_dependencies(job, by_entry, jobs)
            out.append(job)
        except ConfigError as error:
            errors.extend(error.errors)
    if errors:
        raise ConfigError(*errors)
    _check_cycles(out)
    return tuple(out)


def _expanded(
    job: JobDefinition, needs: Sequence[str | RawNeed], by_entry: Mapping[str, list[str]], known: set[str]
) -> list[Need]:
    """Replace needed parallel jobs by their instances."""
    found: list[Need] = []
    for need in needs:
        one = RawNeed(job=need) if isinstance(need, str) else need
        if one.parallel is not None:
            names = [instance.name for instance in instances(one.job, one.parallel)]
        else:
            names = by_entry.get(one.job, [one.job])
        if not one.optional and (missing := next((name for name in names if name not in known), None)):
            raise ConfigError(f"{job.name} job: undefined need: {missing}")
        found.extend(Need(job=name, artifacts=one.artifacts, optional=one.optional) for name in names)
    if len(found) > limits.NEEDS:
        raise ConfigError(
            f"'{job.name}' job: one job can only need {limits.NEEDS} others, but you have listed {len(found)}. "
            "See needs keyword documentation for more details"
        )
    if long := next((one.job for one in found if len(one.job) > limits.NEEDED_NAME), None):
        raise ConfigError(
            f"{job.name} job: needs:{long[:60]}… name is too long (maximum is {limits.NEEDED_NAME} characters)"
        )
    return found


def _existing(job: JobDefinition, needs: Iterable[Need], jobs: Mapping[str, JobDefinition]) -> Iterable[Need]:
    for need in needs:
        if need.job in jobs:
            if jobs[need.job].stage_index > job.stage_index:
                raise ConfigError(f"{job.name} job: need {need.job} is not defined in current or prior stages")
            yield need
        elif not need.optional:
            raise ConfigError(
                f"'{job.name}' job needs '{need.job}' job, but '{need.job}' does not exist in the pipeline. "
                "This might be because of the only, except, or rules keywords. "
                "To need a job that sometimes does not exist in the pipeline, use needs:optional."
            )


def _check_dependencies(
    job: JobDefinition, by_entry: Mapping[str, list[str]], jobs: Mapping[str, JobDefinition]
) -> None:
    for name in job.dependencies or ():
        targets = by_entry.get(name, [name])
        if name not in by_entry and name not in jobs:
            raise ConfigError(f"{job.name} job: undefined dependency: {name}")
        if job.needs is not None and not set(targets) & {need.job for need in job.needs}:
            raise ConfigError(f"{job.name} job: dependency {name} should be part of needs")
        if any(jobs[one].stage_index >= job.stage_index for one in targets if one in jobs and job.needs is None):
            raise ConfigError(f"{job.name} job: dependency {name} is not defined in current or prior stages")


def _check_cycles(made: Sequence[JobDefinition]) -> None:
    graph = {job.name: [need.job for need in job.needs or ()] for job in made}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise ConfigError(
            f"The pipeline has circular dependencies: topological sort failed: {error.args[1]}"
        ) from error
