"""Repositories that somebody made inside a work folder, `git init` of a tool's test for example.

git takes one with a commit for a submodule, which the rules for changes refuse by name, and fails on one without: its
files are files like others, so its git directory is out of the way while changes are taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from pipelines.job.isolation import file_trees
from pipelines.job.workspace.job_files import read_untrusted

_GIT: Final = ".git"
_LINK: Final = re.compile(rb"ref: ?(\S{1,400})\s*")
_LARGEST: Final = 10 * 1024 * 1024
"""Bytes of `packed-refs` that are read."""


@contextmanager
def set_aside(folder: Path, aside: Path) -> Iterator[None]:
    """Keep the git directories of repositories without a commit in `aside`, on the same file system, until the end.

    The folder's owner must have no process any more. Links are not followed.
    """
    with ExitStack() as back:
        for number, found in enumerate(list(_without_commit(folder))):
            kept = aside / f"{number}{_GIT}"
            found.rename(kept)
            back.callback(kept.rename, found)
        yield


def _without_commit(folder: Path) -> Iterator[Path]:
    for level in file_trees.walk(folder):
        found = folder.joinpath(*level.parts, _GIT)
        if level.parts and _GIT in level.folders and _GIT not in level.parts and not _has_commit(found):
            yield found


def _has_commit(git_dir: Path) -> bool:
    """Say whether something is checked out, as far as plain files tell."""
    head = read_untrusted(git_dir / "HEAD", limit=_LARGEST) or b""
    link = _LINK.fullmatch(head)
    if link is None:
        return re.fullmatch(rb"[0-9a-f]{40,64}\s*", head) is not None
    name = link[1].decode(errors="replace")
    if ".." in name.split("/") or name.startswith("/"):
        return False
    packed = read_untrusted(git_dir / "packed-refs", limit=_LARGEST) or b""
    return (git_dir / name).is_file() or any(line.endswith(b" " + link[1]) for line in packed.splitlines())
