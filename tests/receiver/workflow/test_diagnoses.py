"""What a report that says no is a diagnosis of."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from pipelines.language import (
    Artifact,
    ArtifactKind,
    DiagnosisKind,
    EndedBy,
    FailedTest,
    NamedTest,
    Phase,
    Proof,
    ReportOutcome,
    TestWord,
)
from receiver.workflow import diagnoses

NO = ReportOutcome.REJECTED
CONTRADICTED = Proof(tests=(NamedTest(name="d", word=TestWord.CONTRADICTED),))


@pytest.mark.parametrize(
    ("phase", "outcome", "changes", "kind", "tests"),
    [
        (Phase.TESTING, NO, {"new_failures": ("a", "b"), "missing": ("b", "c")}, "failing_tests", ("a", "b", "c")),
        (Phase.TESTING, NO, {"proof": CONTRADICTED}, "failing_tests", ("d",)),
        (Phase.TESTING, NO, {"reproduction_after_passed": False, "new_failures": ("a",)}, "reproduction", ("a",)),
        (Phase.TESTING, NO, {"reproduction_before_failed": False}, "reproduction", ()),
        (Phase.TESTING, NO, {}, "regression", ()),
        (Phase.REPRODUCTION, NO, {}, "reproduction", ()),
        (Phase.IMPLEMENTATION, NO, {}, "refused_change", ()),
        (Phase.MERGE_REQUEST, NO, {}, "refused_change", ()),
        (Phase.ANALYSIS, NO, {}, "unfinished", ()),
        (Phase.IMPLEMENTATION, ReportOutcome.FAILED, {}, "unfinished", ()),
    ],
)
def test_the_kind_follows_from_phase_outcome_and_figures(
    world: Any, phase: Phase, outcome: ReportOutcome, changes: dict[str, Any], kind: str, tests: tuple[str, ...]
) -> None:
    report = world.report(phase, outcome, reason="Two tests fail.", **changes)
    found = diagnoses.of_report(report)
    assert (found.kind, found.tests, found.messages) == (kind, tests, ("Two tests fail.",))
    assert (found.phase, found.repository) == (report.phase, report.repository)


def test_what_failing_tests_said_is_told_and_where_the_first_of_them_did(world: Any) -> None:
    failed = (FailedTest(name="a", message="no"), FailedTest(name="b", message="1 != 2", file="x/y.py", line=7))
    found = diagnoses.of_report(world.report(Phase.TESTING, NO, new_failures=("a", "b"), failed=failed))
    assert found.failed == failed
    assert found.location is not None
    assert (found.location.file, found.location.line) == ("x/y.py", 7)


@pytest.mark.parametrize("ended_by", sorted(set(EndedBy) - {EndedBy.PHASE}))
def test_what_stopped_a_phase_from_outside_is_no_diagnosis_of_its_work(world: Any, ended_by: EndedBy) -> None:
    report = replace(world.report(Phase.TESTING, NO, new_failures=("a",)), ended_by=ended_by)
    assert diagnoses.of_report(report).kind is DiagnosisKind.INTERRUPTED


def test_the_log_is_referred_to_by_its_hash(world: Any) -> None:
    files = tuple(
        Artifact(kind=kind, path=f".bug-fix/testing/{kind}", sha256=digit * 64, size=1)
        for kind, digit in ((ArtifactKind.JUNIT, "1"), (ArtifactKind.LOG, "2"), (ArtifactKind.LOG, "3"))
    )
    assert diagnoses.of_report(replace(world.report(Phase.TESTING, NO), artifacts=files)).log == "2" * 64
    assert diagnoses.of_report(world.report(Phase.TESTING, NO)).log is None
