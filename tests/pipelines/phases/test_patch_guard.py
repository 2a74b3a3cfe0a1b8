"""What the phases refuse of a patch beyond the table of rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipelines.agents.transcript import Transcript
from pipelines.job.workspace.job_files import Artifacts
from pipelines.language import Phase
from pipelines.language.catalogue import Policy
from pipelines.language.wire import MAX_BLOB
from pipelines.patch import inspect
from pipelines.phases.patch_guard import held_against

PATCH = b"""diff --git a/NOTES.md b/NOTES.md
new file mode 100644
--- /dev/null
+++ b/NOTES.md
@@ -0,0 +1 @@
+Nothing is fixed.
"""


@pytest.mark.parametrize(
    ("size", "said"), [(MAX_BLOB, ()), (MAX_BLOB + 1, ("The patch has 10485761 bytes; 10485760 can be submitted.",))]
)
def test_a_patch_that_the_receiver_does_not_take_is_refused(
    catalogue_of: Any, size: int, said: tuple[str, ...]
) -> None:
    (repository,) = catalogue_of(["python"]).repositories.values()
    summary = msgspec.structs.replace(inspect(PATCH), size=size)
    found = held_against(summary, lambda _: None, repository=repository, policy=Policy())
    assert found == said


def test_a_transcript_is_never_more_than_the_receiver_takes(tmp_path: Path) -> None:
    transcript = Transcript(Artifacts(tmp_path, Phase.IMPLEMENTATION))
    for _ in range(500):
        transcript.add("message", role="user", content="x" * 50_000)
    assert len(transcript.bytes()) <= MAX_BLOB
    assert b"the transcript is full" in transcript.bytes()
