"""A diff of the previous release's job client means the change that git applies, and nothing that git refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from pipelines.language import (
    Artifact,
    ArtifactKind,
    FixSubmission,
    ImplementationResult,
    MergeRequestResult,
    Phase,
    PhaseResult,
    RunId,
)
from pipelines.language.change_set import EXECUTABLE, PLAIN, SYMLINK, ChangeSetError
from pipelines.language.wire import MAX_BLOB
from receiver.outbound.effects import former_diff
from tests.changes import git, taken
from tests.reports import a_report

DIFF = ("diff", "--cached", "--binary", "--full-index", "--no-renames", "--diff-algorithm=histogram", "HEAD")
"""As that client made it."""
BASE = {
    "README.md": b"one\ntwo\nthree\n",
    "crlf.txt": b"a\r\nb\r\n",
    "end.txt": b"no newline at the end",
    "dir/odd näme.txt": b"odd\n",
    "run.sh": b"#!/bin/sh\n",
    "latin1.txt": b"caf\xe9\n",
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet")
    write(folder, BASE)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "base")
    return folder


def write(folder: Path, files: Mapping[str, bytes | None]) -> None:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            (folder / path).unlink()
        else:
            (folder / path).write_bytes(content)


def held(path: str) -> tuple[str, bytes] | None:
    return None if path not in BASE else (PLAIN, BASE[path])


def more(folder: Path) -> None:
    (folder / "run.sh").chmod(0o755)


def linked(folder: Path) -> None:
    (folder / "link").symlink_to("/etc/passwd")


def nothing(_: Path) -> None: ...


@pytest.mark.parametrize(
    ("files", "act"),
    [
        ({"README.md": b"one\n2\nthree\n"}, nothing),
        ({"README.md": None}, nothing),
        ({"README.md": None, "readme.md": b"one\ntwo\nthree\n"}, nothing),
        ({"new/deep/file.py": b"x = 1\n", "empty.txt": b""}, nothing),
        ({"crlf.txt": b"a\r\nc\r\n", "end.txt": b"none here either", "latin1.txt": b"caf\xe8\n"}, nothing),
        ({"dir/odd näme.txt": b"odder\n", 'q"uote\t.txt': b"q\n"}, nothing),
        ({}, more),
        ({}, linked),
        ({"README.md": None, "README.md/now/a/folder": b"x\n"}, nothing),
    ],
    ids=["edit", "delete", "another case", "add", "line ends", "names", "mode", "link", "folder"],
)
def test_it_is_what_the_work_folder_held(
    files: Mapping[str, bytes | None], act: Callable[[Path], None], repository: Path
) -> None:
    write(repository, files)
    act(repository)
    change = taken(repository)
    diff = git(repository, *DIFF)
    assert former_diff.is_diff(diff)
    assert former_diff.change_set(diff, base_sha=change.base_sha, base=held) == change
    modes = {file.after.mode for file in change.files if file.after is not None}
    assert modes <= {PLAIN, {more: EXECUTABLE, linked: SYMLINK}.get(act, PLAIN)}


HEAD = b"diff --git a/README.md b/README.md\n"
EDIT = HEAD + b"--- a/README.md\n+++ b/README.md\n@@ -2 +2 @@\n-two\n+2\n"


NEW = b"diff --git a/NAME b/NAME\nnew file mode 100644\n--- /dev/null\n+++ b/NAME\n@@ -0,0 +1 @@\n+x\n"


@pytest.mark.parametrize(
    ("diff", "sentence"),
    [
        (EDIT.replace(b"-two", b"-zwei"), "does not apply to the commit"),
        (EDIT.replace(b"README.md", b"nowhere"), "does not apply to the commit"),
        (EDIT[:20], "does not apply to the commit"),
        (NEW.replace(b"NAME", b"../x"), "does not apply to the commit"),
        (NEW.replace(b"NAME", b".git/config"), "does not apply to the commit"),
        (HEAD + b"similarity index 100%\nrename from end.txt\nrename to other.txt\n", "does not apply to the commit"),
        (HEAD + b"index 1..2 100644\nGIT binary patch\nliteral 9999999999\nzcmZ\n", "changes a binary file"),
        (NEW.replace(b"NAME", b"\xff"), "is not UTF-8"),
        (b"".join(NEW.replace(b"NAME", b"%d" % one) for one in range(1001)), "names 1001 files; a diff may name 1000"),
    ],
    ids=["other lines", "no such file", "cut off", "leaves its folder", "of git", "rename", "binary", "name", "number"],
)
def test_what_git_does_not_take_or_could_be_of_any_size_is_refused(diff: bytes, sentence: str) -> None:
    with pytest.raises(ChangeSetError, match=sentence):
        former_diff.change_set(diff, base_sha="a" * 40, base=held)


def test_that_git_is_missing_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ChangeSetError, match="Install git, or put the current job client into the image"):
        former_diff.change_set(EDIT, base_sha="a" * 40, base=held)


FIX = "b" * 64
IMPLEMENTED = ImplementationResult(
    base_sha="a" * 40,
    patch_sha256=FIX,
    files=("x",),
    insertions=1,
    deletions=0,
    fix=FixSubmission(summary="s", files=[], risk="r", rollback="r"),
)


SUBMITTED = MergeRequestResult(base_sha="a" * 40, patch_sha256=FIX)


@pytest.mark.parametrize(
    ("phase", "result", "kind", "digest", "size", "is_fix"),
    [
        (Phase.IMPLEMENTATION, IMPLEMENTED, ArtifactKind.PATCH, FIX, 9, True),
        (Phase.MERGE_REQUEST, SUBMITTED, ArtifactKind.PATCH, FIX, 9, True),
        (Phase.IMPLEMENTATION, IMPLEMENTED, ArtifactKind.PATCH, "c" * 64, 9, False),
        (Phase.IMPLEMENTATION, IMPLEMENTED, ArtifactKind.LOG, FIX, 9, False),
        (Phase.IMPLEMENTATION, IMPLEMENTED, ArtifactKind.PATCH, FIX, MAX_BLOB + 1, False),
        (Phase.IMPLEMENTATION, None, ArtifactKind.PATCH, FIX, 9, False),
    ],
    ids=["implemented", "submitted", "for people only", "another kind", "too large", "no result"],
)
def test_only_the_file_whose_hash_is_the_fixs_is_the_fix(
    phase: Phase, result: PhaseResult | None, kind: ArtifactKind, digest: str, size: int, *, is_fix: bool
) -> None:
    artifact = Artifact(kind=kind, path=f".bug-fix/{phase}/fix.patch", sha256=digest, size=size)
    report = a_report(RunId("00000000000000aa"), phase, result, artifacts=(artifact,))
    assert former_diff.is_fix(artifact, report) is is_fix
