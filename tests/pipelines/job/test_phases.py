"""The whole way of PL-479 through real processes, git, pytest and Chromium; only the model's text is scripted."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipelines import language
from pipelines.language import (
    AnalysisResult,
    ArtifactKind,
    ImplementationResult,
    MergeRequestResult,
    Phase,
    PrepareResult,
    ReportOutcome,
    ReproductionResult,
)
from pipelines.language.wire import encode, sha256
from sandbox.scenario_format import find, load
from tests.plans import a_plan

pytestmark = pytest.mark.acceptance

RunJob = Callable[[Phase], "subprocess.CompletedProcess[str]"]
ORDER = (
    Phase.ANALYSIS,
    Phase.PREPARE,
    Phase.GENERATE,
    Phase.REPRODUCTION,
    Phase.IMPLEMENTATION,
    Phase.TESTING,
    Phase.MERGE_REQUEST,
)


@pytest.mark.nightly  # the demo of pl-479 plays the same phases, with the receiver and the pipelines beside
def test_a_ticket_becomes_a_tested_patch(receiver: Any, run_job: RunJob, project_dir: Path) -> None:
    logs = {}
    for phase in ORDER:
        done = run_job(phase)
        logs[phase] = done.stdout
        assert done.returncode == 0, done.stdout + done.stderr
    reports = {report.phase: report for report in receiver.reports}
    assert {report.outcome for report in receiver.reports} == {ReportOutcome.SUCCEEDED}

    analysis = reports[Phase.ANALYSIS].result
    assert isinstance(analysis, AnalysisResult)
    assert analysis.plan.location is not None
    assert analysis.plan.location.file == "src/contacts/store.py"

    baseline = reports[Phase.PREPARE].result
    assert isinstance(baseline, PrepareResult)
    assert baseline.baseline is not None
    assert baseline.baseline.passed > 0
    assert baseline.baseline.exit_code == 0

    assert "testing: payk12/contacts" in (project_dir / ".bug-fix/generate/child.yml").read_text()

    red = reports[Phase.REPRODUCTION].result
    assert isinstance(red, ReproductionResult)
    assert red.reproduced
    assert receiver.blobs[red.test_sha256 or ""].decode().count("def test_") == 1

    fix = reports[Phase.IMPLEMENTATION].result
    assert isinstance(fix, ImplementationResult)
    assert "src/contacts/store.py" in fix.files

    tested = reports[Phase.TESTING].result
    assert isinstance(tested, language.TestingResult)
    assert tested.reproduction_before_failed
    assert tested.reproduction_after_passed
    assert (tested.patch_sha256, tested.test_sha256) == (fix.patch_sha256, red.test_sha256)
    assert tested.suite is not None
    assert tested.suite.passed > baseline.baseline.passed
    _all_was_measured(baseline, tested, logs[Phase.TESTING])

    submitted = reports[Phase.MERGE_REQUEST].result
    assert isinstance(submitted, MergeRequestResult)
    assert sha256(receiver.blobs[submitted.patch_sha256]) == fix.patch_sha256

    _kept_back_until_it_was_no_security_concern(logs[Phase.ANALYSIS], project_dir)
    kinds = {kept.kind for report in receiver.reports for kept in report.artifacts}
    assert kinds >= {ArtifactKind.SCREENSHOT, ArtifactKind.TRACE, ArtifactKind.JUNIT, ArtifactKind.TRANSCRIPT}
    assert kinds >= {ArtifactKind.COVERAGE, ArtifactKind.BASELINE}
    for report in receiver.reports:
        assert (project_dir / ".bug-fix" / report.phase / "report.json").read_bytes() == encode(report)
        for kept in report.artifacts:
            assert sha256((project_dir / kept.path).read_bytes()) == kept.sha256
    with_agent = (Phase.ANALYSIS, Phase.REPRODUCTION, Phase.IMPLEMENTATION)
    begun = [
        (project_dir / ".bug-fix" / phase / "transcript.jsonl").read_text().splitlines()[0] for phase in with_agent
    ]
    systems = {msgspec.json.encode(msgspec.json.decode(line)["system"]) for line in begun}
    assert len(systems) == 1, "the prefix of tools and system prompt is the same bytes in every phase"
    assert set(receiver.purposes) == {"context", "work"}
    assert receiver.purposes.count("context") == 3
    for log in logs.values():
        assert not any(secret in log for secret in receiver.secrets)


FOUND = (  # words of the ticket, of the scripted model, and of what the phases find
    *("O'Brien", "apostrophe", "guardian", "_literal", "store.py", "quote", "sqlite", "escap", "last name"),
    *("cat ", "--- a/", "AssertionError", "to_have", "test_"),
)


def test_a_confidential_ticket_becomes_a_tested_patch_and_nobody_reads_of_it(
    receiver: Any, run_job: RunJob, project_dir: Path
) -> None:
    receiver.confidential = True
    logs = {}
    for phase in ORDER:
        done = run_job(phase)
        logs[phase] = done.stdout + done.stderr
        assert done.returncode == 0, logs[phase]
    assert {report.outcome for report in receiver.reports} == {ReportOutcome.SUCCEEDED}
    tested = next(report.result for report in receiver.reports if report.phase is Phase.TESTING)
    assert tested.reproduction_before_failed
    assert tested.reproduction_after_passed
    kinds = {kept.kind for report in receiver.reports for kept in report.artifacts}
    assert kinds == {
        *(ArtifactKind.TRANSCRIPT, ArtifactKind.CHANGE_SET, ArtifactKind.REPRODUCTION_TEST),
        *(ArtifactKind.BASELINE, ArtifactKind.CHILD_PIPELINE),
    }
    left = [path for path in project_dir.rglob("*") if path.is_file()]
    assert [path.name for path in left] == ["child.yml"]
    assert "access: maintainer" in left[0].read_text()
    for phase, log in logs.items():
        assert [word for word in FOUND if word.lower() in log.lower()] == [], (phase, log)
        assert "This run is confidential" in log
        assert f"/runs/{receiver.reports[0].run}, or `bug-fix explain PL-479`" in log
    assert "turn 1:" in logs[Phase.IMPLEMENTATION]
    assert "with the patch: GREEN" in logs[Phase.TESTING]


def _kept_back_until_it_was_no_security_concern(log: str, project_dir: Path) -> None:
    before, _, after = log.partition("submit_plan: accepted")
    assert [word for word in FOUND if word in before] == []
    assert "outcome fix" in after
    assert "store.py" in after
    names = {path.name for path in (project_dir / ".bug-fix/analysis").iterdir()}
    assert names == {"transcript.jsonl", "plan.json", "report.json", "report.json.mac"}


@pytest.mark.parametrize("ending", ["security_concern", "no outcome"])
def test_of_an_analysis_that_finds_a_security_concern_or_nothing_only_the_receiver_hears(
    ending: str, receiver: Any, do_job: RunJob, project_dir: Path
) -> None:
    told = tuple(msgspec.structs.replace(one, issue="PL-479") for one in load(find("security-concern")).conversations)
    if ending == "no outcome":
        told = tuple(msgspec.structs.replace(one, turns=one.turns[:1] * 50) for one in told)
        receiver.limits = msgspec.structs.replace(receiver.limits, max_turns=2)
    receiver.converse(*told)
    done = do_job(Phase.ANALYSIS)
    assert done.returncode == (0 if ending == "security_concern" else 5), done.stdout
    assert [path for path in project_dir.rglob("*") if path.is_file()] == []
    for word in ("injection", "store.py", "_literal", "statement", "visitor"):
        assert word not in done.stdout.lower()
    (report,) = receiver.reports
    assert [kept.kind for kept in report.artifacts] == [ArtifactKind.TRANSCRIPT]
    assert b"_literal" in receiver.blobs[report.artifacts[0].sha256]
    if ending == "security_concern":
        assert report.result.plan.outcome is language.PlanOutcome.SECURITY_CONCERN
        assert "This run is confidential" in done.stdout
    else:
        assert "The agent used all of its 2 turns" in report.reason
        assert report.reason not in done.stdout
        assert re.search(r"failed: limits \(\w+\)", done.stdout)


@pytest.mark.parametrize("phase", [Phase.ANALYSIS, Phase.PREPARE, Phase.GENERATE])
def test_a_run_that_became_confidential_while_a_job_worked_keeps_no_artifact_of_it(
    phase: Phase, receiver: Any, do_job: RunJob, project_dir: Path
) -> None:
    if phase is Phase.GENERATE:
        receiver.analysed(a_plan())
    receiver.became_confidential = True
    done = do_job(phase)
    assert done.returncode == 0, done.stdout
    kept = ["child.yml"] if phase is Phase.GENERATE else []
    assert [path.name for path in project_dir.rglob("*") if path.is_file()] == kept
    assert "This run became confidential while the job worked" in done.stdout
    assert [word for word in FOUND if word in done.stdout] == []
    assert receiver.reports[-1].phase is phase


def _all_was_measured(before: PrepareResult, tested: language.TestingResult, log: str) -> None:
    assert before.integration is not None
    assert tested.integration is not None
    assert 0 < before.integration.passed == tested.integration.passed
    assert before.lint is None, "the catalogue has no command for it"
    assert (tested.missing, tested.proof.tests) == ((), ())
    assert tested.proof.base_passed == tested.proof.base_tests > 0
    assert len(tested.proof.red_tests) == 3
    (file,) = tested.proof.files
    assert (file.path, file.word) == ("src/contacts/store.py", language.FileWord.NEEDED)
    assert before.coverage is not None
    assert tested.coverage is not None
    assert tested.changed_coverage is not None
    assert tested.coverage_before == before.coverage
    assert 0 < (before.coverage.percent or 0) < (tested.coverage.percent or 0) < 100
    assert 0 < tested.changed_coverage.covered <= tested.changed_coverage.coverable
    assert f"total coverage: {tested.coverage.percent:.2f} %" in log, "what GitLab looks for"


def test_a_refused_session_ends_with_its_reason(receiver: Any, run_job: RunJob) -> None:
    receiver.refusals.append(("/api/jobs/session", 409, {}))
    done = run_job(Phase.GENERATE)
    assert done.returncode == 6
    assert "REFUSED: The receiver refused POST /api/jobs/session: 409 not now" in done.stdout


def test_testing_after_an_honest_no_is_an_honest_no(receiver: Any, run_job: RunJob) -> None:
    receiver.not_reproduced()
    for phase in (Phase.TESTING, Phase.MERGE_REQUEST):
        done = run_job(phase)
        assert done.returncode == 4, done.stdout
        assert receiver.reports[-1].outcome is ReportOutcome.NOT_REPRODUCED


STUCK = """
import threading
from pipelines.__main__ import main
threading.Thread(target=threading.Event().wait).start()
main()
"""
"""A job with a thread that waits for ever."""


@pytest.mark.parametrize("program", [["-m", "pipelines"], ["-c", STUCK]], ids=["as it is", "with a stuck thread"])
def test_a_cancelled_job_ends_at_once_and_reports_nothing(
    receiver: Any, job_environment: Callable[[Phase], dict[str, str]], project_dir: Path, program: list[str]
) -> None:
    receiver.refusals.append(("/api/jobs/spec", 425, {"retry-after": "60"}))
    asked = threading.Event()
    receiver.at_refusal = asked.set
    command = [sys.executable, *program, "generate"]
    environment = job_environment(Phase.GENERATE)
    with subprocess.Popen(command, env=environment, cwd=project_dir, stdout=subprocess.PIPE, text=True) as process:
        assert asked.wait(60)
        process.terminate()
        log, _ = process.communicate(timeout=60)
    assert process.returncode == 5
    assert "GitLab ended this job" in log
    assert receiver.reports == []


def test_a_job_that_fails_still_reports_why(receiver: Any, run_job: RunJob, project_dir: Path) -> None:
    receiver.base_sha = "0" * 40
    done = run_job(Phase.PREPARE)
    assert done.returncode == 5
    (report,) = receiver.reports
    assert report.outcome is ReportOutcome.FAILED
    assert "payk12/contacts can't be cloned" in report.reason or "failed" in report.reason
    assert (project_dir / ".bug-fix/prepare/report.json").exists()
