"""What a report takes along to the receiver, and what becomes of it when the receiver can't be reached."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.job.communication.disclosure import Disclosure
from pipelines.job.communication.errors import ExitCode, JobError, ReceiverRefusedError, ReceiverUnreachableError
from pipelines.job.communication.job_log import JobLog
from pipelines.job.communication.receiver_client import ReceiverClient
from pipelines.job.isolation.environment import Secrets, read_settings
from pipelines.job.workspace.job_files import Artifacts
from pipelines.language import ArtifactKind, Phase, PhaseReport, ReportOutcome, RunId
from pipelines.language.report_seal import is_sealed, token_sha256
from pipelines.language.wire import MAX_BLOB, ReportTaken, Session, encode
from pipelines.supervision import supervisor


class Desk:
    """Takes what a job hands in, or does not."""

    session = Session(token="session-token", expires_at="2030-01-01T00:00:00Z", gateway_url="http://r/gateway")

    def __init__(self, error: JobError | None = None) -> None:
        self.error = error
        self.asked = 0
        self.blobs: list[bytes] = []
        self.reports: list[bytes] = []

    def put_blob(self, data: bytes) -> None:
        self._ask()
        self.blobs.append(data)

    def report(self, body: bytes) -> ReportTaken:
        self._ask()
        self.reports.append(body)
        return ReportTaken()

    def _ask(self) -> None:
        self.asked += 1
        if self.error is not None:
            raise self.error


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


def submit(artifacts: Artifacts, desk: Any) -> str:
    """Submit a report on what was kept and return what the job's log says."""
    said = io.StringIO()
    supervisor._submit(rejected(artifacts), artifacts, JobLog(stream=said), desk)
    return said.getvalue()


def test_what_the_receiver_would_not_take_stays_with_gitlab_and_the_report_goes(tmp_path: Path) -> None:
    artifacts, desk = Artifacts(tmp_path, Phase.IMPLEMENTATION), Desk()
    artifacts.keep(ArtifactKind.CHANGE_SET, "change-set.json", bytes(MAX_BLOB + 1))
    artifacts.keep(ArtifactKind.TRANSCRIPT, "transcript.jsonl", b"{}\n")
    submit(artifacts, desk)
    assert desk.blobs == [b"{}\n"]
    assert desk.reports == [encode(rejected(artifacts))]


def test_an_artifact_that_was_changed_is_not_handed_in(tmp_path: Path) -> None:
    artifacts, desk = Artifacts(tmp_path, Phase.IMPLEMENTATION), Desk()
    kept = artifacts.keep(ArtifactKind.CHANGE_SET, "change-set.json", b"of the job")
    (tmp_path / kept.path).unlink()
    (tmp_path / kept.path).symlink_to("/etc/passwd")
    with pytest.raises(JobError, match="is not what this job kept there"):
        submit(artifacts, desk)
    assert (desk.blobs, desk.reports) == ([], [])
    assert not (tmp_path / ".bug-fix/implementation/report.json.mac").exists()


def test_a_report_is_left_with_a_seal_that_only_its_session_could_make(tmp_path: Path) -> None:
    submit(Artifacts(tmp_path, Phase.IMPLEMENTATION), Desk())
    left = tmp_path / ".bug-fix/implementation"
    body, mark = (left / "report.json").read_bytes(), (left / "report.json.mac").read_bytes()
    assert is_sealed(body, mark, token_hash=token_sha256("session-token"))
    assert Desk.session.token not in mark.decode()
    assert token_sha256(Desk.session.token) not in mark.decode()


def test_a_receiver_that_can_t_be_reached_is_asked_no_further_and_finds_the_report_later(tmp_path: Path) -> None:
    artifacts = Artifacts(tmp_path, Phase.IMPLEMENTATION)
    artifacts.keep(ArtifactKind.CHANGE_SET, "change-set.json", b"of the job")
    desk = Desk(ReceiverUnreachableError("Nobody answered."))
    said = submit(artifacts, desk)
    assert "Nobody answered." in said
    assert "waits as this job's artifact .bug-fix/implementation/report.json" in said
    assert desk.asked == 1
    assert (tmp_path / ".bug-fix/implementation/report.json.mac").exists()


def test_a_receiver_that_says_no_ends_the_job(tmp_path: Path) -> None:
    with pytest.raises(ReceiverRefusedError):
        submit(Artifacts(tmp_path, Phase.IMPLEMENTATION), Desk(ReceiverRefusedError("No.")))


def withheld(tmp_path: Path) -> Artifacts:
    artifacts = Artifacts(tmp_path, Phase.IMPLEMENTATION)
    artifacts.disclose(Disclosure.WITHHELD)
    artifacts.keep(ArtifactKind.CHANGE_SET, "change-set.json", b"of the job")
    artifacts.keep(ArtifactKind.LOG, "install.log", b"of the job")
    return artifacts


def test_of_a_confidential_run_the_receiver_gets_all_and_nothing_is_left(tmp_path: Path) -> None:
    artifacts, desk = withheld(tmp_path), Desk()
    submit(artifacts, desk)
    assert desk.blobs == [b"of the job"]
    assert desk.reports == [encode(rejected(artifacts))]
    assert list(tmp_path.iterdir()) == []


def test_of_a_confidential_run_a_report_that_does_not_arrive_fails_its_job(tmp_path: Path) -> None:
    with pytest.raises(ReceiverUnreachableError):
        submit(withheld(tmp_path), Desk(ReceiverUnreachableError("Nobody answered.")))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.integration
def test_a_job_that_can_t_deliver_its_report_ends_as_its_outcome_says(
    receiver: Any, job_environment: Callable[[Phase], dict[str, str]], project_dir: Path
) -> None:
    receiver.accepted(patch=b"", test=b"x")
    receiver.not_reproduced()
    receiver.refusals += [("/api/jobs/report", 503, {})] * 1000
    environment = job_environment(Phase.MERGE_REQUEST)
    secrets = Secrets(id_token=environment["BUG_FIX_ID_TOKEN"], job_token=environment["CI_JOB_TOKEN"])
    settings = read_settings(Phase.MERGE_REQUEST, environment)
    client = ReceiverClient(receiver.url, patience_s=0.5)
    said = io.StringIO()
    try:
        code = supervisor.run_job(settings, secrets, JobLog(stream=said), client)
    finally:
        client.close()
    assert code is ExitCode.NOT_REPRODUCED, said.getvalue()
    assert receiver.new_reports() == []
    assert (project_dir / ".bug-fix/merge_request/report.json.mac").exists()
