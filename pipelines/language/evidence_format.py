"""Whether a file of evidence is what it is called, by its bytes; asked where a job takes it and where it is shown.

What a file shows is the test's own account: a test may make any picture, trace or video.
"""

from __future__ import annotations

from typing import Final

from pipelines.language import image_format
from pipelines.language.artifacts import ArtifactKind

_BEGINNINGS: Final = {
    ArtifactKind.TRACE: (b"PK\x03\x04", "zip archive"),
    ArtifactKind.VIDEO: (b"\x1a\x45\xdf\xa3", "WebM"),
}


def fault(kind: ArtifactKind, content: bytes) -> str:
    """Return why a file can't be shown as what it is, as the end of a sentence; empty: nothing speaks against it."""
    if kind is ArtifactKind.SCREENSHOT:
        return image_format.fault(content, "image/png")
    beginning, name = _BEGINNINGS[kind]
    return "" if content.startswith(beginning) else f"is called a {name} and is none"


def has_size(screenshot: bytes, width: int, height: int) -> bool:
    """Say whether a picture that has no fault has exactly these pixels, give or take one for rounding."""
    found = image_format.png_size(screenshot)
    return abs(found[0] - width) <= 1 and abs(found[1] - height) <= 1
