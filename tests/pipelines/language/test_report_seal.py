"""What goes along with a report, and which seal makes a report a job's own."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from pipelines.language import Artifact, ArtifactKind, Phase, PhaseReport, ReportOutcome, RunId
from pipelines.language.report_seal import MAX_SEAL, goes_along, is_sealed, report_path, seal, seal_path, token_sha256
from pipelines.language.wire import MAX_BLOB

REPORT = b'{"outcome":"succeeded"}'
OURS, OTHER = token_sha256("ours"), token_sha256("another job's")


def test_a_report_is_known_by_the_seal_of_its_session_only() -> None:
    mark = seal(REPORT, token_hash=OURS).encode()
    assert is_sealed(REPORT, mark, token_hash=OURS)
    assert is_sealed(REPORT, mark + b"\n", token_hash=OURS)
    assert not is_sealed(REPORT, mark, token_hash=OTHER)
    assert not is_sealed(REPORT + b" ", mark, token_hash=OURS)
    assert len(mark) < MAX_SEAL


@pytest.mark.parametrize("mark", [b"", b"0" * 64, b"\xff\xfe", seal(REPORT, token_hash=OURS).upper().encode()])
def test_what_is_no_seal_seals_nothing(mark: bytes) -> None:
    assert not is_sealed(REPORT, mark, token_hash=OURS)


@pytest.mark.parametrize("key", [b"ours", OURS.encode(), bytes.fromhex(OURS)])
def test_token_and_stored_hash_are_no_keys_themselves(key: bytes) -> None:
    naive = hmac.new(key, REPORT, hashlib.sha256).hexdigest().encode()
    assert not is_sealed(REPORT, naive, token_hash=OURS)


def test_each_phase_leaves_its_report_in_its_own_folder() -> None:
    places = {path for phase in Phase for path in (report_path(phase), seal_path(phase))}
    assert len(places) == 2 * len(Phase)
    assert report_path(Phase.TESTING) == ".bug-fix/testing/report.json"


@pytest.mark.parametrize(
    ("kind", "size", "outcome", "along"),
    [
        (ArtifactKind.CHANGE_SET, 1, ReportOutcome.SUCCEEDED, True),
        (ArtifactKind.REPRODUCTION_TEST, 1, ReportOutcome.NOT_REPRODUCED, True),
        (ArtifactKind.CHANGE_SET, MAX_BLOB + 1, ReportOutcome.SUCCEEDED, False),
        (ArtifactKind.SCREENSHOT, 1, ReportOutcome.SUCCEEDED, False),
        (ArtifactKind.CHANGE_SET, 1, ReportOutcome.FAILED, False),
        (ArtifactKind.TRANSCRIPT, 1, ReportOutcome.FAILED, True),
    ],
)
def test_patches_tests_and_transcripts_go_along_with_a_report(
    kind: ArtifactKind, size: int, outcome: ReportOutcome, *, along: bool
) -> None:
    report = PhaseReport(
        run=RunId("0" * 16),
        iteration=1,
        phase=Phase.IMPLEMENTATION,
        repository=None,
        outcome=outcome,
        reason="",
        result=None,
    )
    artifact = Artifact(kind=kind, path=".bug-fix/implementation/x", sha256="0" * 64, size=size)
    assert goes_along(artifact, report) is along
