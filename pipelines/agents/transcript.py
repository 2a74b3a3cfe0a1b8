"""The conversation as a file: JSON lines, saved after every turn. Holds no token; decides nothing.

Lines: `{"type": "start", phase, agent, model, system, tools}`, then `{"type": "message", role, content}` (those of the
assistant also with `stop_reason`, `usage`, `seconds`, `cost_usd`, `request_id`), and last `{"type": "end", reason}`.
Of a picture or document, `{"type": "image", media_type, base64_characters}` is kept. What has no room any more is a
line of its kind with `left_out`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from pipelines.job.workspace.job_files import Artifacts
from pipelines.language import ArtifactKind
from pipelines.language.wire import MAX_BLOB

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
        line = msgspec.json.encode({"type": kind, **{name: _without_bytes(fact) for name, fact in facts.items()}})
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


def _without_bytes(fact: Any) -> Any:  # noqa: ANN401 - plain JSON data of any shape
    """Return a fact as it is kept, at any depth: of a picture or document only that it was there."""
    match fact:
        case {"type": "image" | "document" as kind, "source": {"type": "base64", "data": str(data)} as source}:
            more = {name: one for name, one in fact.items() if name not in {"type", "source"}}
            return {"type": kind, "media_type": source.get("media_type"), "base64_characters": len(data), **more}
        case dict():
            return {name: _without_bytes(one) for name, one in fact.items()}
        case list() | tuple():
            return [_without_bytes(one) for one in fact]
        case _:
            return fact
