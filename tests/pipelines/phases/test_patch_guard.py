"""What the phases refuse beyond the table of rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines.agents.transcript import Transcript
from pipelines.job.workspace.job_files import Artifacts
from pipelines.language import Phase
from pipelines.language.policy import Policy
from pipelines.language.wire import MAX_BLOB
from pipelines.phases.patch_guard import held_against
from tests.changes import change_set, file_change


def test_a_change_that_the_receiver_does_not_take_is_refused(catalogue_of: Any) -> None:
    (repository,) = catalogue_of(["python"]).repositories.values()
    change = change_set(file_change("NOTES.md", None, "0" * MAX_BLOB))
    (found,) = held_against(change, lambda _: None, folders=lambda _: (), repository=repository, policy=Policy())
    assert found.endswith("10485760 can be submitted.")


def test_a_transcript_is_never_more_than_the_receiver_takes(tmp_path: Path) -> None:
    transcript = Transcript(Artifacts(tmp_path, Phase.IMPLEMENTATION))
    for _ in range(500):
        transcript.add("message", role="user", content="x" * 50_000)
    assert len(transcript.bytes()) <= MAX_BLOB
    assert b"the transcript is full" in transcript.bytes()
