"""Which reports may be taken."""

from typing import Any

import pytest
from msgspec.structs import replace

from pipelines.catalogue import Agent, Catalogue, Jira, Policy, Start
from pipelines.model import (
    Artifact,
    ArtifactKind,
    GenerateResult,
    Phase,
    PhaseReport,
    ProjectPath,
    ReportOutcome,
    ReproductionResult,
    RunId,
)
from pipelines.wire import encode
from receiver.jobs.reports import LONGEST_REASON, MOST_ARTIFACTS, problems, read

CATALOGUE = Catalogue(
    automation_project=ProjectPath("payk12/bug-fix"),
    automation_ref="main",
    jira=Jira(project="PL", start=Start()),
    policy=Policy(),
    agents={"default": Agent(name="default", model="m")},
    repositories={},
)
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
        ({"reason": "x" * (LONGEST_REASON + 1)}, "characters"),
        ({"turns": -1}, "negative"),
        ({"job_seconds": float("inf")}, "numbers"),
        ({"artifacts": (artifact(),) * 2}, "twice"),
        ({"artifacts": tuple(artifact(f".bug-fix/reproduction/{n}") for n in range(MOST_ARTIFACTS + 1))}, "at most"),
        ({"artifacts": (artifact(size=-1),)}, "size"),
        ({"artifacts": (artifact(size=2**62),)}, "size"),
    ],
)
def test_each_thing_that_is_wrong_has_its_sentence(change: dict[str, Any], says: str) -> None:
    (sentence,) = problems(replace(REPORT, **change), catalogue=CATALOGUE)
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
