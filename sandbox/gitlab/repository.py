"""A bare git repository, read and written with git's own plumbing as real processes.

Knows commits, trees, blobs, diffs, merges and refs; knows nothing of projects, users or permissions.
"""

import asyncio
import os
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

NULL_SHA: Final = "0" * 40
_PRE_RECEIVE: Final = """#!/bin/sh
[ -z "$SANDBOX_REFUSAL" ] || { echo "$SANDBOX_REFUSAL" >&2; exit 1; }
"""
_CONFIG: Final = """
[uploadpack]
	allowAnySHA1InWant = true
	allowFilter = true
[receive]
	fsckObjects = true
[gc]
	auto = 0
"""
_FORMAT: Final = "%H%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B%x00%x01"


class GitError(Exception):
    """git refused; the message is what git said."""


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who made a commit, and when."""

    name: str
    email: str
    at: datetime


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """One commit."""

    id: str
    parents: tuple[str, ...]
    author: Identity
    committer: Identity
    message: str

    @property
    def title(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a tree."""

    mode: str
    type: str
    id: str
    path: str


class FileDiff(msgspec.Struct, frozen=True, kw_only=True):
    """What changed in one file; `patch` begins at the first hunk."""

    old_path: str
    new_path: str
    old_mode: str
    new_mode: str
    status: str
    """git's letter: A, D, M, T, R."""
    patch: str


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One path of a new tree; content None removes it."""

    path: str
    content: bytes | None
    mode: str = "100644"


class Repository:
    """A bare repository on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def git(
        self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None, ok: Sequence[int] = (0,)
    ) -> bytes:
        """Run git in this repository and give what it printed; GitError unless its exit code is in `ok`."""
        process = await asyncio.create_subprocess_exec(
            "git",
            f"--git-dir={self.path}",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment(env),
        )
        output, errors = await process.communicate(stdin)
        if process.returncode not in ok:
            raise GitError(errors.decode("utf-8", "replace").strip() or f"git ended with {process.returncode}")
        return output

    async def init(self, *, default_branch: str) -> None:
        """Make the repository; fetching any commit by id is allowed, as GitLab allows it."""
        self.path.mkdir(parents=True)
        await self.git("init", "--quiet", "--bare", "--template=", f"--initial-branch={default_branch}", str(self.path))
        with (self.path / "config").open("a", encoding="ascii") as config:
            config.write(_CONFIG)
        hook = self.path / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(_PRE_RECEIVE, encoding="ascii")
        hook.chmod(0o755)

    async def resolve(self, ref: str) -> str | None:
        """Return the commit id of a branch, tag or id, or None."""
        if not ref or ref.startswith("-"):
            return None
        for candidate in (f"refs/heads/{ref}", f"refs/tags/{ref}", ref):
            arguments = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{candidate}^{{commit}}")
            found = (await self.git(*arguments, ok=(0, 1, 128))).decode().strip()
            if found:
                return found
        return None

    async def branches(self) -> dict[str, str]:
        """Give all branches with their commit ids, by name."""
        output = await self.git("for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads")
        return dict(line.split(" ", 1) for line in output.decode().splitlines())

    async def branch(self, name: str) -> str | None:
        """Give the commit id of a branch."""
        return (await self.branches()).get(name)

    async def log(self, *revisions: str, limit: int = 1000, paths: Sequence[str] = ()) -> list[Commit]:
        """Give commits, newest first."""
        output = await self.git(
            "log", f"--max-count={limit}", f"--format={_FORMAT}", "--end-of-options", *revisions, "--", *paths
        )
        return [_commit(record.lstrip("\n")) for record in output.decode("utf-8", "replace").split("\x01")[:-1]]

    async def commit(self, sha: str) -> Commit:
        """Give one commit."""
        return (await self.log(sha, limit=1))[0]

    async def tree(self, revision: str, path: str = "", *, recursive: bool = False) -> list[Entry]:
        """List a folder."""
        flags = ["-r", "-t"] if recursive else []
        where = [f"{path.strip('/')}/"] if path.strip("/") else []
        output = await self.git("ls-tree", "-z", *flags, "--full-tree", revision, "--", *where)
        found = [_entry(record) for record in output.decode("utf-8", "surrogateescape").split("\0")[:-1]]
        return [entry for entry in found if not where or entry.path.startswith(where[0])]

    async def entry(self, revision: str, path: str) -> Entry | None:
        """Find one path."""
        output = await self.git("ls-tree", "-z", "--full-tree", revision, "--", path.rstrip("/"))
        records = output.decode("utf-8", "surrogateescape").split("\0")[:-1]
        return _entry(records[0]) if records else None

    async def blob(self, blob_id: str) -> bytes:
        """Give the content of a blob."""
        return await self.git("cat-file", "blob", blob_id)

    async def merge_base(self, one: str, other: str) -> str | None:
        """Give the best common ancestor."""
        return (await self.git("merge-base", one, other, ok=(0, 1))).decode().strip() or None

    async def diff(self, old: str, new: str) -> list[FileDiff]:
        """Give what changed between two trees, renames found."""
        raw = (await self.git("diff", "--raw", "-z", "-M", "--abbrev=40", old, new)).decode("utf-8", "surrogateescape")
        text = (await self.git("diff", "--patch", "-M", "--no-color", "--no-ext-diff", old, new)).decode(
            "utf-8", "replace"
        )
        patches = re.split(r"(?m)^diff --git .*\n", text)[1:]
        return [_file_diff(fields, patch) for fields, patch in zip(_raw(raw), patches, strict=True)]

    async def patch_id(self, old: str, new: str) -> str:
        """Give what stays the same when changes are only moved onto another commit; empty without changes."""
        patch = await self.git("diff", "--patch", "--no-color", "--no-ext-diff", old, new)
        return (await self.git("patch-id", "--stable", stdin=patch)).decode().partition(" ")[0]

    async def write_tree(self, base: str, changes: Iterable[Change]) -> str:
        """Write the tree that `base` becomes with these changes, and give its id."""
        lines: list[str] = []
        for change in changes:
            if change.content is None:
                lines.append(f"0 {NULL_SHA}\t{change.path}")
                continue
            blob = (await self.git("hash-object", "-w", "--stdin", stdin=change.content)).decode().strip()
            lines.append(f"{change.mode} {blob}\t{change.path}")
        with tempfile.TemporaryDirectory() as folder:
            env = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            await self.git("read-tree", base, env=env)
            stdin = "".join(f"{line}\0" for line in lines).encode("utf-8", "surrogateescape")
            await self.git("update-index", "-z", "--index-info", stdin=stdin, env=env)
            return (await self.git("write-tree", env=env)).decode().strip()

    async def write_folder(self, folder: Path, *, only: Sequence[str] = (".",)) -> str:
        """Write the tree of a folder's files (its own .gitignore counts), and give its id."""
        with tempfile.TemporaryDirectory() as scratch:
            env = {"GIT_INDEX_FILE": str(Path(scratch) / "index"), "GIT_WORK_TREE": str(folder)}
            await self.git("-C", str(folder), "add", "--all", "--", *only, env=env)
            return (await self.git("write-tree", env=env)).decode().strip()

    async def write_commit(
        self, tree: str, *, parents: Sequence[str], message: str, author: Identity, committer: Identity
    ) -> str:
        """Write a commit, and give its id; no ref moves."""
        env = {
            "GIT_AUTHOR_NAME": author.name,
            "GIT_AUTHOR_EMAIL": author.email,
            "GIT_AUTHOR_DATE": author.at.isoformat(),
            "GIT_COMMITTER_NAME": committer.name,
            "GIT_COMMITTER_EMAIL": committer.email,
            "GIT_COMMITTER_DATE": committer.at.isoformat(),
        }
        flags = [flag for parent in parents for flag in ("-p", parent)]
        return (await self.git("commit-tree", *flags, tree, stdin=message.encode(), env=env)).decode().strip()

    async def empty_tree(self) -> str:
        """Write the tree without anything in it, and give its id."""
        return (await self.git("mktree")).decode().strip()

    async def merge_tree(self, ours: str, theirs: str) -> str | None:
        """Merge two commits into a tree and give its id; None when they conflict."""
        output = await self.git("merge-tree", "--write-tree", ours, theirs, ok=(0, 1))
        first, _, rest = output.decode("utf-8", "replace").partition("\n")
        return first if not rest.strip() else None

    async def move(self, ref: str, *, new: str, old: str) -> None:
        """Move, create (`old` all zeros) or delete (`new` all zeros) a full ref, if it still is where it was."""
        if new == NULL_SHA:
            await self.git("update-ref", "-d", ref, old)
        else:
            await self.git("update-ref", ref, new, old)


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Give the environment for git: nothing of the user's configuration."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "LC_ALL": "C.UTF-8",
        **(more or {}),
    }


def _commit(record: str) -> Commit:
    sha, parents, name, email, at, committer, committer_email, committed_at, message, _ = record.split("\0")
    return Commit(
        id=sha,
        parents=tuple(parents.split()),
        author=Identity(name=name, email=email, at=datetime.fromisoformat(at)),
        committer=Identity(name=committer, email=committer_email, at=datetime.fromisoformat(committed_at)),
        message=message,
    )


def _entry(record: str) -> Entry:
    head, _, path = record.partition("\t")
    mode, kind, blob = head.split(" ")
    return Entry(mode=mode, type=kind, id=blob, path=path)


def _raw(output: str) -> Iterable[tuple[str, str, str, str, str]]:
    """Read `git diff --raw -z`: (old mode, new mode, status letter, old path, new path)."""
    fields = iter(output.split("\0")[:-1])
    for head in fields:
        old_mode, new_mode, _, _, status = head.removeprefix(":").split(" ")
        old_path = next(fields)
        yield old_mode, new_mode, status[0], old_path, next(fields) if status[0] in "RC" else old_path


def _file_diff(fields: tuple[str, str, str, str, str], patch: str) -> FileDiff:
    old_mode, new_mode, status, old_path, new_path = fields
    hunk = re.search(r"(?m)^@@", patch)
    return FileDiff(
        old_path=old_path,
        new_path=new_path,
        old_mode=old_mode,
        new_mode=new_mode,
        status=status,
        patch=patch[hunk.start() :] if hunk else "",
    )
