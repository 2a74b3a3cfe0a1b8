"""The repositories of a job: fetched once with the job's token, checked out as often as needed, read at their base.

The supervisor's own git directory is the only one that it trusts: hooks, filters, text conversion and configuration of
a work folder never run, because work folders bring none of them into this directory.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from msgspec import Struct

from pipelines.job.communication.errors import RunnerError
from pipelines.job.isolation import file_trees
from pipelines.job.isolation.executables import located
from pipelines.job.workspace.git_command import environment, git, last_line
from pipelines.language import CommitSha, ProjectPath

_RAW = "* -text !eol !filter !ident !working-tree-encoding !diff !merge\n"
"""Highest in git's order of attributes: bytes are checked out and compared as they are stored."""

_IGNORED = (
    *("__pycache__/", "*.pyc", ".pytest_cache/", ".mypy_cache/", ".ruff_cache/", ".hypothesis/", ".coverage"),
    *("node_modules/", ".venv/", "test-results/", "playwright-report/", ".bug-fix/", "*.egg-info/", ".npm/"),
)
"""What tools leave behind and nobody means to commit."""

_OWN = ("--config=user.name=bug-fix agent", "--config=user.email=bug-fix@invalid", "--config=gc.auto=0")
"""Configuration of a work folder."""

_HELPER = '!f() { test "$1" = get && printf "username=gitlab-ci-token\\npassword=%s\\n" "$BUG_FIX_GIT_PASSWORD"; }; f'


class Source(Struct, frozen=True, kw_only=True):
    """A repository at the commit that the iteration works on."""

    repository: ProjectPath
    base_sha: CommitSha
    git_dir: Path
    """Bare, ours: other users can read but not write it."""
    ignored: tuple[str, ...] = ()
    """Further patterns of files that never belong to a change."""


def fetch(
    root: Path,
    *,
    repository: ProjectPath,
    base_sha: CommitSha,
    url: str,
    token: str,
    ignored: tuple[str, ...] = (),
) -> Source:
    """Fetch the base commit. The token goes to git by its environment only: not to disk, not to any configuration."""
    git_dir = root / "git" / re.sub(r"[^A-Za-z0-9_.-]+", "-", repository).strip(".-")
    git_dir.parent.mkdir(exist_ok=True)
    git(["init", "--quiet", "--bare", "--template=", str(git_dir)])
    (git_dir / "info").mkdir()
    (git_dir / "info" / "attributes").write_text(_RAW)
    (git_dir / "info" / "exclude").write_text("".join(f"{pattern}\n" for pattern in (*_IGNORED, *ignored)))
    options = ["-c", "http.followRedirects=false", "-c", "credential.helper=", "-c", f"credential.helper={_HELPER}"]
    command = ["--git-dir", str(git_dir), *options, "fetch", "--quiet", "--no-tags", "--no-recurse-submodules"]
    secret = {"BUG_FIX_GIT_PASSWORD": token}
    done = git([*command, "--depth=50", url, base_sha], extra=secret, check=False)
    if done.returncode != 0:  # servers that serve branches only
        done = git([*command, url, "+refs/heads/*:refs/heads/*"], extra=secret, check=False)
    if done.returncode != 0:
        raise RunnerError(
            f"{repository} can't be cloned from {url}: {last_line(done.stderr)} "
            "Is the automation project in its job-token allowlist, and may the pipeline's user read it?"
        )
    git(["--git-dir", str(git_dir), "rev-parse", "--verify", "--quiet", f"{base_sha}^{{commit}}"])
    git(["--git-dir", str(git_dir), "update-ref", "refs/heads/base", base_sha])
    return Source(repository=repository, base_sha=base_sha, git_dir=git_dir, ignored=ignored)


def check_out(source: Source, folder: Path) -> None:
    """Make a work folder at the base commit, with a `.git` of its own."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    clone = ["clone", "--quiet", "--no-hardlinks", "--no-checkout", "--template=", "--branch=base"]
    git([*clone, *_OWN, f"file://{source.git_dir}", str(folder)])
    (folder / ".git" / "info").mkdir(exist_ok=True)
    for name in ("attributes", "exclude"):
        (folder / ".git" / "info" / name).write_bytes((source.git_dir / "info" / name).read_bytes())
    own = ["--git-dir", str(folder / ".git"), "--work-tree", str(folder)]
    git([*own, "remote", "remove", "origin"])
    git([*own, "checkout", "--quiet", "base"])


def settle_times(source: Source, folder: Path) -> None:
    """Give all files of a work folder the time of the base commit: when it was made can't be told by them."""
    shown = git(["--git-dir", str(source.git_dir), "show", "-s", "--format=%ct", source.base_sha]).stdout
    second = max(int(shown.split()[-1]), _FIRST_ZIP_S)
    for level in file_trees.walk(folder):
        for name in (*level.others, *level.folders):
            os.utime(name, (second, second), dir_fd=level.descriptor, follow_symlinks=False)
    git(["--git-dir", str(folder / ".git"), "--work-tree", str(folder), "update-index", "-q", "--refresh"], check=False)


def read_tree(source: Source) -> tuple[str, ...]:
    """Return the paths of all files at the base commit, sorted."""
    done = git(["--git-dir", str(source.git_dir), "ls-tree", "-r", "-z", "--name-only", source.base_sha])
    return tuple(sorted(name.decode(errors="replace") for name in done.stdout.split(b"\0") if name))


_FIRST_ZIP_S = 315_619_200
"""1980-01-02: archives hold no earlier times."""

LARGEST_FILE = 50 * 1024 * 1024
"""Bytes of a file that are read at most: in a pack, a few kilobytes can be a file of many gigabytes."""


def read_file(source: Source, path: str, *, limit: int = LARGEST_FILE) -> bytes | None:
    """Return a file of the base commit, the first `limit` bytes of it; None where there is no such file."""
    process = subprocess.Popen(
        [
            *(located("git"), "-c", "core.bigFileThreshold=1m", "--git-dir", str(source.git_dir)),
            *("cat-file", "blob", f"{source.base_sha}:{path}"),
        ],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with process:
        content = process.stdout.read(limit) if process.stdout is not None else b""
        is_cut = len(content) == limit
        if is_cut:
            process.kill()
    return content if is_cut or process.returncode == 0 else None
