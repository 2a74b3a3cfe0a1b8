"""The conversation as a file: JSON lines, saved after every turn. Holds no token; decides nothing.

Lines: `{"type": "start", phase, agent, model, system, tools}`, then `{"type": "message", role, content}` (those of the
assistant also with `stop_reason`, `usage`, `seconds`, `cost_usd`, `request_id`), and last `{"type": "end", reason}`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from pipelines.job.workspace import Artifacts
from pipelines.model import ArtifactKind
from pipelines.wire import MAX_BLOB

_LIMIT = MAX_BLOB - 200_000
"""What the receiver takes, less room for the short lines that say what was left out."""


class Transcript:
    """Collects lines and writes them through the job's artifacts."""

    def __init__(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts
        self._lines: list[bytes] = []
        self._size = 0

    def add(self, kind: str, **facts: Any) -> None:  # noqa: ANN401 - plain JSON data of any shape
        """Add a line."""
        line = msgspec.json.encode({"type": kind, **facts})
        if self._size + len(line) > _LIMIT:
            line = msgspec.json.encode({"type": kind, "left_out": f"{len(line)} bytes: the transcript is full"})
        self._size += len(line) + 1
        self._lines.append(line)

    def save(self) -> None:
        """Write the file as it is now."""
        self._artifacts.keep(ArtifactKind.TRANSCRIPT, "transcript.jsonl", self.bytes())

    def bytes(self) -> bytes:
        """Return the file's content."""
        return b"".join(line + b"\n" for line in self._lines)
