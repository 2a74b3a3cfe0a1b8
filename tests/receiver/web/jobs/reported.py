"""Reports of the jobs of a run, as the tests of the job API have them."""

from typing import Any

from msgspec.structs import replace

from pipelines.language import (
    AnalysisResult,
    Artifact,
    ArtifactKind,
    FixSubmission,
    GenerateResult,
    ImplementationResult,
    Phase,
    PhaseReport,
    PrepareResult,
    ProjectPath,
    ReportOutcome,
    ReproductionResult,
    ReviewResult,
    RunId,
    SuiteResult,
)
from pipelines.language import TestingResult as PatchTested
from tests.plans import a_part, a_plan

CONTACTS = ProjectPath("payk12/contacts")
BASE = "a" * 40
PATCH, OTHER, TEST = "b" * 64, "c" * 64, "d" * 64
PLAN = a_plan(repositories=[a_part(agent="python-pro")])
SUITE = SuiteResult(passed=9, failed=0, errors=0, skipped=0, duration_s=1, exit_code=0)
REPRODUCED = ReproductionResult(
    base_sha=BASE, reproduced=True, test_path="t.py", test_sha256=TEST, failure="f", symptom="s", steps=()
)
TESTED = PatchTested(
    base_sha=BASE,
    patch_sha256=PATCH,
    test_sha256=TEST,
    reproduction_before_failed=True,
    reproduction_after_passed=True,
    suite=SUITE,
    new_failures=(),
)
RESULTS: dict[Phase, Any] = {
    Phase.ANALYSIS: AnalysisResult(plan=PLAN),
    Phase.PREPARE: PrepareResult(base_sha=BASE, baseline=SUITE),
    Phase.GENERATE: GenerateResult(jobs=("x",), sha256=PATCH),
    Phase.REPRODUCTION: REPRODUCED,
    Phase.IMPLEMENTATION: ImplementationResult(
        base_sha=BASE,
        patch_sha256=PATCH,
        files=("src/a.py",),
        insertions=1,
        deletions=1,
        fix=FixSubmission(summary="s", files=[], risk="r", rollback="r"),
    ),
    Phase.TESTING: TESTED,
    Phase.REVIEW: ReviewResult(patch_sha256=PATCH, summary="s", findings=()),
}
FILES = {
    Phase.REPRODUCTION: (ArtifactKind.REPRODUCTION_TEST, "reproduction_test.py", TEST),
    Phase.IMPLEMENTATION: (ArtifactKind.CHANGE_SET, "change-set.json", PATCH),
}


def a_report(phase: Phase, /, **changes: Any) -> PhaseReport:
    kept = ()
    if phase in FILES:
        kind, name, digest = FILES[phase]
        kept = (Artifact(kind=kind, path=f".bug-fix/{phase}/{name}", sha256=digest, size=1),)
    report = PhaseReport(
        run=RunId("00000000000000aa"),
        iteration=1,
        phase=phase,
        repository=None if phase in {Phase.ANALYSIS, Phase.GENERATE} else CONTACTS,
        outcome=ReportOutcome.SUCCEEDED,
        reason="done",
        result=RESULTS[phase],
        artifacts=kept,
    )
    return replace(report, **changes)
