"""Whether a report may be taken: it agrees with itself, and its paths stay where they belong. Pure."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable
from typing import Final

from pipelines.catalogue.plan_check import problems as plan_problems
from pipelines.language import (
    AnalysisResult,
    Artifact,
    Phase,
    PhaseReport,
    PipelineKey,
    Plan,
    ProjectPath,
    ReportOutcome,
    ReproductionResult,
    RunId,
)
from pipelines.language.catalogue import Catalogue
from pipelines.language.wire import WIRE_VERSION, decode
from receiver import limits
from receiver.jobs.report_figures import facts
from receiver.json_keys import unique_keys

MAY_SAY_NO: Final = frozenset({Phase.REPRODUCTION, Phase.TESTING, Phase.REVIEW, Phase.MERGE_REQUEST})
"""Phases that end as `not_reproduced`: the one that finds out, and those that have nothing to do then."""


def read(body: bytes) -> PhaseReport:
    """Return the report in a body. Raises msgspec.DecodeError, msgspec.ValidationError, ValueError, RecursionError."""
    report = decode(body, PhaseReport)
    # A key that is given twice reads differently to different parsers, and what is stored must be what was meant.
    json.loads(body, object_pairs_hook=unique_keys)
    return report


def misdirected(
    report: PhaseReport, *, run: RunId, pipeline: PipelineKey, phase: Phase, repository: ProjectPath | None
) -> str | None:
    """Return why a report can't be the one of a session's job, None when it is."""
    told = PipelineKey(kind=report.kind, number=report.iteration)
    if (report.run, told, report.phase, report.repository) == (run, pipeline, phase, repository):
        return None
    return f"This session belongs to {phase} of {pipeline}; the report does not."


def problems(
    report: PhaseReport, *, catalogue: Catalogue, readable: Container[ProjectPath], approved: Plan | None = None
) -> list[str]:
    """Return why a report can't be taken, a sentence each; none when it may be stored.

    `readable`: repositories whose commit the run knows.
    `approved`: the plan that people approved for this iteration, which is the only one that it may report.
    """
    result = report.result
    found = [sentence for sentence, wrong in _facts(report) if wrong]
    if result is not None and (tag := result.__struct_config__.tag) != report.phase:
        found.append(f"A {report.phase} job reports a {report.phase} result, not {tag}.")
    if report.agent is not None and report.agent not in catalogue.agents:
        found.append(f"{report.agent[:100]} is not an agent of the catalogue.")
    found += _artifacts(report.artifacts, report.phase)
    if isinstance(result, AnalysisResult):
        found += plan_problems(result.plan, catalogue, readable=readable)
        if approved is not None and result.plan != approved:
            found.append("This is not the plan that was approved.")
    return found


def _facts(report: PhaseReport) -> Iterable[tuple[str, bool]]:
    """Give sentences, and whether what each complains of is so."""
    result, outcome = report.result, report.outcome
    yield f"This receiver reads reports up to version {WIRE_VERSION}.", report.version > WIRE_VERSION
    yield "A phase that succeeded has a result.", outcome is ReportOutcome.SUCCEEDED and result is None
    yield (
        f"A {report.phase} job can't end as not reproduced.",
        outcome is ReportOutcome.NOT_REPRODUCED and report.phase not in MAY_SAY_NO,
    )
    yield (
        "The outcome and the result say different things about the reproduction.",
        isinstance(result, ReproductionResult)
        and outcome in {ReportOutcome.SUCCEEDED, ReportOutcome.NOT_REPRODUCED}
        and result.reproduced is not (outcome is ReportOutcome.SUCCEEDED),
    )
    yield f"A reason has at most {limits.REPORT_REASON} characters.", len(report.reason) > limits.REPORT_REASON
    yield from facts(report)


def _artifacts(artifacts: tuple[Artifact, ...], phase: Phase) -> list[str]:
    found: list[str] = []
    if len(artifacts) > limits.REPORT_ARTIFACTS:
        return [f"A report lists at most {limits.REPORT_ARTIFACTS} artifacts, not {len(artifacts)}."]
    paths = [artifact.path for artifact in artifacts]
    if len(set(paths)) != len(paths):
        found.append("An artifact is listed twice.")
    found += [f"{path[:100]!r} is not a path below .bug-fix/{phase}/." for path in paths if not _inside(path, phase)]
    if any(not 0 <= artifact.size <= limits.ARTIFACT_FILE for artifact in artifacts):
        found.append("An artifact's size is not possible.")
    return found


def _inside(path: str, phase: Phase) -> bool:
    first, _, rest = path.partition("/")
    second, _, rest = rest.partition("/")
    parts = rest.split("/")
    return (
        (first, second) == (".bug-fix", phase)
        and len(path) <= limits.REPORT_PATH
        and path.isprintable()
        and "\\" not in path
        and not any(part in {"", ".", ".."} for part in parts)
    )
