"""Which reports may be taken."""

from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from pipelines.language import (
    Artifact,
    ArtifactKind,
    CheckResult,
    Coverage,
    FailedTest,
    GenerateResult,
    NamedTest,
    Phase,
    PhaseReport,
    PrepareResult,
    ProjectPath,
    Proof,
    ReportOutcome,
    ReproductionResult,
    RunId,
    SuiteResult,
    TestWord,
)
from pipelines.language import TestingResult as PatchTested
from pipelines.language.catalogue import Agent, Catalogue, Jira, Start
from pipelines.language.policy import Policy
from pipelines.language.wire import encode
from receiver import limits
from receiver.jobs import report_checks
from receiver.jobs.report_checks import read

CATALOGUE = Catalogue(
    automation_project=ProjectPath("payk12/bug-fix"),
    automation_ref="main",
    jira=Jira(project="PL", start=Start()),
    policy=Policy(),
    agents={"default": Agent(name="default", model="m")},
    repositories={},
)
problems = partial(report_checks.problems, readable=CATALOGUE.repositories)
RESULT = ReproductionResult(
    base_sha="a" * 40, reproduced=True, test_path="t.py", test_sha256="b" * 64, failure="f", symptom="s", steps=()
)
REPORT = PhaseReport(
    run=RunId("0" * 16),
    iteration=1,
    phase=Phase.REPRODUCTION,
    repository=ProjectPath("payk12/contacts"),
    outcome=ReportOutcome.SUCCEEDED,
    reason="RED on the unpatched code.",
    result=RESULT,
    agent="default",
)


def artifact(path: str = ".bug-fix/reproduction/t.py", size: int = 1) -> Artifact:
    return Artifact(kind=ArtifactKind.REPRODUCTION_TEST, path=path, sha256="b" * 64, size=size)


def test_an_honest_report_may_be_taken() -> None:
    assert problems(replace(REPORT, artifacts=(artifact(),)), catalogue=CATALOGUE) == []
    no = replace(REPORT, outcome=ReportOutcome.NOT_REPRODUCED, result=replace(RESULT, reproduced=False))
    assert problems(no, catalogue=CATALOGUE) == []
    assert problems(replace(REPORT, outcome=ReportOutcome.FAILED, result=None), catalogue=CATALOGUE) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"version": 2}, "version"),
        ({"result": None}, "has a result"),
        ({"result": GenerateResult(jobs=(), sha256="0" * 64)}, "not generate"),
        ({"outcome": ReportOutcome.NOT_REPRODUCED}, "different things"),
        ({"result": replace(RESULT, reproduced=False)}, "different things"),
        ({"phase": Phase.ANALYSIS, "result": None, "outcome": ReportOutcome.NOT_REPRODUCED}, "can't end"),
        ({"agent": "a-stranger"}, "not an agent"),
        ({"reason": "x" * (limits.REPORT_REASON + 1)}, "characters"),
        ({"turns": -1}, "negative"),
        ({"job_seconds": float("inf")}, "numbers"),
        ({"artifacts": (artifact(),) * 2}, "twice"),
        (
            {"artifacts": tuple(artifact(f".bug-fix/reproduction/{n}") for n in range(limits.REPORT_ARTIFACTS + 1))},
            "at most",
        ),
        ({"artifacts": (artifact(size=-1),)}, "size"),
        ({"artifacts": (artifact(size=2**62),)}, "size"),
    ],
)
def test_each_thing_that_is_wrong_has_its_sentence(change: dict[str, Any], says: str) -> None:
    (sentence,) = problems(replace(REPORT, **change), catalogue=CATALOGUE)
    assert says in sentence


SUITE = SuiteResult(passed=3, failed=1, errors=0, skipped=0, duration_s=1.5, exit_code=1, failing=("t::a",))
COVERED = Coverage(covered=80, coverable=100)
LINT = CheckResult(exit_code=1, duration_s=0.5)
PREPARED = PrepareResult(base_sha="a" * 40, baseline=SUITE, integration=SUITE, coverage=COVERED, lint=LINT)
TESTED = PatchTested(
    base_sha="a" * 40,
    patch_sha256="b" * 64,
    test_sha256="c" * 64,
    reproduction_before_failed=True,
    reproduction_after_passed=True,
    suite=SUITE,
    integration=SUITE,
    new_failures=(),
    coverage_before=COVERED,
    coverage=COVERED,
    changed_coverage=Coverage(covered=0, coverable=0),
    lint=LINT,
)
MANY = tuple(f"t::{number}" for number in range(51))


def test_possible_figures_may_be_taken() -> None:
    for phase, result in ((Phase.PREPARE, PREPARED), (Phase.TESTING, TESTED)):
        assert problems(replace(REPORT, phase=phase, result=result), catalogue=CATALOGUE) == []


@pytest.mark.parametrize("field", ["baseline", "suite", "integration"])
@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"passed": -1}, "negative"),
        ({"errors": -1, "failed": 2}, "negative"),
        ({"skipped": 10**12}, "larger"),
        ({"duration_s": -0.1}, "negative"),
        ({"duration_s": float("nan")}, "numbers"),
        ({"failing": ("t::a", "t::b")}, "more failing tests than it counts"),
        ({"failed": 60, "failing": MANY}, "At most 50"),
        ({"flaky": MANY}, "At most 50"),
    ],
)
def test_a_suite_with_impossible_figures_is_refused(field: str, change: dict[str, Any], says: str) -> None:
    of = {Phase.PREPARE: PREPARED, Phase.TESTING: TESTED}
    found = [
        sentence
        for phase, result in of.items()
        if hasattr(result, field)
        for sentence in problems(
            replace(REPORT, phase=phase, result=replace(result, **{field: replace(SUITE, **change)})),
            catalogue=CATALOGUE,
        )
    ]
    assert found
    assert all(says in sentence for sentence in found)


@pytest.mark.parametrize("field", ["coverage_before", "coverage", "changed_coverage"])
@pytest.mark.parametrize(
    ("covered", "coverable", "says"),
    [(2, 1, "No more lines are covered"), (-1, 1, "negative"), (0, 10**12, "larger")],
)
def test_impossible_coverage_is_refused(field: str, covered: int, coverable: int, says: str) -> None:
    result = replace(TESTED, **{field: Coverage(covered=covered, coverable=coverable)})
    (sentence,) = problems(replace(REPORT, phase=Phase.TESTING, result=result), catalogue=CATALOGUE)
    assert says in sentence


@pytest.mark.parametrize(
    "change",
    [
        {"new_failures": MANY},
        {"missing": MANY},
        {"proof": Proof(red_tests=MANY)},
        {"proof": Proof(tests=tuple(NamedTest(name=one, word=TestWord.CONTRADICTED) for one in MANY))},
    ],
)
def test_lists_of_tests_have_an_end(change: dict[str, Any]) -> None:
    result = replace(TESTED, **change)
    (sentence,) = problems(replace(REPORT, phase=Phase.TESTING, result=result), catalogue=CATALOGUE)
    assert "At most 50" in sentence


@pytest.mark.parametrize(
    ("failed", "says"),
    [
        ((FailedTest(name="a"),) * 11, "At most 10"),
        ((FailedTest(name="a", message="x" * 501),), "500 characters"),
        ((FailedTest(name="a", file="x" * 501),), "500 characters"),
        ((FailedTest(name="a", file="a\nb.py"),), "at a line of a file"),
        ((FailedTest(name="a", line=-1),), "at a line of a file"),
    ],
)
def test_what_failing_tests_said_has_an_end(failed: tuple[FailedTest, ...], says: str) -> None:
    report = replace(REPORT, phase=Phase.TESTING, result=replace(TESTED, failed=failed))
    (sentence,) = problems(report, catalogue=CATALOGUE)
    assert says in sentence


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "t.py",
        ".bug-fix",
        ".bug-fix/reproduction",
        ".bug-fix/reproduction/",
        ".bug-fix/testing/t.py",
        ".bug-fix/reproduction/../testing/t.py",
        ".bug-fix/reproduction/./t.py",
        ".bug-fix/reproduction//t.py",
        "./.bug-fix/reproduction/t.py",
        ".bug-fix\\reproduction\\t.py",
        ".bug-fix/reproduction/a\\..\\b",
        ".bug-fix/reproduction/a\0b",
        ".bug-fix/reproduction/a\nb",
        ".bug-fix/reproduction/\u202eyp.t",
        ".bug-fix/reproduction/" + "x" * 500,
    ],
)
def test_artifacts_stay_below_the_folder_of_their_phase(path: str) -> None:
    (sentence,) = problems(replace(REPORT, artifacts=(artifact(path),)), catalogue=CATALOGUE)
    assert "is not a path below .bug-fix/reproduction/" in sentence


def test_a_report_is_read_as_it_was_written() -> None:
    assert read(encode(REPORT)) == REPORT


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        encode(REPORT).replace(b'"reason"', b'"reason":"another","reason"'),
        encode(REPORT).replace(b'"symptom"', b'"symptom":"another","symptom"'),
        encode(REPORT).replace(b'"iteration":1', b'"iteration":"1"'),
        b"[" * 100_000,
    ],
)
def test_what_could_be_read_in_two_ways_is_no_report(body: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        read(body)
