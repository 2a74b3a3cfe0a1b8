"""Judge a run's success by five indicators: yes, no or unknown, each with its reason. Performs no I/O.

Want of data is never a yes. What a discarded report says counts only where it speaks against the run.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from msgspec import Struct

from pipelines.language import (
    ImplementationResult,
    Phase,
    PhaseResult,
    ProjectPath,
    ReportOutcome,
    ReproductionResult,
    SuiteResult,
    TestingResult,
)
from pipelines.proof.red_green import judge as judge_fix
from receiver.workflow import lifecycle
from receiver.workflow.run import RunStatus
from receiver.workflow.stages.target_pipeline_status import TargetPipelineStatus


class Name(StrEnum):
    """What is judged."""

    ALL_TESTS = "all_tests_pass"
    """Playwright, unit and integration tests, with the patch, and the repository's own pipeline does not say no."""
    COVERAGE_KEPT = "coverage_kept"
    MERGE_REQUEST_LINKED = "merge_request_linked"
    """Created, and linked with the ticket."""
    DOCUMENTATION_UPDATED = "documentation_updated"
    """Where it was needed."""
    NO_INTERVENTION = "no_intervention"


class Answer(StrEnum):
    """What came of it; of several the weightiest counts, and the first here weighs most."""

    NO = "no"
    UNKNOWN = "unknown"
    YES = "yes"


class Indicator(Struct, frozen=True, kw_only=True):
    """An indicator of a run's success."""

    name: Name
    answer: Answer
    reason: str
    """A sentence for people; it may hold untrusted text."""


class ReportFacts(Struct, frozen=True, kw_only=True):
    """A report of the current iteration."""

    phase: Phase
    repository: ProjectPath | None
    outcome: ReportOutcome
    counts: bool
    """Accepted; else it was discarded."""
    reason: str
    result: PhaseResult | None


class Opened(Struct, frozen=True, kw_only=True):
    """A merge request of the run."""

    repository: ProjectPath
    link: Answer
    """Whether the ticket links to it; unknown: that is still to be done."""
    target_pipeline: TargetPipelineStatus = TargetPipelineStatus.UNKNOWN
    """What the repository's own CI says of it."""


class Facts(Struct, frozen=True, kw_only=True):
    """What the judgement is made of."""

    status: RunStatus
    repositories: tuple[ProjectPath, ...]
    """In scope according to the accepted plan."""
    with_integration_tests: frozenset[ProjectPath]
    """Those whose catalogue entry names a command for them."""
    reports: tuple[ReportFacts, ...]
    merge_requests: tuple[Opened, ...]
    interventions: tuple[str, ...]
    """Their kinds."""

    def result(self, phase: Phase, repository: ProjectPath) -> PhaseResult | None:
        """Return what the report that counts for a phase and repository says."""
        found = [r for r in self.reports if r.counts and (r.phase, r.repository) == (phase, repository)]
        return found[-1].result if found else None


Said = tuple[Answer, str]


def judge(facts: Facts) -> tuple[Indicator, ...]:
    """Return the five indicators, in the order of their names."""
    nothing = (Answer.UNKNOWN, "No plan says which repositories are in scope.")
    of_each = {
        Name.ALL_TESTS: _tests,
        Name.COVERAGE_KEPT: _coverage,
        Name.MERGE_REQUEST_LINKED: _merge_request,
        Name.DOCUMENTATION_UPDATED: _documentation,
    }
    said = {
        name: _together([judge_one(facts, repository) for repository in facts.repositories]) or nothing
        for name, judge_one in of_each.items()
    }
    said[Name.NO_INTERVENTION] = _intervention(facts)
    return tuple(Indicator(name=name, answer=answer, reason=reason) for name, (answer, reason) in said.items())


_WEIGHT: Final = list(Answer)


def _together(said: Iterable[Said]) -> Said | None:
    """Return the weightiest answer, with all reasons for it."""
    every = list(said)
    if not every:
        return None
    answer = min((one for one, _ in every), key=_WEIGHT.index)
    return answer, " ".join(dict.fromkeys(reason for one, reason in every if one is answer))


def _tests(facts: Facts, repository: ProjectPath) -> Said:
    result = facts.result(Phase.TESTING, repository)
    if not isinstance(result, TestingResult):
        rejected = [
            r for r in facts.reports if (r.phase, r.repository) == (Phase.TESTING, repository) and _is_no(r.outcome)
        ]
        if rejected:
            return Answer.NO, f"{repository}: {rejected[-1].reason}"
        return Answer.UNKNOWN, f"{repository}: no patch was tested."
    for gap in judge_fix(_reproduction(facts, repository), result, _change(facts, repository)).gaps:
        return Answer.NO, f"{repository}: {gap}."
    suites = [("unit", result.suite)]
    if result.integration is not None or repository in facts.with_integration_tests:
        suites.append(("integration", result.integration))
    said = [_suite(kind, suite) for kind, suite in suites]
    answer = min((one for one, _ in said), key=_WEIGHT.index)
    parts = [part for one, part in said if one is answer]
    if answer is not Answer.YES:
        return answer, f"{repository}: {_listed(parts)} with the patch."
    passed = _listed(["the reproduction", *parts])
    opened = next((m for m in facts.merge_requests if m.repository == repository), None)
    if opened is not None and opened.target_pipeline is TargetPipelineStatus.FAILED:
        return Answer.NO, f"{repository}: {passed} pass, but the repository's own pipeline failed."
    return Answer.YES, f"{repository}: {passed} pass."


def _reproduction(facts: Facts, repository: ProjectPath) -> ReproductionResult | None:
    result = facts.result(Phase.REPRODUCTION, repository)
    return result if isinstance(result, ReproductionResult) else None


def _change(facts: Facts, repository: ProjectPath) -> ImplementationResult | None:
    result = facts.result(Phase.IMPLEMENTATION, repository)
    return result if isinstance(result, ImplementationResult) else None


def _is_no(outcome: ReportOutcome) -> bool:
    return outcome is ReportOutcome.REJECTED


def _listed(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]


def _suite(kind: str, suite: SuiteResult | None) -> Said:
    """Say how a suite went: a part of a sentence."""
    if suite is None:
        return Answer.UNKNOWN, f"no {kind} tests were run"
    # a test that fails in one of two runs on the same code says nothing of the patch
    broken = suite.failed + suite.errors - len(set(suite.failing) & set(suite.flaky))
    if broken > 0:
        return Answer.NO, f"{broken} {kind} {'test fails' if broken == 1 else 'tests fail'}"
    if not suite.passed:
        return Answer.UNKNOWN, f"no {kind} tests passed, and none failed"
    return Answer.YES, f"{suite.passed} {kind} {'test' if suite.passed == 1 else 'tests'}"


def _coverage(facts: Facts, repository: ProjectPath) -> Said:
    """Judge coverage: it fell only if the share fell and the number of uncovered lines grew."""
    result = facts.result(Phase.TESTING, repository)
    before, after = (result.coverage_before, result.coverage) if isinstance(result, TestingResult) else (None, None)
    shares = (before.percent if before else None, after.percent if after else None)
    if before is None or after is None or shares[0] is None or shares[1] is None:
        return Answer.UNKNOWN, f"{repository}: coverage was not measured before and after."
    fell = round(shares[1], 1) < round(shares[0], 1) and after.uncovered > before.uncovered
    said = f"{repository}: {shares[0]:.1f} % of lines before, {shares[1]:.1f} % after."
    return (Answer.NO if fell else Answer.YES), said


def _merge_request(facts: Facts, repository: ProjectPath) -> Said:
    found = next((m for m in facts.merge_requests if m.repository == repository), None)
    if found is not None:
        links = {
            Answer.YES: "is open and linked with the ticket",
            Answer.NO: "is open, but the ticket has no link to it",
            Answer.UNKNOWN: "is open; the ticket's link is still to be made",
        }
        return found.link, f"{repository}: the merge request {links[found.link]}."
    if facts.status in lifecycle.ACTIVE:
        return Answer.UNKNOWN, f"{repository}: no merge request was opened yet."
    return Answer.NO, f"{repository}: no merge request was opened."


def _documentation(facts: Facts, repository: ProjectPath) -> Said:
    result = facts.result(Phase.IMPLEMENTATION, repository)
    if not isinstance(result, ImplementationResult):
        return Answer.UNKNOWN, f"{repository}: there is no patch."
    if result.documents:
        return Answer.YES, f"{repository}: the patch changes {', '.join(result.documents[:3])}."
    if result.fix.documentation.strip():
        return Answer.YES, f"{repository}: no change was needed, says the agent: {result.fix.documentation.strip()}"
    return Answer.UNKNOWN, f"{repository}: the patch changes no documentation, and nothing says why."


def _intervention(facts: Facts) -> Said:
    if facts.interventions:
        kinds = ", ".join(dict.fromkeys(kind.replace("_", " ") for kind in facts.interventions))
        return Answer.NO, f"People had to step in: {kinds}."
    if facts.status in lifecycle.ACTIVE:
        return Answer.UNKNOWN, "Nobody had to step in so far."
    return Answer.YES, "Nobody had to step in."
