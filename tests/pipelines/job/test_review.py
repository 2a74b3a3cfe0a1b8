"""`review` as a job: an agent that can't write reads the patched repository and says what it found."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from pipelines.language import Phase, ReportOutcome, ReviewResult, Severity
from pipelines.language.wire import sha256
from sandbox.scenario_format import Conversation

pytestmark = pytest.mark.acceptance

RunJob = Callable[[Phase], "subprocess.CompletedProcess[str]"]

PATCH = b"""diff --git a/NOTES.md b/NOTES.md
new file mode 100644
--- /dev/null
+++ b/NOTES.md
@@ -0,0 +1 @@
+Nothing is fixed.
"""
FINDING = {
    "file": "NOTES.md",
    "line": 1,
    "severity": "must_fix",
    "claim": "Nothing is fixed.",
    "suggestion": "Fix it.",
}


def use(name: str, **given: Any) -> dict[str, Any]:
    return {"tool_use": [{"name": name, "input": given}]}


def converse(receiver: Any, *turns: dict[str, Any]) -> None:
    receiver.accepted(patch=PATCH, test=b"")
    about = {"phase": "review", "repository": "payk12/contacts"}
    receiver.converse(msgspec.convert({**about, "turns": turns}, Conversation))


def test_a_reviewer_reads_the_patched_repository_and_reports_findings(
    receiver: Any, do_job: RunJob, project_dir: Any
) -> None:
    receiver.profile = "You read for {{ repository }}, a {{ stack }} repository."
    converse(
        receiver,
        use("read", file_path="NOTES.md"),
        use("write", file_path="NOTES.md", content="Everything is fixed."),
        use("bash", command="rm -rf src"),
        use("submit_review", summary="s", findings=[{**FINDING, "file": "src/nowhere.py"}]),
        use("submit_review", summary="Read all of it.", findings=[FINDING, {**FINDING, "severity": "note"}]),
    )
    done = do_job(Phase.REVIEW)
    assert done.returncode == 0, done.stdout
    (report,) = receiver.new_reports()
    assert (report.outcome, report.reason) == (ReportOutcome.SUCCEEDED, "Reviewed: 1 must be fixed, 1 to note.")
    assert isinstance(report.result, ReviewResult)
    assert report.result.patch_sha256 == sha256(receiver.change)
    assert [one.severity for one in report.result.findings] == [Severity.MUST_FIX, Severity.NOTE]
    assert report.refused_calls == 3
    transcript = (project_dir / ".bug-fix/review/transcript.jsonl").read_text()
    assert "write is not permitted in the review phase. Permitted here: glob, grep, read, submit_review." in transcript
    assert "You read for payk12/contacts, a python repository." in transcript  # the team's own template
    assert "Nothing is fixed." in transcript
    assert "src/nowhere.py is not a file of the repository." in transcript


def test_nothing_is_reviewed_when_nothing_was_reproduced(receiver: Any, do_job: RunJob) -> None:
    receiver.not_reproduced()
    done = do_job(Phase.REVIEW)
    assert done.returncode == 4, done.stdout
    assert receiver.new_reports()[0].outcome is ReportOutcome.NOT_REPRODUCED
