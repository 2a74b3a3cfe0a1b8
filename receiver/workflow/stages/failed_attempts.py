"""What follows an attempt that brought no fix: another one that repeats only what it must, or the end. Pure.

Failures of the work itself use up attempts (`policy.iterations`); those of runner, network or vendor don't, and are
tried again a bounded number of times; what would fail the same way again is not tried.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from pipelines.language import (
    Diagnosis,
    ImplementationResult,
    Phase,
    PhaseReport,
    ProjectPath,
    Sha256,
    TestingResult,
)
from pipelines.language.catalogue import Catalogue
from receiver import limits
from receiver.workflow import diagnoses, end_reasons
from receiver.workflow.attempts import next_attempt
from receiver.workflow.end_codes import CLASSES, EndCode, EndReason, FailureClass
from receiver.workflow.outcomes import ended, moved
from receiver.workflow.run import Cause, Decision, Failure, Prescription, Run, RunStatus
from receiver.workflow.stages.prescriptions import remedies

_JUDGED: Final = frozenset({Phase.TESTING, Phase.REVIEW, Phase.MERGE_REQUEST})
"""Phases that judge a fix: made anew whenever something before them is."""

_OF_AGENTS: Final = frozenset(Phase) - {Phase.PREPARE, Phase.GENERATE}
"""Phases that an agent works in, or judge its work."""

REDONE: Final[Mapping[Phase, frozenset[Phase]]] = {
    Phase.ANALYSIS: frozenset(Phase),
    Phase.PREPARE: frozenset({Phase.PREPARE, *_JUDGED}),
    Phase.GENERATE: frozenset({Phase.GENERATE}),
    Phase.REPRODUCTION: frozenset({Phase.REPRODUCTION, *_JUDGED}),
    Phase.IMPLEMENTATION: frozenset({Phase.IMPLEMENTATION, *_JUDGED}),
    Phase.TESTING: frozenset({Phase.IMPLEMENTATION, *_JUDGED}),
    Phase.REVIEW: frozenset({Phase.REVIEW, Phase.MERGE_REQUEST}),
    Phase.MERGE_REQUEST: frozenset({Phase.IMPLEMENTATION, *_JUDGED}),
}
"""What of a repository is made anew, by the phase in which the work failed."""

_ORDER: Final = tuple(Phase)

NOT_REPEATED: Final = frozenset({EndCode.CONTRADICTORY_REPORTS, EndCode.REPEATED_FAILURE, EndCode.REPEATED_CHANGE})
"""Failures of the work that another attempt does not mend: people have to look."""

RETRIED: Final = frozenset({EndCode.MODEL_UNAVAILABLE, EndCode.RUNNER})
"""Failures of runner, network or vendor that are tried again."""


def followed_up(run: Run, status: RunStatus, why: EndReason, *, catalogue: Catalogue, now: datetime) -> Decision:
    """Begin another attempt after one that failed because of `why`, or end the run with `status`."""
    match CLASSES.get(why.code):
        case FailureClass.CODE if why.code not in NOT_REPEATED and (found := remedies(run, causes(run), catalogue)):
            return _healed(run, why, found, catalogue=catalogue, now=now)
        case FailureClass.CODE if why.code not in NOT_REPEATED and _can_change(run, why):
            return _tried_again(run, status, why, catalogue=catalogue, now=now)
        case FailureClass.INFRASTRUCTURE if why.code in RETRIED and run.interruptions < limits.INTERRUPTIONS:
            return _waited_out(run, why, catalogue=catalogue, now=now)
        case _:
            return ended(run, status, _of_all(run, why), now=now)


def repeated_change(run: Run, report: PhaseReport) -> EndReason | None:
    """Return why a run ends whose new change failed before, without testing it again; None: it is another one."""
    if report.phase is not Phase.IMPLEMENTATION or report.iteration != run.iteration:
        return None
    change = _change_of(report)
    for failure in run.failures:
        if change is not None and failure.changes.get(report.repository or ProjectPath("")) == change:
            where = f" in {report.repository}" if report.repository else ""
            said = f"Attempt {run.iteration} made the same change{where} as attempt {failure.iteration}, which failed."
            return EndReason(code=EndCode.REPEATED_CHANGE, sentence=f"{said} {_TAKE_OVER}")
    return None


_TAKE_OVER: Final = (
    "It goes in circles: a person has to take it from here, or a hint in the ticket and the label again."
)


def _tried_again(run: Run, status: RunStatus, why: EndReason, *, catalogue: Catalogue, now: datetime) -> Decision:
    failure = _failure(run, why)
    same = next((one for one in run.failures if one.signature == failure.signature), None)
    if same is not None:
        said = f"Attempt {run.iteration} failed just as attempt {same.iteration} did. {why.sentence} {_TAKE_OVER}"
        again = EndReason(code=EndCode.REPEATED_FAILURE, sentence=said, diagnosis=why.diagnosis)
        return ended(run, RunStatus.ESCALATED, again, now=now)
    if run.fixes_tried >= catalogue.policy.iterations:
        return ended(run, status, _of_all(run, why), now=now)
    count = f"{run.fixes_tried} of {catalogue.policy.iterations}"
    return moved(
        run,
        RunStatus.STARTING,
        f"Attempt {count} failed, and another one begins with what was wrong. {_without_next_step(run, why)}",
        now=now,
        attempt=next_attempt(
            run,
            Cause.FAILED,
            catalogue=catalogue,
            diagnoses=_told(run, why),
            approved_by=run.approved_by,
            without=_of_any(_redone(run)),
            failure=failure,
        ),
    )


def _healed(
    run: Run, why: EndReason, found: tuple[Prescription, ...], *, catalogue: Catalogue, now: datetime
) -> Decision:
    """Begin an iteration in which commands of the repositories mend what failed, and all is tested again."""
    names = ", ".join(f"{one.remedy} in {one.repository}" for one in found)
    return moved(
        run,
        RunStatus.STARTING,
        f"Attempt {run.fixes_tried} failed, and a remedy is known for it ({names}). "
        f"It is applied, verified and tested; it counts as no attempt. {_without_next_step(run, why)}",
        now=now,
        attempt=next_attempt(
            run,
            Cause.HEALED,
            catalogue=catalogue,
            diagnoses=_told(run, why),
            approved_by=run.approved_by,
            without=_of_any(_redone(run)),
            failure=_failure(run, why),
            remedies=found,
        ),
    )


def _waited_out(run: Run, why: EndReason, *, catalogue: Catalogue, now: datetime) -> Decision:
    wait = limits.INTERRUPTED_WAIT * 5**run.interruptions
    minutes = int(wait.total_seconds() // 60)
    unit = "minute" if minutes == 1 else "minutes"
    return moved(
        run,
        RunStatus.STARTING,
        f"The attempt was interrupted, and goes on in {minutes} {unit}; it counts as none. "
        f"{_without_next_step(run, why)}",
        now=now,
        after=wait,
        attempt=next_attempt(
            run,
            Cause.INTERRUPTED,
            catalogue=catalogue,
            diagnoses=run.diagnoses,
            approved_by=run.approved_by,
            without=_of_any(_interrupted(run)),
        ),
    )


def _can_change(run: Run, why: EndReason) -> bool:
    """Say whether an agent can mend it: what fails on the unpatched repository without one is for people."""
    phases = {report.phase for report in causes(run)}
    return phases <= (_JUDGED if why.code is EndCode.COMMANDS else _OF_AGENTS)


def causes(run: Run) -> tuple[PhaseReport, ...]:
    """Return the reports that say why an attempt failed: of each repository the earliest, and those of the run."""
    found: dict[ProjectPath | None, PhaseReport] = {}
    for report in sorted(run.discarded, key=lambda one: _ORDER.index(one.phase)):
        if report.reason:
            found.setdefault(report.repository, report)
    return tuple(found.values())


def _redone(run: Run) -> dict[ProjectPath | None, frozenset[Phase]]:
    redone = {report.repository: REDONE[report.phase] for report in causes(run)}
    for report in causes(run):
        match report.result:
            case TestingResult(reproduction_before_failed=False):  # the reproduction is at fault
                redone[report.repository] = REDONE[Phase.REPRODUCTION]
    return redone


def _of_any(redone: Mapping[ProjectPath | None, frozenset[Phase]]) -> Callable[[PhaseReport], bool]:
    """Return which reports hold no more; phases under None are those of the run, and count for every repository."""
    of_run = redone.get(None, frozenset())
    return lambda report: report.phase in of_run | redone.get(report.repository, frozenset())


def _interrupted(run: Run) -> dict[ProjectPath | None, frozenset[Phase]]:
    """Return what an interrupted attempt has to make anew: the phases that reported nothing that counts follow."""
    return {report.repository: frozenset(_ORDER[_ORDER.index(report.phase) :]) for report in causes(run)}


def _told(run: Run, why: EndReason) -> tuple[Diagnosis, ...]:
    """Return what the next attempt is told: what went wrong in this one, and before it."""
    new = [diagnoses.of_report(report) for report in causes(run)]
    if not new and why.diagnosis is not None:
        new = [why.diagnosis]
    marked = tuple(msgspec.structs.replace(one, attempt=run.iteration) for one in new)
    return (*marked, *run.diagnoses)[: limits.DIAGNOSES]


def _failure(run: Run, why: EndReason) -> Failure:
    said = [diagnoses.of_report(report) for report in causes(run)] or ([why.diagnosis] if why.diagnosis else [])
    changes = {
        report.repository: change
        for report in run.reports
        if report.phase is Phase.IMPLEMENTATION
        and report.repository is not None
        and (change := _change_of(report)) is not None
    }
    return Failure(iteration=run.iteration, signature=signature(why.code, said), changes=changes)


def signature(code: EndCode, said: Iterable[Diagnosis]) -> Sha256:
    """Return the hash of what failed and how. Numbers in messages, such as durations and addresses, don't count."""
    parts = [
        (one.phase, one.repository, one.kind, sorted(one.tests), [_NUMBER.sub("#", text) for text in one.messages])
        for one in said
    ]
    document = msgspec.json.encode((code, sorted(parts, key=str)))
    return Sha256(hashlib.sha256(document).hexdigest())


_NUMBER: Final = re.compile(r"\d+")


def _change_of(report: PhaseReport) -> Sha256 | None:
    return report.result.patch_sha256 if isinstance(report.result, ImplementationResult) else None


def _of_all(run: Run, why: EndReason) -> EndReason:
    if run.fixes_tried <= 1:
        return why
    return msgspec.structs.replace(why, sentence=f"Attempt {run.fixes_tried} failed, too. {why.sentence}")


def _without_next_step(run: Run, why: EndReason) -> str:
    """Return what went wrong, without what people could do: nobody has to do anything yet."""
    found = causes(run)
    return end_reasons.sentence(found[0].reason) if found else why.sentence
