"""`generate`: the child pipeline from the accepted plan, which comes from the receiver only."""

from __future__ import annotations

from pipelines.generation.graph import GraphError, Origin, build
from pipelines.generation.render import render
from pipelines.job.communication.errors import JobError
from pipelines.job.workspace.job import Job
from pipelines.language import ArtifactKind, GenerateResult, PhaseReport, ReportOutcome


def run(job: Job) -> PhaseReport:
    """Write `.bug-fix/generate/child.yml`, which the trigger job includes."""
    spec = job.spec
    if spec.plan is None:
        raise JobError("The receiver has no accepted plan for this run.")
    try:
        child = build(
            spec.plan,
            catalogue=spec.catalogue,
            origin=Origin(
                run=spec.run,
                pipeline=spec.pipeline,
                issue_key=spec.ticket.key,
                receiver=job.settings.receiver,
            ),
            approval=spec.approval,
            confidential=spec.confidential,
            done=spec.done,
        )
    except GraphError as error:
        raise JobError(str(error)) from error
    kept = job.artifacts.keep(ArtifactKind.CHILD_PIPELINE, "child.yml", render(child).encode())
    jobs = tuple(entry.name for entry in child.jobs)
    for name in jobs:
        job.log.state(f"  {name}")
    repositories = f"{len(child.stacks)} repositor{'y' if len(child.stacks) == 1 else 'ies'}"
    reason = f"{len(jobs)} jobs for {repositories}." if jobs else f"No fix: {str(child.ending).replace('_', ' ')}."
    return job.report(ReportOutcome.SUCCEEDED, reason, GenerateResult(jobs=jobs, sha256=kept.sha256))
