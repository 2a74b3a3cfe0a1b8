"""What is kept of a conversation: everything but the bytes of pictures and documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.agents.transcript import Transcript
from pipelines.job.workspace.job_files import Artifacts
from pipelines.language import Phase

DATA = "aWNoYmlu" * 9
KEPT = {"type": "image", "media_type": "image/png", "base64_characters": len(DATA)}
PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": DATA}}
MANUAL = {"type": "document", "title": "a", "source": {"type": "base64", "media_type": "application/pdf", "data": DATA}}


@pytest.mark.parametrize(
    ("block", "kept"),
    [
        (PICTURE, KEPT),
        (MANUAL, {**KEPT, "type": "document", "media_type": "application/pdf", "title": "a"}),
        ({"type": "tool_result", "content": [PICTURE]}, {"type": "tool_result", "content": [KEPT]}),
        ({"type": "tool_result", "content": "text"}, {"type": "tool_result", "content": "text"}),
        ({"type": "tool_use", "input": {"type": "image"}}, {"type": "tool_use", "input": {"type": "image"}}),
    ],
)
def test_of_a_picture_only_its_size_is_kept_wherever_it_stands(
    tmp_path: Path, block: dict[str, Any], kept: dict[str, Any]
) -> None:
    transcript = Transcript(Artifacts(tmp_path, Phase.ANALYSIS))
    transcript.add("message", role="user", content=[block])
    assert json.loads(transcript.bytes()) == {"type": "message", "role": "user", "content": [kept]}
