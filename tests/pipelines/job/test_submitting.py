"""What a report takes along to the receiver."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.job import supervisor
from pipelines.job.errors import JobError
from pipelines.job.log import JobLog
from pipelines.job.workspace import Artifacts
from pipelines.model import ArtifactKind, Phase, PhaseReport, ReportOutcome, RunId
from pipelines.wire import MAX_BLOB, encode


class Desk:
    """Takes what a job hands in."""

    def __init__(self) -> None:
        self.blobs: list[bytes] = []
        self.reports: list[bytes] = []

    def put_blob(self, data: bytes) -> None:
        self.blobs.append(data)

    def report(self, body: bytes) -> None:
        self.reports.append(body)


def rejected(artifacts: Artifacts) -> PhaseReport:
    return PhaseReport(
        run=RunId("0123456789abcdef"),
        iteration=1,
        phase=Phase.IMPLEMENTATION,
        repository=None,
        outcome=ReportOutcome.REJECTED,
        reason="The patch is refused.",
        result=None,
        artifacts=artifacts.all,
    )


def submit(report: PhaseReport, project_dir: Path, desk: Any) -> None:
    supervisor._submit(report, project_dir, JobLog(), desk)


def test_what_the_receiver_would_not_take_stays_with_gitlab_and_the_report_goes(tmp_path: Path) -> None:
    artifacts, desk = Artifacts(tmp_path, Phase.IMPLEMENTATION), Desk()
    artifacts.keep(ArtifactKind.PATCH, "fix.patch", bytes(MAX_BLOB + 1))
    artifacts.keep(ArtifactKind.TRANSCRIPT, "transcript.jsonl", b"{}\n")
    report = rejected(artifacts)
    submit(report, tmp_path, desk)
    assert desk.blobs == [b"{}\n"]
    assert desk.reports == [encode(report)]


def test_an_artifact_that_was_changed_is_not_handed_in(tmp_path: Path) -> None:
    artifacts, desk = Artifacts(tmp_path, Phase.IMPLEMENTATION), Desk()
    kept = artifacts.keep(ArtifactKind.PATCH, "fix.patch", b"of the job")
    (tmp_path / kept.path).unlink()
    (tmp_path / kept.path).symlink_to("/etc/passwd")
    with pytest.raises(JobError, match="is not what this job kept there"):
        submit(rejected(artifacts), tmp_path, desk)
    assert (desk.blobs, desk.reports) == ([], [])
