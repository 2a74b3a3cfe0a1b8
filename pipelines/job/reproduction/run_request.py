"""One run of a reproduction, as a framework is asked for it. Data only."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from msgspec import Struct

from pipelines.job.isolation import project_folder
from pipelines.job.reproduction.browser import Browser
from pipelines.job.reproduction.frameworks import Tools
from pipelines.language import Framework


class Script(Struct, frozen=True, kw_only=True):
    """A reproduction: one file, which stands alone unless it imports from its repository."""

    data: bytes
    framework: Framework
    path: str
    """Where the test belongs in its repository."""
    imports: bool = False
    """It imports from there, so it runs in a copy of the base commit."""

    @property
    def suffix(self) -> str:
        """Return how the file's name ends, as in `.ts`."""
        return PurePosixPath(self.path).suffix


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
    def copy(self) -> Path:
        """Where a copy of the repository is, for a test that imports from it."""
        return self.folder / "repository"

    def put_test(self, name: str) -> Path:
        """Write the test and return where: by this name where it stands alone, else at its own place in the copy."""
        test = self.copy / self.script.path if self.script.imports else self.folder / name
        project_folder.write(self.folder, test.relative_to(self.folder), self.script.data)
        return test

    @property
    def notes(self) -> Path:
        """Where the framework's notes go."""
        return self.results / "notes.jsonl"


class Prepared(Struct, frozen=True, kw_only=True):
    """How to run it."""

    command: list[str]
    variables: dict[str, str]
