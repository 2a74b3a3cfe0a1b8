"""`review`: an agent that can't write reads the tested patch; its findings advise people or the next attempt."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from pipelines.agents.loop import Submitted
from pipelines.job.communication.errors import JobError
from pipelines.job.isolation.role_users import Role
from pipelines.job.workspace.changes import make_changes, show_changes
from pipelines.job.workspace.job import Job
from pipelines.job.workspace.job_files import read_change
from pipelines.job.workspace.repositories import check_out, read_tree
from pipelines.language import (
    Finding,
    PhaseReport,
    ReportOutcome,
    ReviewResult,
    ReviewSubmission,
    Severity,
)
from pipelines.language.wire import sha256
from pipelines.phases.conversation import PhaseSetting, hold
from pipelines.phases.submission import SubmissionError, decoded

_MOST_FINDINGS = 20


def run(job: Job) -> PhaseReport:
    """Return what was found; that anything was found is a success."""
    if job.spec.reproduction is not None and not job.spec.reproduction.reproduced:
        return job.report(ReportOutcome.NOT_REPRODUCED, "Nothing was reproduced, so there is nothing to review.", None)
    change, data = read_change(job.project_dir, job.spec.inputs)
    folder = job.root / "work"
    check_out(job.source, folder)
    make_changes(job.source, folder, change)
    job.launcher.users.give(folder, Role.WORK)
    place = PhaseSetting(folder=folder, home=job.launcher.home(Role.WORK), variables={})
    files = {*read_tree(job.source), *(file.path for file in change.files)}
    reviews: list[ReviewSubmission] = []

    def submit(given: dict[str, Any]) -> Submitted:
        try:
            review = decoded(given, ReviewSubmission)
        except SubmissionError as error:
            return Submitted(accepted=False, answer=str(error))
        if found := _problems(review, files):
            return Submitted(accepted=False, answer=" ".join(found))
        reviews.append(review)
        return Submitted(accepted=True, answer="The review is accepted.")

    hold(
        job,
        place,
        submit=submit,
        documents={"fix": _told(job), "patch": {"patch": show_changes(job.source, change).decode(errors="replace")}},
    )
    if not reviews:
        raise JobError("The conversation ended without a review.")
    review = reviews[-1]
    result = ReviewResult(patch_sha256=sha256(data), summary=review.summary, findings=tuple(review.findings))
    return job.report(ReportOutcome.SUCCEEDED, _counted(review.findings), result)


def _told(job: Job) -> dict[str, object]:
    """Return what the reviewer is told of the fix: its own words, and how it was tested."""
    fix = job.spec.fix
    return {
        "fix": None if fix is None else fix.fix,
        "testing": job.spec.tested,
    }


def _problems(review: ReviewSubmission, files: set[str]) -> list[str]:
    found = [f"{one.file[:200]} is not a file of the repository." for one in review.findings if one.file not in files]
    found += [f"Line {one.line} of {one.file[:200]} is none." for one in review.findings if one.line < 0]
    if len(review.findings) > _MOST_FINDINGS:
        found.append(f"A review has at most {_MOST_FINDINGS} findings; keep those that matter most.")
    return found


def _counted(findings: list[Finding]) -> str:
    """Return the findings' number by severity, for people."""
    counts = Counter(one.severity for one in findings)
    listed = [f"{counts[severity]} {words}" for severity, words in _WORDS.items() if counts[severity]]
    return f"Reviewed: {', '.join(listed)}." if listed else "Reviewed: nothing to remark."


_WORDS: Final = {
    Severity.MUST_FIX: "must be fixed",
    Severity.SHOULD_FIX: "should be fixed",
    Severity.NOTE: "to note",
}
"""The weightiest first."""
