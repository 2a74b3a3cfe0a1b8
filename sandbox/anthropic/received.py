"""Keep the texts and pictures of each conversation's first message, so that tests can check what a model was sent.

The books keep counts only.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode
from typing import Any

from msgspec import Struct

from sandbox.anthropic import wire
from sandbox.anthropic.script import Subject


class Picture(Struct, frozen=True, kw_only=True):
    """A picture that the model was shown."""

    media_type: str
    sha256: str


class Opening(Struct, frozen=True, kw_only=True):
    """The first message of a conversation."""

    subject: Subject
    text: str
    pictures: tuple[Picture, ...]


def opening(request: wire.CreateRequest, about: Subject) -> Opening:
    """Return what the first message holds."""
    content = request.messages[0].content
    blocks: list[Any] = [wire.Text(text=content)] if isinstance(content, str) else list(content)
    return Opening(
        subject=about,
        text="\n".join(block.text for block in blocks if isinstance(block, wire.Text)),
        pictures=tuple(
            Picture(media_type=block.source.media_type, sha256=hashlib.sha256(b64decode(block.source.data)).hexdigest())
            for block in blocks
            if isinstance(block, wire.Image)
        ),
    )


class Received:
    """All conversations that were begun, in order."""

    def __init__(self) -> None:
        self._openings: list[Opening] = []

    def keep(self, request: wire.CreateRequest, about: Subject) -> None:
        """Keep the first request of a conversation."""
        if about.turn == 0:
            self._openings.append(opening(request, about))

    def dump(self) -> list[dict[str, Any]]:
        """Return them for a page of the sandbox."""
        return [
            {
                "phase": one.subject.phase,
                "issue": one.subject.issue,
                "iteration": one.subject.iteration,
                "repository": one.subject.repository,
                "text": one.text,
                "pictures": [{"media_type": p.media_type, "sha256": p.sha256} for p in one.pictures],
            }
            for one in self._openings
        ]
