"""Real patches: what git writes about a folder before and after."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from pipelines.language.catalogue import Policy
from pipelines.patch import examine, inspect

Files = Mapping[str, str]
_DIFF = (
    "diff",
    "--cached",
    "--binary",
    "--full-index",
    "--no-renames",
    "--no-color",
    "--diff-algorithm=histogram",
    "HEAD",
)
_NOBODY = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "core.hooksPath=/dev/null")


def git(folder: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", *_NOBODY, *arguments], cwd=folder, check=True, capture_output=True).stdout


@pytest.fixture
def examined(tmp_path: Path) -> Callable[..., tuple[str, ...]]:
    """Examine the patch between two states of a repository; a file that is not in `after` is left as it was."""
    numbers = itertools.count()

    def write(folder: Path, files: Mapping[str, str | None]) -> None:
        for name, text in files.items():
            path = folder / name
            if text is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text))

    def look(before: Files, after: Mapping[str, str | None], policy: Policy | None = None) -> tuple[str, ...]:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        git(folder, "init", "--quiet")
        write(folder, before)
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "--allow-empty", "--message=before")
        write(folder, after)
        git(folder, "add", "--all")

        def base(path: str) -> bytes | None:
            return dedent(before[path]).encode() if path in before else None

        return examine(
            inspect(git(folder, *_DIFF)), base, allowed=("**",), policy=policy or Policy(), secrets=lambda _: ()
        )

    return look
