"""What a job is told, and when: its RunSpec, once what it needs has been accepted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from msgspec import json, to_builtins
from msgspec.structs import replace

from pipelines.language import (
    AnalysisResult,
    Approval,
    Artifact,
    ArtifactKind,
    Baseline,
    KnownTests,
    Phase,
    ReportOutcome,
)
from pipelines.language import TestingResult as PatchTested
from pipelines.language.wire import RunSpec, decode, encode, sha256
from receiver.cli import remedy_folder
from tests.receiver.web.jobs.reported import OTHER, PATCH, PLAN, REPRODUCED, RESULTS, TEST, TESTED, a_report

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[4]

Jobs = Callable[..., Any]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/spec"), ("POST", "/report"), ("PUT", f"/blobs/{PATCH}"), ("POST", "/session")]
)
def test_nothing_is_told_or_taken_without_a_session(method: str, path: str, serve: Any, desk: Any) -> None:
    desk.run()
    url = f"{serve()}/api/jobs{path}"
    body = b'{"run":"00000000000000aa","iteration":1,"phase":"analysis"}'
    for headers in ({}, {"authorization": "Bearer guessed"}, {"authorization": "Basic r"}, {"cookie": "session=r"}):
        answer = httpx2.request(method, url, content=body, headers=headers, timeout=60)
        assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")


def test_a_session_of_a_job_that_has_ended_is_dead(jobs: Jobs, desk: Any) -> None:
    api = jobs(Phase.ANALYSIS, job=7)
    assert api.spec().status_code == 200
    desk.rows(
        "INSERT INTO jobs (id, pipeline_id, project_id, run_id, iteration, name, stage, status, seen_at)"
        " SELECT 7, 100, 1, id, 1, 'analysis', 's', 'failed', now() FROM runs"
    )
    assert [api.spec().status_code, api.report(a_report(Phase.ANALYSIS)).status_code] == [401, 401]


def test_a_job_waits_for_the_report_that_it_needs_and_gitlab_is_asked_about_it(
    jobs: Jobs, has_reported: Any, desk: Any
) -> None:
    api = jobs(Phase.GENERATE)
    early = api.spec()
    assert (early.status_code, early.headers["retry-after"]) == (425, "1")
    has_reported(Phase.ANALYSIS, state="pending")
    assert "not settled" in api.spec().json()["detail"]
    assert desk.rows("SELECT DISTINCT kind FROM effects") == [("SettleReports",)]
    assert desk.one("SELECT count(*) FROM effects") == 1
    desk.rows("UPDATE reports SET state = 'accepted'")
    assert decode(api.spec().content, RunSpec).plan == PLAN


def test_a_report_of_a_failed_job_does_not_count_and_says_why(jobs: Jobs, has_reported: Any) -> None:
    has_reported(Phase.ANALYSIS, state="discarded", reason="Its job ended as canceled.")
    answer = jobs(Phase.GENERATE).spec()
    assert (answer.status_code, "Its job ended as canceled." in answer.json()["detail"]) == (409, True)


@pytest.mark.parametrize("outcome", [ReportOutcome.REJECTED, ReportOutcome.FAILED])
def test_nothing_is_built_on_a_no_even_if_its_job_ended_as_a_success(
    outcome: ReportOutcome, jobs: Jobs, has_reported: Any
) -> None:
    for phase in (Phase.ANALYSIS, Phase.REPRODUCTION, Phase.IMPLEMENTATION):
        has_reported(phase)
    has_reported(Phase.TESTING, outcome=outcome, reason="it is red")
    answer = jobs(Phase.MERGE_REQUEST).spec()
    assert (answer.status_code, str(outcome) in answer.json()["detail"]) == (409, True)


def test_the_newest_job_of_a_phase_wins(jobs: Jobs, has_reported: Any) -> None:
    has_reported(Phase.ANALYSIS, job=1)
    has_reported(Phase.ANALYSIS, job=2, state="pending", reason="")
    assert jobs(Phase.GENERATE).spec().status_code == 425


BEFORE_TESTING = (Phase.ANALYSIS, Phase.PREPARE, Phase.REPRODUCTION, Phase.IMPLEMENTATION)


def test_testing_is_told_the_baseline_the_reproduction_and_the_hashes_of_its_inputs(
    jobs: Jobs, has_reported: Any
) -> None:
    for phase in BEFORE_TESTING:
        has_reported(phase)
    spec = decode(jobs(Phase.TESTING).spec().content, RunSpec)
    assert (spec.agent, spec.prepared, spec.reproduction) == (None, RESULTS[Phase.PREPARE], REPRODUCED)
    assert spec.baseline is None, "the names of tests were not handed in"
    assert [(one.phase, one.artifact.kind, one.artifact.sha256) for one in spec.inputs] == [
        (Phase.IMPLEMENTATION, ArtifactKind.CHANGE_SET, PATCH),
        (Phase.REPRODUCTION, ArtifactKind.REPRODUCTION_TEST, TEST),
    ]


@pytest.mark.parametrize("phase", [Phase.TESTING, Phase.REVIEW, Phase.MERGE_REQUEST])
def test_jobs_of_the_release_before_are_handed_the_diff_that_its_implementer_made(
    phase: Phase, jobs: Jobs, has_reported: Any
) -> None:
    diff = Artifact(kind=ArtifactKind.PATCH, path=".bug-fix/implementation/fix.patch", sha256=PATCH, size=1)
    for before in (*BEFORE_TESTING, Phase.TESTING):
        has_reported(before, **({"artifacts": (diff,)} if before is Phase.IMPLEMENTATION else {}))
    (told,) = [one for one in decode(jobs(phase).spec().content, RunSpec).inputs if one.phase is Phase.IMPLEMENTATION]
    assert told.artifact == diff


def test_jobs_of_a_confidential_run_are_told_so_and_get_what_they_need_with_its_bytes(
    jobs: Jobs, has_reported: Any, desk: Any
) -> None:
    patch = b"the patch"
    jobs(Phase.IMPLEMENTATION).blob(patch)
    kept = Artifact(
        kind=ArtifactKind.CHANGE_SET,
        path=".bug-fix/implementation/change-set.json",
        sha256=sha256(patch),
        size=len(patch),
    )
    for phase in BEFORE_TESTING:
        has_reported(phase, **({"artifacts": (kept,)} if phase is Phase.IMPLEMENTATION else {}))
    open_to_all = decode(jobs(Phase.TESTING, job=12).spec().content, RunSpec)
    assert (open_to_all.confidential, [one.content for one in open_to_all.inputs]) == (False, [None, None])
    desk.rows("UPDATE runs SET confidential = true")
    spec = decode(jobs(Phase.TESTING, job=13).spec().content, RunSpec)
    assert (spec.confidential, [one.content for one in spec.inputs]) == (True, [patch, None])


def test_a_job_of_a_confidential_run_is_not_told_why_the_one_before_it_failed(
    jobs: Jobs, has_reported: Any, desk: Any
) -> None:
    desk.rows("UPDATE runs SET confidential = true")
    has_reported(Phase.ANALYSIS, state="discarded", reason="SQL injection in search.")
    said = jobs(Phase.GENERATE).spec()
    assert (said.status_code, "injection" in said.text, "its story says why" in said.text) == (409, False, True)
    has_reported(Phase.ANALYSIS, job=2, outcome=ReportOutcome.FAILED, reason="SQL injection in search.", result=None)
    said = jobs(Phase.GENERATE, job=14).spec()
    assert (said.status_code, "injection" in said.text, "its story says why" in said.text) == (409, False, True)


TESTS = Baseline(unit=KnownTests(passing=("t::a", "t::b"), failing=("t::c",), flaky=()))


@pytest.mark.parametrize(
    ("content", "told"),
    [(encode(TESTS), TESTS), (b"{", None), (b'{"unit": 3}', None), (b'{"x": ' + b"[" * 100_000, None)],
    ids=["readable", "cut", "another shape", "nested"],
)
def test_testing_is_told_the_names_of_all_tests_if_they_can_be_read(
    jobs: Jobs, has_reported: Any, content: bytes, told: Baseline | None
) -> None:
    jobs(Phase.PREPARE).blob(content)
    kept = Artifact(
        kind=ArtifactKind.BASELINE, path=".bug-fix/prepare/baseline.json", sha256=sha256(content), size=len(content)
    )
    for phase in BEFORE_TESTING:
        has_reported(phase, **({"artifacts": (kept,)} if phase is Phase.PREPARE else {}))
    assert decode(jobs(Phase.TESTING).spec().content, RunSpec).baseline == told


def test_testing_waits_for_a_baseline_that_is_not_settled_and_goes_without_one_that_failed(
    jobs: Jobs, has_reported: Any
) -> None:
    for phase in BEFORE_TESTING:
        has_reported(phase, **({"state": "pending", "reason": ""} if phase is Phase.PREPARE else {}))
    assert jobs(Phase.TESTING).spec().status_code == 425
    has_reported(Phase.PREPARE, job=99, outcome=ReportOutcome.FAILED, result=None)
    assert decode(jobs(Phase.TESTING).spec().content, RunSpec).prepared is None


def test_implementation_is_done_by_the_agent_of_the_plan(jobs: Jobs, has_reported: Any) -> None:
    has_reported(Phase.ANALYSIS)
    spec = decode(jobs(Phase.IMPLEMENTATION).spec().content, RunSpec)
    assert spec.agent is not None
    assert (spec.agent.name, spec.inputs, spec.plan) == ("python-pro", (), PLAN)


@pytest.mark.parametrize(
    ("result", "says"),
    [
        (replace(TESTED, patch_sha256=OTHER), "not the tested one"),
        (replace(TESTED, reproduction_after_passed=False), "do not show a fix"),
        (replace(TESTED, reproduction_before_failed=False), "do not show a fix"),
    ],
)
def test_only_the_patch_that_passed_its_test_goes_into_a_merge_request(
    result: PatchTested, says: str, jobs: Jobs, has_reported: Any
) -> None:
    for phase in (Phase.ANALYSIS, Phase.REPRODUCTION, Phase.IMPLEMENTATION):
        has_reported(phase)
    has_reported(Phase.TESTING, result=result)
    answer = jobs(Phase.MERGE_REQUEST).spec()
    assert (answer.status_code, says in answer.json()["detail"]) == (409, True)


def test_when_nothing_was_reproduced_the_later_jobs_are_told_so_and_get_no_inputs(
    jobs: Jobs, has_reported: Any
) -> None:
    no = replace(REPRODUCED, reproduced=False, test_sha256=None)
    has_reported(Phase.ANALYSIS)
    has_reported(Phase.IMPLEMENTATION)
    has_reported(Phase.REPRODUCTION, result=no, outcome=ReportOutcome.NOT_REPRODUCED)
    has_reported(Phase.TESTING, result=None, outcome=ReportOutcome.NOT_REPRODUCED)
    for phase in (Phase.TESTING, Phase.MERGE_REQUEST):
        spec = decode(jobs(phase).spec().content, RunSpec)
        assert (spec.reproduction, spec.inputs) == (no, ())


@pytest.mark.parametrize("change", ["status = 'cancelled'", "iteration = 2"])
def test_a_job_of_a_run_that_has_gone_on_is_sent_home(change: str, jobs: Jobs, desk: Any) -> None:
    api = jobs(Phase.ANALYSIS)
    desk.rows(f"UPDATE runs SET {change}")  # noqa: S608 - a constant of this test
    assert api.spec().status_code == 409


def test_a_reviewer_is_told_of_the_patch_its_reasons_and_how_it_was_tested(jobs: Jobs, has_reported: Any) -> None:
    for phase in (Phase.ANALYSIS, Phase.REPRODUCTION, Phase.IMPLEMENTATION, Phase.TESTING):
        has_reported(phase)
    spec = decode(jobs(Phase.REVIEW).spec().content, RunSpec)
    assert (spec.fix, spec.tested) == (RESULTS[Phase.IMPLEMENTATION], TESTED)
    assert [(one.phase, one.artifact.kind) for one in spec.inputs] == [(Phase.IMPLEMENTATION, ArtifactKind.CHANGE_SET)]
    assert spec.agent is not None


def test_nothing_is_submitted_while_a_review_is_not_settled(jobs: Jobs, has_reported: Any, desk: Any) -> None:
    for phase in (Phase.ANALYSIS, Phase.REPRODUCTION, Phase.IMPLEMENTATION, Phase.TESTING):
        has_reported(phase)
    has_reported(Phase.REVIEW, state="pending")
    api = jobs(Phase.MERGE_REQUEST)
    assert (api.spec().status_code, "review" in api.spec().json()["detail"]) == (425, True)
    desk.rows("UPDATE reports SET state = 'discarded' WHERE phase = 'review'")
    assert api.spec().status_code == 200


@pytest.fixture
def approved(desk: Any, jobs: Jobs, has_reported: Any) -> Callable[[Phase], Any]:
    """Return the API of a job in an iteration that carries out an approved plan."""

    def make(phase: Phase) -> Any:
        api = jobs(phase)
        has_reported(Phase.ANALYSIS, job=99, state="discarded")
        report = desk.one("SELECT max(id) FROM reports")
        desk.rows(
            "INSERT INTO plans (run_id, iteration, report_id, plan, accepted_at)"
            " VALUES ('00000000000000aa', 1, %s, %s, now())",
            report,
            json.encode(to_builtins(PLAN)).decode(),
        )
        desk.rows("UPDATE iterations SET approved_by = 'mara', plan_id = (SELECT max(id) FROM plans)")
        return api

    return make


def test_analysis_is_told_the_approved_plan_and_has_no_agent(approved: Any) -> None:
    spec = decode(approved(Phase.ANALYSIS).spec().content, RunSpec)
    assert (spec.approval, spec.plan, spec.agent) == (Approval.GIVEN, PLAN, None)


def test_another_plan_than_the_approved_one_is_not_taken(approved: Any) -> None:
    api = approved(Phase.ANALYSIS)
    other = replace(PLAN, title="Delete all contacts")
    answer = api.report(a_report(Phase.ANALYSIS, result=AnalysisResult(plan=other)))
    assert (answer.status_code, answer.json()["detail"]) == (422, "This is not the plan that was approved.")
    assert api.report(a_report(Phase.ANALYSIS)).status_code == 202


@pytest.mark.parametrize(
    ("policy", "approval"),
    [("never", Approval.NOT_NEEDED), ("complex", Approval.NOT_NEEDED), ("always", Approval.AWAITED)],
)
def test_generate_is_told_whether_the_plan_has_to_wait(
    policy: str, approval: Approval, jobs: Jobs, has_reported: Any, desk: Any
) -> None:
    api = jobs(Phase.GENERATE)
    desk.rows("UPDATE runs SET catalogue = jsonb_set(catalogue, '{policy,plan_approval}', to_jsonb(%s::text))", policy)
    has_reported(Phase.ANALYSIS)
    spec = decode(api.spec().content, RunSpec)
    assert (spec.approval, spec.plan) == (approval, PLAN)


@pytest.mark.parametrize("status", ["needs_information", "awaiting_approval"])
def test_a_job_of_a_run_that_waits_for_people_is_told_nothing(status: str, jobs: Jobs, desk: Any) -> None:
    api = jobs(Phase.ANALYSIS)
    desk.rows("UPDATE runs SET status = %s", status)
    assert api.spec().status_code == 409


@pytest.mark.parametrize(
    ("change", "is_handed_on"),
    [
        ("SELECT 1", True),
        ("UPDATE reports SET state = 'discarded' WHERE phase = 'implementation'", False),
        ("UPDATE iterations SET plan_id = NULL", False),
        ("UPDATE runs SET base_shas = jsonb_build_object('payk12/contacts', repeat('e', 40))", False),
    ],
)
def test_an_implementer_goes_on_with_the_patch_of_the_attempt_whose_plan_it_carries_out(
    jobs: Jobs, has_reported: Any, desk: Any, change: str, *, is_handed_on: bool
) -> None:
    patch = b"diff --git a/a b/a\n"
    digest = sha256(patch)
    assert jobs(Phase.IMPLEMENTATION).blob(patch).status_code == 201
    has_reported(Phase.IMPLEMENTATION, result=replace(RESULTS[Phase.IMPLEMENTATION], patch_sha256=digest))
    has_reported(Phase.ANALYSIS)
    desk.rows("UPDATE reports SET iteration = 2 WHERE phase = 'analysis'")
    desk.rows("UPDATE runs SET iteration = 2")
    desk.rows(
        "INSERT INTO plans (run_id, iteration, report_id, plan, accepted_at) SELECT run_id, 1, id, %s, now()"
        " FROM reports WHERE phase = 'analysis'",
        json.encode(to_builtins(PLAN)).decode(),
    )
    desk.rows("INSERT INTO iterations (run_id, number, started_at, plan_id) SELECT run_id, 2, now(), id FROM plans")
    desk.rows(change)
    spec = decode(jobs(Phase.IMPLEMENTATION, iteration=2).spec().content, RunSpec)
    assert spec.previous_patch == (patch if is_handed_on else None)


@pytest.mark.parametrize("is_known", [True, False])
def test_a_job_that_applies_a_remedy_is_told_it_with_the_change_that_it_mends_and_no_agent(
    jobs: Jobs, has_reported: Any, desk: Any, *, is_known: bool
) -> None:
    patch = b'{"version":1}'
    fix = replace(RESULTS[Phase.IMPLEMENTATION], patch_sha256=sha256(patch))
    assert jobs(Phase.IMPLEMENTATION).blob(patch).status_code == 201
    has_reported(Phase.IMPLEMENTATION, result=fix)
    has_reported(Phase.ANALYSIS)
    desk.rows("UPDATE reports SET iteration = 2 WHERE phase = 'analysis'")
    desk.rows("UPDATE runs SET iteration = 2")
    desk.rows("INSERT INTO iterations (run_id, number, started_at) SELECT run_id, 2, now() FROM iterations")
    desk.rows(
        "INSERT INTO remedies (run_id, iteration, repository, mends, remedy, tier, confidence, action, state,"
        " matched_at)"
        " SELECT id, 2, 'payk12/contacts', 1, 'formatting', 1, 1, 'commit', 'matched', now() FROM runs"
    )
    if is_known:
        remedies = json.encode(remedy_folder.read(ROOT / "bug-fix.yml")).decode()
        desk.rows(
            "UPDATE runs SET catalogue = jsonb_set(catalogue, '{healing}',"
            " jsonb_build_object('remedies', %s::jsonb, 'at_least', '{}'::jsonb))",
            remedies,
        )
    spec = decode(jobs(Phase.IMPLEMENTATION, iteration=2).spec().content, RunSpec)
    if is_known:
        assert (spec.remedy and spec.remedy.id, spec.agent) == ("formatting", None)
        assert (spec.previous_patch, spec.fix) == (patch, fix)
    else:  # a catalogue that was frozen without it
        assert (spec.remedy, spec.fix) == (None, None)
        assert spec.agent is not None
