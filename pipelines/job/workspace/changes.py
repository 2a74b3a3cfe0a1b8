"""Change sets in a job: taken from a work folder, made in a fresh one, shown to people as a diff. By git's plumbing.

Decides nothing about changes. Each step has an index and an object store of its own, so that nothing of a change stays
in the repository's git directory or in that of a work folder.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pipelines.job import limits
from pipelines.job.communication.errors import JobError
from pipelines.job.isolation import file_trees
from pipelines.job.isolation.processes import Launcher
from pipelines.job.isolation.role_users import Role
from pipelines.job.workspace.embedded_repositories import set_aside
from pipelines.job.workspace.git_command import ENVIRONMENT, git, last_line
from pipelines.job.workspace.job_files import read_untrusted
from pipelines.job.workspace.repositories import Source
from pipelines.language.change_set import SUBMODULE, ChangeSet, FileAfter, FileBefore, FileChange, blob_id

_RAW: Final = re.compile(rb":([0-7]{6}) ([0-7]{6}) ([0-9a-f]{40}) ([0-9a-f]{40}) [AMDT]")
"""https://git-scm.com/docs/diff-format#_raw_output_format"""
_RAW_DIFF: Final = ("diff", "--cached", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff", "--no-color")
_SHOWN_DIFF: Final = (
    *("diff", "--no-ext-diff", "--no-textconv", "--no-color", "--find-renames", "--src-prefix=a/", "--dst-prefix=b/"),
    *("--unified=3", "--diff-algorithm=histogram", "--submodule=short"),
)
_MINIMAL: Final = ("-c", "core.checkStat=minimal", "-c", "core.trustctime=false")
"""The checkout may have got another owner since, which changes nothing of its contents."""
_NOTHING: Final = "0" * 40
_ABSENT: Final = "000000"


def collect_changes(source: Source, folder: Path, *, launcher: Launcher, role: Role) -> ChangeSet:
    """Return what changed in a work folder since the base commit. Raises `JobError` when it can't be read.

    Reads the folder as the role that owns it, so that links in it reach nothing more than that role could. The role's
    other processes must have ended.
    """
    scratch = Path(tempfile.mkdtemp(prefix="changes-", dir=launcher.root))
    (scratch / "objects").mkdir()
    launcher.users.give(scratch, role)
    extra = ENVIRONMENT | _stores(source, scratch) | {"GIT_WORK_TREE": str(folder)}

    def run(*arguments: str, given: bytes = b"") -> None:
        done = launcher.run(
            arguments, role=role, cwd=folder, timeout_s=limits.WORK_FOLDER_GIT_S, extra=extra, given=given
        )
        if done.exit_code != 0:
            raise JobError(f"{' '.join(arguments[:2])} failed in the work folder: {done.output.strip()[-300:]}")

    run("git", "read-tree", source.base_sha)
    with set_aside(folder, scratch):
        run("git", "add", "--all", "--", ".")
    run("git", *_RAW_DIFF, f"--output={scratch / 'changes'}", source.base_sha)
    entries = tuple(_entries(_read(scratch / "changes", source)))
    wanted = sorted({blob for _, before, after, blob in entries if after not in {_ABSENT, SUBMODULE}})
    listed = "".join(f"{blob}\n" for blob in wanted).encode()
    run("/bin/sh", "-c", 'exec git cat-file --batch >"$0"', str(scratch / "blobs"), given=listed)
    blobs = _blobs(_read(scratch / "blobs", source))
    file_trees.remove(scratch)  # git ran there as the role: nothing says what it is like now
    files = (
        FileChange(path=path, before=before, after=None if mode == _ABSENT else _after(mode, blobs.get(blob, b"")))
        for path, before, mode, blob in entries
    )
    return ChangeSet(base_sha=source.base_sha, files=tuple(sorted(files, key=lambda file: file.path)))


def _after(mode: str, content: bytes) -> FileAfter:
    return FileAfter(mode=mode, content=content)


def _read(path: Path, source: Source) -> bytes:
    data = read_untrusted(path)
    if data is None:
        raise JobError(f"What changed in {source.repository} can't be read; a fix is never that large.")
    return data


def _entries(raw: bytes) -> Iterator[tuple[str, FileBefore | None, str, str]]:
    """Yield path, what was there, and mode and id of what is there now."""
    fields = iter(raw.split(b"\0")[:-1])
    for facts, name in zip(fields, fields, strict=True):
        found = _RAW.fullmatch(facts)
        if found is None:
            raise JobError("git told the changes of the work folder in a form that is not known here.")
        try:
            path = name.decode()
        except UnicodeDecodeError as error:
            raise JobError(f"The name of a file is not UTF-8: {name[:200]!r}. Give it another.") from error
        old_mode, new_mode, old, new = (part.decode() for part in found.groups())
        before = None if old_mode == _ABSENT else FileBefore(mode=old_mode, blob=old)
        yield path, before, new_mode, new


def _blobs(listed: bytes) -> Mapping[str, bytes]:
    """Return contents by id from what `git cat-file --batch` wrote."""
    found: dict[str, bytes] = {}
    place = 0
    while place < len(listed):
        end = listed.index(b"\n", place)
        name, kind, size = listed[place:end].decode().split(" ")
        content = listed[end + 1 : end + 1 + int(size)]
        if kind != "blob" or blob_id(content) != name:
            raise JobError("git's copy of a changed file is not what it says.")
        found[name] = content
        place = end + 1 + int(size) + 1
    return found


def make_changes(source: Source, folder: Path, change: ChangeSet, *, without: Collection[str] = ()) -> None:
    """Change a fresh checkout that nothing untrusted has run in yet, but for some paths.

    The folder's own index stays at the base commit, so its git shows the change as not committed. Raises `JobError`
    when the change does not fit, or git refuses a path of it.
    """
    with _scratch(source) as scratch:
        tree = _tree(source, change, scratch, without=without)
        extra = _stores(source, scratch)
        shutil.copyfile(folder / ".git" / "index", scratch / "index")
        done = git(
            [*_MINIMAL, "--work-tree", str(folder), "read-tree", "-m", "-u", source.base_sha, tree],
            extra=extra,
            cwd=folder,
            check=False,
        )
    if done.returncode != 0:
        raise JobError(f"The change can't be made in {source.repository}: {last_line(done.stderr)}")


def conceal_changes(folder: Path, change: ChangeSet, *, without: Collection[str] = ()) -> None:
    """Let the git of a work folder show the base commit, unchanged, where a change was made.

    Many applications tell which commit they were built from and whether it was clean, which is no effect of the change.
    """
    made = [file for file in change.files if file.path not in without]
    own = ["--git-dir", str(folder / ".git"), "--work-tree", str(folder)]
    known = "".join(f"{file.path}\0" for file in made if file.before is not None)
    git([*own, "update-index", "-z", "--assume-unchanged", "--stdin"], given=known.encode(), cwd=folder)
    new = (re.sub(r"([\\*?\[\]#! ])", r"\\\1", file.path) for file in made if file.before is None)
    with (folder / ".git" / "info" / "exclude").open("a", encoding="utf-8") as excluded:
        excluded.writelines(f"/{path}\n" for path in new)


def show_changes(source: Source, change: ChangeSet) -> bytes:
    """Return the change as a diff, for people and models to read. Nothing is ever read out of it."""
    with _scratch(source) as scratch:
        tree = _tree(source, change, scratch)
        return git([*_SHOWN_DIFF, source.base_sha, tree], extra=_stores(source, scratch)).stdout


@contextmanager
def _scratch(source: Source) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="changes-", dir=source.git_dir.parent) as name:
        (Path(name) / "objects").mkdir()
        yield Path(name)


def _stores(source: Source, scratch: Path) -> dict[str, str]:
    return {
        "GIT_DIR": str(source.git_dir),
        "GIT_INDEX_FILE": str(scratch / "index"),
        "GIT_OBJECT_DIRECTORY": str(scratch / "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(source.git_dir / "objects"),
    }


def _tree(source: Source, change: ChangeSet, scratch: Path, *, without: Collection[str] = ()) -> str:
    """Return the tree of the base commit with the change."""
    extra = _stores(source, scratch)
    if change.base_sha != source.base_sha:
        raise JobError(f"The change was made for {change.base_sha}, not for {source.base_sha}.")
    git(["read-tree", source.base_sha], extra=extra)
    _check_base(source, change)
    gone, there = [], []
    wanted = [file for file in change.files if file.path not in without]
    for file in wanted:
        if file.before is not None:
            gone.append(f"0 {_NOTHING}\t{file.path}\0")
        if file.after is not None:
            blob = git(["hash-object", "-w", "--stdin"], extra=extra, given=file.after.content).stdout.decode().strip()
            there.append(f"{file.after.mode} {blob}\t{file.path}\0")
    # What goes first makes room: a file may become a folder.
    git(["update-index", "-z", "--index-info"], extra=extra, given="".join((*gone, *there)).encode())
    made = git(["diff", "--cached", "--name-only", "-z", "--no-renames", source.base_sha], extra=extra).stdout
    if set(made.split(b"\0")[:-1]) != {file.path.encode() for file in wanted}:  # git leaves out names that it refuses
        raise JobError(f"git takes no such change in {source.repository}: one of its paths can't be a file there.")
    return git(["write-tree"], extra=extra).stdout.decode().strip()


def _check_base(source: Source, change: ChangeSet) -> None:
    listed = git(["--git-dir", str(source.git_dir), "ls-tree", "-r", "-z", "--full-tree", source.base_sha]).stdout
    base: dict[bytes, FileBefore] = {}
    for entry in listed.split(b"\0")[:-1]:
        facts, _, name = entry.partition(b"\t")
        mode, _, blob = facts.decode().split(" ")
        base[name] = FileBefore(mode=mode, blob=blob)
    for file in change.files:
        if base.get(file.path.encode()) != file.before:
            raise JobError(f"The change does not fit {file.path!r} of {source.repository} at {source.base_sha}.")
