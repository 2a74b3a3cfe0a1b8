"""A job can't claim success against its own figures, or against those of another job."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from pipelines.language import CheckResult, Coverage, Phase, PhaseReport, PrepareResult, ReportOutcome, SuiteResult
from pipelines.language.policy import Policy
from receiver.workflow.run import RunStatus
from receiver.workflow.stages.fix_gate import contradiction

SUITE = SuiteResult(passed=9, failed=0, errors=0, skipped=0, duration_s=1, exit_code=0)
COVERAGE = Coverage(covered=80, coverable=100)
LINT = CheckResult(exit_code=0, duration_s=1)
SHA = "a" * 40
BEFORE = PrepareResult(base_sha=SHA, baseline=SUITE, integration=SUITE, coverage=COVERAGE, lint=LINT)
FINE: dict[str, Any] = {
    "suite": SUITE,
    "integration": SUITE,
    "coverage_before": COVERAGE,
    "coverage": COVERAGE,
    "lint": LINT,
}
RED = replace(SUITE, passed=8, failed=1, exit_code=1)


def verdict(world: Any, before: PrepareResult | None, policy: Policy | None = None, **testing: Any) -> str | None:
    reports: list[PhaseReport] = [
        world.report(Phase.REPRODUCTION),
        world.report(Phase.IMPLEMENTATION),
        world.report(Phase.TESTING, **{**FINE, **testing}),
        world.report(Phase.MERGE_REQUEST),
    ]
    if before is not None:
        reports.append(replace(reports[0], phase=Phase.PREPARE, result=before))
    run = world.run(RunStatus.RUNNING, reports=tuple(reports))
    return contradiction(run, world.repository, policy=policy or Policy())


def test_reports_that_agree_contradict_nothing(world: Any) -> None:
    assert verdict(world, BEFORE) is None
    assert verdict(world, None, coverage_before=None) is None


def honest_no(report: PhaseReport, *, with_result: bool = False) -> PhaseReport:
    return replace(report, outcome=ReportOutcome.NOT_REPRODUCED, result=report.result if with_result else None)


def test_three_honest_noes_contradict_nothing(world: Any) -> None:
    noes = [
        honest_no(world.report(Phase.REPRODUCTION), with_result=True),
        honest_no(world.report(Phase.TESTING)),
        honest_no(world.report(Phase.MERGE_REQUEST)),
    ]
    run = world.run(RunStatus.RUNNING, reports=tuple(noes))
    assert contradiction(run, world.repository, policy=Policy()) is None


def test_a_success_after_an_honest_no_is_a_contradiction(world: Any) -> None:
    noes = [
        honest_no(world.report(Phase.REPRODUCTION), with_result=True),
        honest_no(world.report(Phase.TESTING)),
        world.report(Phase.MERGE_REQUEST),
    ]
    run = world.run(RunStatus.RUNNING, reports=tuple(noes))
    assert contradiction(run, world.repository, policy=Policy()) == "a report's result is not the one of its phase"


@pytest.mark.parametrize(
    ("testing", "says"),
    [
        ({"reproduction_before_failed": False}, "did not fail before"),
        ({"reproduction_after_passed": False}, "does not pass with the patch"),
        ({"test_sha256": "e" * 64}, "another test"),
        ({"patch_sha256": "e" * 64}, "not the tested one"),
        ({"base_sha": "e" * 40}, "another commit"),
        ({"new_failures": ("t::a",)}, "1 test fails that did not fail before"),
        ({"suite": RED}, "1 unit tests fail; 0 failed before"),
        ({"integration": RED}, "1 integration tests fail; 0 failed before"),
        ({"integration": None}, "integration tests were not run"),
        ({"suite": replace(SUITE, exit_code=1)}, "names no failing test"),
        ({"suite": replace(SUITE, passed=3)}, "must not vanish"),
        ({"missing": ("t::a",)}, "did not run"),
        ({"coverage": Coverage(covered=70, coverable=100)}, "Coverage fell"),
        ({"coverage": None}, "no coverage report"),
        ({"coverage_before": Coverage(covered=1, coverable=100)}, "that prepare did not report"),
        ({"changed_coverage": Coverage(covered=0, coverable=3)}, "Tests run 0 of the 3 changed lines"),
        ({"lint": CheckResult(exit_code=1, duration_s=1)}, "Lint was clean"),
        ({"lint": None}, "Lint was not run"),
    ],
)
def test_success_against_the_figures_is_a_contradiction(world: Any, testing: dict[str, Any], says: str) -> None:
    found = verdict(world, BEFORE, **testing)
    assert found is not None
    assert says in found


def test_what_failed_before_is_known_only_from_the_baseline(world: Any) -> None:
    assert verdict(world, replace(BEFORE, baseline=RED), suite=RED) is None
    assert verdict(world, None, coverage_before=None, suite=RED) is not None


def test_a_baseline_of_another_commit_says_nothing(world: Any) -> None:
    assert "another commit" in (verdict(world, replace(BEFORE, base_sha="e" * 40)) or "")


def test_tolerances_are_those_of_the_runs_catalogue(world: Any) -> None:
    fallen = {"coverage": Coverage(covered=78, coverable=100), "changed_coverage": Coverage(covered=0, coverable=3)}
    lenient = Policy(coverage_tolerance_pp=Decimal(2), changed_coverage_min=0)
    assert verdict(world, BEFORE, lenient, **fallen) is None
    assert verdict(world, BEFORE, **fallen) is not None


def test_lines_that_the_patch_removes_may_go_from_what_is_measured(world: Any) -> None:
    """The reports of the tests' world say that one line is removed."""
    assert verdict(world, BEFORE, coverage=Coverage(covered=78, coverable=98)) is None
    assert "measured of 97 lines" in (verdict(world, BEFORE, coverage=Coverage(covered=77, coverable=97)) or "")
