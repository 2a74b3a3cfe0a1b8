"""What a job hands in: bytes under their own hash, and one report."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from pipelines.language import (
    AnalysisResult,
    Artifact,
    ArtifactKind,
    GenerateResult,
    MergeRequestResult,
    Phase,
    PhaseReport,
    PlanOutcome,
    PrepareResult,
    ProjectPath,
    ReportOutcome,
    ReproductionResult,
    RunId,
)
from pipelines.language.wire import encode
from tests.plans import a_plan

pytestmark = pytest.mark.integration

Jobs = Callable[..., Any]

CONTACTS = ProjectPath("payk12/contacts")
BASE, PATCH = "a" * 40, "b" * 64
PLAN = a_plan(outcome=PlanOutcome.NOT_A_BUG, title="", location=None, repositories=[])
REPRODUCED = ReproductionResult(
    base_sha=BASE, reproduced=True, test_path="t.py", test_sha256=PATCH, failure="f", symptom="s", steps=()
)
RESULTS: dict[Phase, Any] = {
    Phase.ANALYSIS: AnalysisResult(plan=PLAN),
    Phase.PREPARE: PrepareResult(base_sha=BASE, baseline=None),
    Phase.GENERATE: GenerateResult(jobs=("x",), sha256=PATCH),
    Phase.REPRODUCTION: REPRODUCED,
    Phase.MERGE_REQUEST: MergeRequestResult(base_sha=BASE, patch_sha256=PATCH),
}


def a_report(phase: Phase, /, **changes: Any) -> PhaseReport:
    report = PhaseReport(
        run=RunId("00000000000000aa"),
        iteration=1,
        phase=phase,
        repository=None if phase in {Phase.ANALYSIS, Phase.GENERATE} else CONTACTS,
        outcome=ReportOutcome.SUCCEEDED,
        reason="done",
        result=RESULTS[phase],
        artifacts=(
            Artifact(kind=ArtifactKind.CHANGE_SET, path=f".bug-fix/{phase}/change-set.json", sha256=PATCH, size=1),
        ),
    )
    return replace(report, **changes)


def test_bytes_are_kept_once_under_their_own_hash(jobs: Jobs, desk: Any) -> None:
    api = jobs(Phase.MERGE_REQUEST)
    assert [api.blob(b"patch").status_code for _ in range(2)] == [201, 200]
    assert (api.blob(b"patch", PATCH).status_code, api.blob(b"x", "../../x").status_code) == (422, 404)
    assert desk.rows("SELECT content, size, run_id FROM blobs") == [(b"patch", 5, "00000000000000aa")]


def test_bytes_that_retention_took_away_come_back_when_a_job_hands_them_in_again(jobs: Jobs, desk: Any) -> None:
    api = jobs(Phase.MERGE_REQUEST)
    api.blob(b"patch")
    desk.rows("UPDATE blobs SET content = NULL, expires_at = '2020-01-01'")
    assert api.blob(b"patch").status_code == 200
    assert desk.rows("SELECT content, expires_at > '2026-01-01' FROM blobs") == [(b"patch", True)]


def test_too_many_bytes_are_refused(jobs: Jobs, desk: Any) -> None:
    api = jobs(Phase.MERGE_REQUEST)
    assert api.blob(b"x" * (10 * 1024 * 1024 + 1)).status_code == 413
    desk.rows(
        "INSERT INTO blobs (sha256, size, run_id, created_at) SELECT %s, 200 * 1024 * 1024, id, now() FROM runs", PATCH
    )
    full = api.blob(b"one byte more")
    assert (full.status_code, "limit" in full.json()["detail"]) == (413, True)
    assert api.report(b" " * (2 * 1024 * 1024 + 1)).status_code == 413


def test_a_report_is_pending_until_gitlab_has_spoken_and_may_be_sent_again(jobs: Jobs, desk: Any) -> None:
    api, report = jobs(Phase.MERGE_REQUEST), a_report(Phase.MERGE_REQUEST)
    for _ in range(2):
        answer = api.report(report)
        assert (answer.status_code, answer.json()) == (202, {"status": "pending", "confidential": False})
    desk.rows("UPDATE runs SET confidential = true")
    assert api.report(report).json() == {"status": "pending", "confidential": True}, "it may have become so meanwhile"
    assert desk.rows("SELECT state, outcome, phase, repository FROM reports") == [
        ("pending", "succeeded", "merge_request", CONTACTS)
    ]
    assert desk.rows("SELECT kind, path, sha256 FROM artifacts") == [
        ("change_set", ".bug-fix/merge_request/change-set.json", PATCH)
    ]


def test_a_job_that_says_two_things_is_refused_the_second(jobs: Jobs, desk: Any) -> None:
    api = jobs(Phase.MERGE_REQUEST)
    assert api.report(a_report(Phase.MERGE_REQUEST, reason="forged")).status_code == 202
    assert api.report(a_report(Phase.MERGE_REQUEST, reason="real")).status_code == 409
    assert desk.one("SELECT count(*) FROM reports") == 1
    (recorded,) = desk.refusals()
    assert "This job has reported already, and said something else." in recorded


@pytest.mark.parametrize(
    "change",
    [
        {"run": "00000000000000bb"},
        {"iteration": 2},
        {"phase": Phase.PREPARE, "result": RESULTS[Phase.PREPARE]},
        {"repository": "payk12/other"},
        {"repository": None},
    ],
)
def test_a_report_for_another_job_is_refused_and_recorded(change: dict[str, Any], jobs: Jobs, desk: Any) -> None:
    answer = jobs(Phase.MERGE_REQUEST).report(a_report(Phase.MERGE_REQUEST, **change))
    assert answer.status_code == 403
    assert desk.one("SELECT count(*) FROM reports") == 0
    assert len(desk.refusals()) == 1


def test_a_job_that_forges_again_and_again_fills_no_table(jobs: Jobs, desk: Any) -> None:
    api = jobs(Phase.MERGE_REQUEST)
    codes = {api.report(a_report(Phase.MERGE_REQUEST, iteration=2)).status_code for _ in range(5)}
    assert (codes, len(desk.refusals())) == ({403}, 1)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"\xff\xfe", 400),
        (b"[" * 50_000, 400),
        (encode(a_report(Phase.ANALYSIS)).replace(b'"reason"', b'"reason":"x","reason"'), 400),
        (encode(a_report(Phase.ANALYSIS, result=AnalysisResult(plan=replace(PLAN, outcome=PlanOutcome.FIX)))), 422),
        (encode(a_report(Phase.ANALYSIS, result=RESULTS[Phase.GENERATE])), 422),
        (encode(a_report(Phase.ANALYSIS, agent="stranger")), 422),
    ],
)
def test_what_is_no_report_or_can_t_be_carried_out_is_refused_in_sentences(
    body: bytes, status: int, jobs: Jobs, desk: Any
) -> None:
    answer = jobs(Phase.ANALYSIS).report(body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert len(answer.json()["detail"]) > 20
    assert desk.one("SELECT count(*) FROM reports") == 0


def test_output_that_postgres_can_t_hold_does_not_cost_a_job_its_report(jobs: Jobs, desk: Any) -> None:
    api, report = jobs(Phase.REPRODUCTION), a_report(Phase.REPRODUCTION, result=replace(REPRODUCED, failure="a\0b"))
    assert [api.report(report).status_code for _ in range(2)] == [202, 202]
    assert desk.one("SELECT report->'result'->>'failure' FROM reports") == "a\N{REPLACEMENT CHARACTER}b"


def test_a_report_makes_no_transcript_of_what_another_run_handed_in(jobs: Jobs, desk: Any) -> None:
    api = jobs(Phase.MERGE_REQUEST)
    for digest, run in ((PATCH, "00000000000000aa"), ("c" * 64, None)):
        desk.rows(
            "INSERT INTO blobs (sha256, content, size, run_id, created_at, expires_at)"
            " VALUES (%s, 'x', 1, %s, now(), now())",
            digest,
            run,
        )
    named = [
        Artifact(kind=ArtifactKind.TRANSCRIPT, path=f".bug-fix/merge_request/{n}.jsonl", sha256=n * 64, size=1)
        for n in ("b", "c", "d")
    ]
    assert api.report(a_report(Phase.MERGE_REQUEST, artifacts=tuple(named))).status_code == 202
    assert desk.rows("SELECT sha256 FROM transcripts") == [(PATCH,)]
