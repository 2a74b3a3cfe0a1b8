"""One run of a reproduction, as a framework is asked for it. Data only."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from pipelines.job.reproduction.browser import Browser
from pipelines.job.reproduction.frameworks import Tools
from pipelines.language import Framework


class Script(Struct, frozen=True, kw_only=True):
    """A reproduction: one file that stands alone."""

    data: bytes
    framework: Framework
    suffix: str
    """Of the file's name: `.py`, `.ts`, …"""


class Errand(Struct, frozen=True, kw_only=True):
    """What to run against which application, and where to leave what comes of it."""

    script: Script
    base_url: str
    browser: Browser
    tools: Tools
    python: str
    """An interpreter with pytest and Playwright."""
    folder: Path
    """The test's own, which nothing else stands in; the test may read it."""
    results: Path
    """The test may write here."""
    video: bool = False

    @property
    def notes(self) -> Path:
        """Where the framework's notes go."""
        return self.results / "notes.jsonl"


class Prepared(Struct, frozen=True, kw_only=True):
    """How to run it."""

    command: list[str]
    variables: dict[str, str]
