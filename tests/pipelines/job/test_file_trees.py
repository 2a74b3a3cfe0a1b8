"""Folders of untrusted code are removed and walked, however deep they are and whatever is in them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipelines.job import limits
from pipelines.job.communication.errors import RunnerError
from pipelines.job.isolation import file_trees

DEEP = 2_500
"""Levels: more than Python recurses, and a path of 5,000 characters where 4,096 are allowed."""


def _made_deep(top: Path, levels: int) -> None:
    top.mkdir()
    here = os.open(top, os.O_RDONLY)
    for number in range(levels):
        os.mkdir("d", dir_fd=here)
        if number % 500 == 0:
            os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)


def test_a_deep_folder_is_walked_to_its_end_and_removed(tmp_path: Path) -> None:
    _made_deep(tmp_path / "deep", DEEP)
    levels = [(len(one.parts), list(one.others)) for one in file_trees.walk(tmp_path / "deep")]
    assert len(levels) == DEEP + 1
    assert max(depth for depth, _ in levels) == DEEP
    assert sum(files == ["file"] for _, files in levels) == DEEP // 500
    assert len(list(file_trees.walk(tmp_path / "deep", deepest=10))) == 11
    assert file_trees.remove(tmp_path / "deep")
    assert list(tmp_path.iterdir()) == []


def test_links_are_removed_and_what_they_lead_to_is_not(tmp_path: Path) -> None:
    kept, gone = tmp_path / "kept", tmp_path / "gone"
    (kept / "below").mkdir(parents=True)
    (gone / "wide").mkdir(parents=True)
    for number in range(20):
        (gone / "wide" / str(number)).mkdir()
        (gone / "wide" / str(number) / "link").symlink_to(kept)
    (gone / "loop").symlink_to(gone)
    os.mkfifo(gone / "pipe")
    assert [list(one.parts) for one in file_trees.walk(gone)][:2] == [[], ["wide"]]
    assert sum(1 for _ in file_trees.walk(gone)) == 22
    assert file_trees.remove(gone)
    assert file_trees.remove(tmp_path / "kept-link") is True
    assert (kept / "below").is_dir()


@pytest.mark.skipif(os.geteuid() != 0, reason="root needs no rights, so another user has to be tried")
def test_an_owner_removes_what_it_took_every_right_from(tmp_path: Path) -> None:
    for place in (tmp_path, *tmp_path.parents):
        if place.stat().st_mode & 0o5 != 0o5 and len(place.parts) > 2:
            place.chmod(0o755)
    top = tmp_path / "own"
    (top / "a" / "b").mkdir(parents=True)
    (top / "a" / "b" / "file").write_text("x")
    file_trees.give(tmp_path, 50_000)
    (top / "a" / "b").chmod(0)
    (top / "a").chmod(0)
    pid = os.fork()
    if pid == 0:
        os.setresgid(50_000, 50_000, 50_000)
        os.setresuid(50_000, 50_000, 50_000)
        os._exit(0 if file_trees.remove(top) else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert not top.exists()


def test_what_is_given_belongs_to_nobody_else(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "link").symlink_to("/")
    file_trees.give(tmp_path / "a", os.geteuid())
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700


def test_a_copy_is_like_the_original_also_by_a_descriptor_of_this_process(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").write_text("x")
    (tmp_path / "a" / "b" / "file").chmod(0o751)
    os.utime(tmp_path / "a" / "b" / "file", (1_000_000_000, 1_000_000_000))
    (tmp_path / "a" / "link").symlink_to("/etc")
    held = os.open(tmp_path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        file_trees.copy(Path(f"/proc/self/fd/{held}/a"), Path(f"/proc/self/fd/{held}/copy"))
    finally:
        os.close(held)
    copied = (tmp_path / "copy" / "b" / "file").stat()
    assert (copied.st_mode & 0o777, copied.st_mtime) == (0o751, 1_000_000_000)
    assert (tmp_path / "copy" / "link").readlink() == Path("/etc")
    with pytest.raises(RunnerError, match="can't be copied"):
        file_trees.copy(tmp_path / "absent", tmp_path / "other")


def test_a_copy_that_takes_too_long_is_the_runners_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    monkeypatch.setattr(limits, "COPY_S", 0)
    with pytest.raises(RunnerError, match="longer than 0 s to copy a folder"):
        file_trees.copy(tmp_path / "a", tmp_path / "b")


def test_a_pattern_finds_what_it_says_and_looks_not_too_deep(tmp_path: Path) -> None:
    (tmp_path / "a" / "b" / "TestResults").mkdir(parents=True)
    for name in ("junit.xml", "a/b/TestResults/junit.xml", "a/b/TestResults/other.xml"):
        (tmp_path / name).write_text("x")
    (tmp_path / "loop").symlink_to(tmp_path)

    def found(pattern: str, deepest: int = 9) -> list[str]:
        return [str(path.relative_to(tmp_path)) for path in file_trees.find(tmp_path, pattern, deepest=deepest)]

    assert found("**/TestResults/junit.xml") == ["a/b/TestResults/junit.xml"]
    assert found("**/*.xml") == ["a/b/TestResults/junit.xml", "a/b/TestResults/other.xml", "junit.xml"]
    assert found("**/junit.xml", deepest=2) == ["junit.xml"]
    assert found("*.xml") == ["junit.xml"]
