"""What a job hands in with its report, and how a report that waits among the job's artifacts is known to be its own.

Shared by the job, which seals, and the receiver, which checks. Pure: reads and sends nothing.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from pipelines.language import Artifact, ArtifactKind, Phase, PhaseReport, ReportOutcome
from pipelines.language.wire import MAX_BLOB, sha256

MAX_REPORT: Final = 2 * 1024 * 1024
"""Bytes of a report."""

MAX_SEAL: Final = 200
"""Bytes of a seal's file; a seal is 64 hexadecimal characters."""

SUBMITTED: Final = frozenset(
    {ArtifactKind.BASELINE, ArtifactKind.CHANGE_SET, ArtifactKind.REPRODUCTION_TEST, ArtifactKind.TRANSCRIPT}
)
"""Kinds whose bytes the receiver gets; all others stay with GitLab as artifacts."""

_PURPOSE: Final = b"bug-fix: seal of a report among the artifacts of a job, version 1"
"""Keeps the key apart from anything else that may ever be derived from a session's token."""


def goes_along(artifact: Artifact, report: PhaseReport) -> bool:
    """Say whether the receiver gets the bytes of a file that a report lists."""
    takeable = artifact.kind in SUBMITTED and artifact.size <= MAX_BLOB  # what is larger, the report says no to
    return takeable and (report.outcome is not ReportOutcome.FAILED or artifact.kind is ArtifactKind.TRANSCRIPT)


def report_path(phase: Phase) -> str:
    """Return where a job leaves its report, relative to CI_PROJECT_DIR."""
    return f".bug-fix/{phase}/report.json"


def seal_path(phase: Phase) -> str:
    """Return where a job leaves the seal of its report, relative to CI_PROJECT_DIR."""
    return f"{report_path(phase)}.mac"


def token_sha256(token: str) -> str:
    """Return the hash of a session's token in hexadecimal: all that the receiver keeps of it."""
    return sha256(token.encode())


def seal(report: bytes, *, token_hash: str) -> str:
    """Return the HMAC-SHA256 of an encoded report in hexadecimal, keyed with what `token_sha256` gives.

    Both sides know that hash, and code that a job runs knows neither token nor hash. The key is derived from it
    (RFC 5869 calls this step extract), so that a seal says nothing of what the receiver stores.
    """
    key = hmac.digest(_PURPOSE, bytes.fromhex(token_hash), "sha256")
    return hmac.new(key, report, hashlib.sha256).hexdigest()


def is_sealed(report: bytes, mark: bytes, *, token_hash: str) -> bool:
    """Say whether `mark` is the seal of a report, in a time that tells nothing; a line's end after it is forgiven."""
    return hmac.compare_digest(mark.strip(), seal(report, token_hash=token_hash).encode())
