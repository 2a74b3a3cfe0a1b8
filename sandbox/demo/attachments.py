"""What became of a ticket's attachments: what the model was given of them, by the Anthropic emulator's own record."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any


def given(files: Iterable[Path], openings: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Return for each file how analysis was given it: `text`, `picture`, `named`, or `nothing`."""
    begun = [one for one in openings if one["phase"] == "analysis"]
    return {file.name: _given(file.name, file.read_bytes(), begun) for file in files}


def _given(name: str, content: bytes, openings: Sequence[dict[str, Any]]) -> str:
    if any(_is_shown(content, one) for one in openings):
        return "picture"
    if any(_is_told(content, one["text"]) for one in openings):
        return "text"
    return "named" if any(name in one["text"] for one in openings) else "nothing"


def _is_shown(content: bytes, opening: dict[str, Any]) -> bool:
    return hashlib.sha256(content).hexdigest() in {picture["sha256"] for picture in opening["pictures"]}


def _is_told(content: bytes, text: str) -> bool:
    """Whether each line of a file stands in a text; a document may indent them or escape their quotes."""
    try:
        lines = content.decode().split("\n")
    except UnicodeDecodeError:
        return False
    plain = text.replace('\\"', '"')
    return all(line.strip() in plain for line in lines)
