"""The repositories of a job: fetched once with the job's token, checked out as often as needed, compared as patches.

The supervisor's own git directory is the only one that it trusts: hooks, filters, text conversion and configuration of
a work folder never run, because work folders bring none of them into this directory. Decides nothing about patches.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from pipelines.job.isolation.processes import Launcher, Role
from pipelines.job.reporting.errors import JobError, RunnerError
from pipelines.job.workspace.job_files import read_untrusted
from pipelines.language import CommitSha, ProjectPath

_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "http:https:file",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C.UTF-8",
}
_RAW = "* -text !eol !filter !ident !working-tree-encoding !diff !merge\n"
"""Highest in git's order of attributes: bytes are checked out and compared as they are stored."""

_IGNORED = (
    *("__pycache__/", "*.pyc", ".pytest_cache/", ".mypy_cache/", ".ruff_cache/", ".hypothesis/", ".coverage"),
    *("node_modules/", ".venv/", "test-results/", "playwright-report/", ".bug-fix/", "*.egg-info/", ".npm/"),
)
"""What tools leave behind and nobody means to commit."""

_HELPER = '!f() { test "$1" = get && printf "username=gitlab-ci-token\\npassword=%s\\n" "$BUG_FIX_GIT_PASSWORD"; }; f'
_DIFF = (
    *("diff", "--cached", "--binary", "--full-index", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color"),
    *("--src-prefix=a/", "--dst-prefix=b/", "--unified=3", "--diff-algorithm=histogram", "--submodule=short"),
)


class Source(Struct, frozen=True, kw_only=True):
    """A repository at the commit that the iteration works on."""

    repository: ProjectPath
    base_sha: CommitSha
    git_dir: Path
    """Bare, ours: other users can read but not write it."""
    ignored: tuple[str, ...] = ()
    """Further patterns of files that never belong to a patch."""


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
    _git(["init", "--quiet", "--bare", "--template=", str(git_dir)])
    (git_dir / "info").mkdir()
    (git_dir / "info" / "attributes").write_text(_RAW)
    (git_dir / "info" / "exclude").write_text("".join(f"{pattern}\n" for pattern in (*_IGNORED, *ignored)))
    options = ["-c", "http.followRedirects=false", "-c", "credential.helper=", "-c", f"credential.helper={_HELPER}"]
    command = ["--git-dir", str(git_dir), *options, "fetch", "--quiet", "--no-tags", "--no-recurse-submodules"]
    secret = {"BUG_FIX_GIT_PASSWORD": token}
    done = _git([*command, "--depth=50", url, base_sha], extra=secret, check=False)
    if done.returncode != 0:  # servers that serve branches only
        done = _git([*command, url, "+refs/heads/*:refs/heads/*"], extra=secret, check=False)
    if done.returncode != 0:
        raise RunnerError(
            f"{repository} can't be cloned from {url}: {_last_line(done.stderr)} "
            "Is the automation project in its job-token allowlist, and may the pipeline's user read it?"
        )
    _git(["--git-dir", str(git_dir), "rev-parse", "--verify", "--quiet", f"{base_sha}^{{commit}}"])
    _git(["--git-dir", str(git_dir), "update-ref", "refs/heads/base", base_sha])
    return Source(repository=repository, base_sha=base_sha, git_dir=git_dir, ignored=ignored)


def check_out(source: Source, folder: Path, *, patch: bytes | None = None, without: Sequence[str] = ()) -> None:
    """Make a work folder at the base commit, with a `.git` of its own, and apply a patch to it, but for some files."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    clone = ["clone", "--quiet", "--no-hardlinks", "--no-checkout", "--template=", "--branch=base"]
    _git([*clone, f"file://{source.git_dir}", str(folder)])
    (folder / ".git" / "info").mkdir(exist_ok=True)
    for name in ("attributes", "exclude"):
        (folder / ".git" / "info" / name).write_bytes((source.git_dir / "info" / name).read_bytes())
    own = ["--git-dir", str(folder / ".git"), "--work-tree", str(folder)]
    for key, value in (("user.name", "bug-fix agent"), ("user.email", "bug-fix@invalid"), ("gc.auto", "0")):
        _git([*own, "config", key, value])
    _git([*own, "remote", "remove", "origin"])
    _git([*own, "checkout", "--quiet", "base"])
    if patch is not None:
        apply_patch(source, folder, patch, without=without)


def apply_patch(source: Source, folder: Path, patch: bytes, *, without: Sequence[str] = ()) -> None:
    """Apply a patch to a work folder that nothing untrusted has run in yet. Raises `JobError` when it doesn't fit."""
    left_out = [f"--exclude={_GLOB.sub(_ESCAPED, path)}" for path in without]  # git takes globs there
    command = ["--git-dir", str(source.git_dir), "--work-tree", ".", "apply", "--whitespace=nowarn", *left_out, "-"]
    done = _git(command, given=patch, cwd=folder, check=False)
    if done.returncode != 0:
        raise JobError(
            f"The patch does not apply to {source.repository} at {source.base_sha}: {_last_line(done.stderr)}"
        )


def make_patch(source: Source, folder: Path, *, launcher: Launcher, role: Role) -> bytes:
    """Return what changed in a work folder since the base commit.

    Reads the folder as the role that owns it, so that links in it reach nothing more than that role could. The role's
    other processes must have ended.
    """
    scratch = Path(tempfile.mkdtemp(prefix="patch-", dir=launcher.root))
    (scratch / "objects").mkdir()
    launcher.give(scratch, role)
    extra = _ENVIRONMENT | {
        "GIT_DIR": str(source.git_dir),
        "GIT_WORK_TREE": str(folder),
        "GIT_INDEX_FILE": str(scratch / "index"),
        "GIT_OBJECT_DIRECTORY": str(scratch / "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(source.git_dir / "objects"),
    }
    for command in (["read-tree", source.base_sha], ["add", "--all", "--", "."]):
        done = launcher.run(["git", *command], role=role, cwd=folder, timeout_s=300, extra=extra)
        if done.exit_code != 0:
            raise JobError(f"git {command[0]} failed in the work folder: {done.output.strip()[-300:]}")
    output = scratch / "fix.patch"
    done = launcher.run(
        ["git", *_DIFF, f"--output={output}", source.base_sha], role=role, cwd=folder, timeout_s=300, extra=extra
    )
    if done.exit_code != 0:
        raise JobError(f"git diff failed in the work folder: {done.output.strip()[-300:]}")
    patch = read_untrusted(output)
    if patch is None:
        raise JobError(f"The patch of {source.repository} can't be read; a fix is never that large.")
    return patch


_GLOB = re.compile(r"[*?[\\]")
_ESCAPED = r"\\\g<0>"


def read_tree(source: Source) -> tuple[str, ...]:
    """Return the paths of all files at the base commit, sorted."""
    done = _git(["--git-dir", str(source.git_dir), "ls-tree", "-r", "-z", "--name-only", source.base_sha])
    return tuple(sorted(name.decode(errors="replace") for name in done.stdout.split(b"\0") if name))


LARGEST_FILE = 50 * 1024 * 1024
"""Bytes of a file that are read at most: in a pack, a few kilobytes can be a file of many gigabytes."""


def read_file(source: Source, path: str, *, limit: int = LARGEST_FILE) -> bytes | None:
    """Return a file of the base commit, the first `limit` bytes of it; None where there is no such file."""
    process = subprocess.Popen(
        [
            *("git", "-c", "core.bigFileThreshold=1m", "--git-dir", str(source.git_dir)),
            *("cat-file", "blob", f"{source.base_sha}:{path}"),
        ],
        env=_kept() | _ENVIRONMENT,
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


def _kept() -> dict[str, str]:
    return {name: os.environ[name] for name in _KEPT if name in os.environ}


def _git(
    arguments: list[str],
    *,
    extra: Mapping[str, str] | None = None,
    given: bytes = b"",
    cwd: Path | None = None,
    check: bool = True,
) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        ["git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", *arguments],
        env=_kept() | _ENVIRONMENT | dict(extra or {}),
        input=given,
        cwd=cwd,
        capture_output=True,
        check=False,
        timeout=600,
    )
    if check and done.returncode != 0:
        raise JobError(f"git {' '.join(arguments[:4])} failed: {_last_line(done.stderr)}")
    return done


_KEPT = ("PATH", "http_proxy", "https_proxy", "no_proxy", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "GIT_SSL_CAINFO")


def _last_line(stderr: bytes) -> str:
    lines = stderr.decode(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else "git gave no reason"
