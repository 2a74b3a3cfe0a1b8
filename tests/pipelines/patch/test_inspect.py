"""What a patch touches, held against real git."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.patch import Change, Content, PatchError, inspect

Git = Callable[..., bytes]


@pytest.fixture
def git(tmp_path: Path) -> Git:
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "t",
        "GIT_AUTHOR_EMAIL": "t@example.org",
        "GIT_COMMITTER_NAME": "t",
        "GIT_COMMITTER_EMAIL": "t@example.org",
    }

    def run(*arguments: str) -> bytes:
        return subprocess.run(
            ["git", *arguments], cwd=tmp_path, env=environment, check=True, capture_output=True
        ).stdout

    run("init", "--quiet")
    (tmp_path / "kept.txt").write_text("one\ntwo\nthree\n")
    (tmp_path / "old name.txt").write_text("".join(f"{n}\n" for n in range(20)))
    (tmp_path / "gone.txt").write_text("away")
    (tmp_path / "picture.bin").write_bytes(bytes(range(256)))
    run("add", "--all")
    run("commit", "--quiet", "--message=base")
    return run


def diff(git: Git, *options: str) -> bytes:
    git("add", "--all")
    return git("diff", "--cached", "--binary", *options)


def test_every_kind_of_change_is_named(git: Git, tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("one\n2\nthree\nfour\n")
    (tmp_path / "old name.txt").rename(tmp_path / "new näme.txt")
    (tmp_path / "gone.txt").unlink()
    (tmp_path / "picture.bin").write_bytes(bytes(reversed(range(256))))
    (tmp_path / 'with "quotes"\tand tab').write_text("x\n")
    (tmp_path / "empty").touch()
    (tmp_path / "link").symlink_to("/etc/passwd")
    summary = inspect(diff(git, "-M"))
    files = {file.path: file for file in summary.files}
    assert {path: (file.change, file.content) for path, file in files.items()} == {
        "kept.txt": (Change.MODIFIED, Content.TEXT),
        "new näme.txt": (Change.RENAMED, Content.NONE),
        "gone.txt": (Change.DELETED, Content.TEXT),
        "picture.bin": (Change.MODIFIED, Content.BINARY),
        'with "quotes"\tand tab': (Change.ADDED, Content.TEXT),
        "empty": (Change.ADDED, Content.NONE),
        "link": (Change.ADDED, Content.TEXT),
    }
    assert files["new näme.txt"].old_path == "old name.txt"
    assert files["link"].new_mode == "120000"
    assert files["kept.txt"].added == ((2, "2"), (4, "four"))
    assert (files["kept.txt"].insertions, files["kept.txt"].deletions) == (2, 1)


def test_a_mode_change_alone_is_a_change(git: Git, tmp_path: Path) -> None:
    (tmp_path / "kept.txt").chmod(0o755)
    (file,) = inspect(diff(git)).files
    assert (file.path, file.old_mode, file.new_mode, file.content) == ("kept.txt", "100644", "100755", Content.NONE)


def test_content_that_looks_like_a_header_stays_content(git: Git, tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text(
        "diff --git a/.gitlab-ci.yml b/.gitlab-ci.yml\n++ b/other\n-- a/other\n@@ -1 +1 @@\n"
    )
    summary = inspect(diff(git))
    assert [file.path for file in summary.files] == ["kept.txt"]
    assert summary.insertions == 4


def test_a_submodule_shows_by_its_mode(git: Git, tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path / "inner", check=True)
    commit = [
        "git",
        "-c",
        "user.name=t",
        "-c",
        "user.email=t@example.org",
        "commit",
        "--quiet",
        "--allow-empty",
        "-m",
        "x",
    ]
    subprocess.run(commit, cwd=tmp_path / "inner", check=True)
    (file,) = inspect(diff(git, "--submodule=short")).files
    assert (file.path, file.new_mode) == ("inner", "160000")


NAMES = st.lists(
    st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="/\0"), min_size=1, max_size=12).filter(
        lambda name: name.casefold() not in {".", "..", ".git"} and len(name.encode()) < 200
    ),
    min_size=1,
    max_size=3,
).map("/".join)
LINES = st.lists(st.text(st.characters(blacklist_categories=["Cs"]), max_size=20), max_size=8)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=NAMES, lines=LINES, executable=st.booleans())
def test_whatever_git_adds_is_read_back(
    git: Git, tmp_path: Path, name: str, lines: list[str], *, executable: bool
) -> None:
    git("reset", "--quiet", "--hard")
    git("clean", "-fdqx")
    path = tmp_path / "made" / name
    path.parent.mkdir(parents=True)
    path.write_bytes("\n".join(lines).encode())
    path.chmod(0o755 if executable else 0o644)
    git("add", "--all", "--force")
    patch = git("diff", "--cached", "--binary")
    numbers = git("diff", "--cached", "--numstat", "-z").decode().rstrip("\0").split("\t", 2)
    (file,) = inspect(patch).files
    assert (file.path, file.change) == (f"made/{name}", Change.ADDED)
    assert file.new_mode == ("100755" if executable else "100644")
    assert numbers[2] == f"made/{name}"
    if file.content is not Content.BINARY:
        assert str(file.insertions) == numbers[0]


HEAD = "diff --git a/x b/x\n"
BROKEN = {
    "text before the first file": "hello\n" + HEAD,
    "no line feed at the end": HEAD + "old mode 100644\nnew mode 100755",
    "names of two files": "diff --git a/x b/y\nold mode 100644\nnew mode 100755\n",
    "the lines name another file than the header": HEAD
    + "--- a/.gitlab-ci.yml\n+++ b/.gitlab-ci.yml\n@@ -1 +1 @@\n-a\n+b\n",
    "only one of them": HEAD + "--- a/x\n+++ b/y\n@@ -1 +1 @@\n-a\n+b\n",
    "a rename without its end": HEAD + "rename from x\n",
    "a rename to elsewhere than the header says": "diff --git a/x b/y\nrename from x\nrename to z\n",
    "a hunk that ends early": HEAD + "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-a\n+b\n",
    "a hunk that goes on": HEAD + "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n+c\n",
    "no hunk": HEAD + "--- a/x\n+++ b/x\n",
    "a binary file without content": HEAD + "index 1234567..1234568 100644\nBinary files a/x and b/x differ\n",
    "binary content that is none": HEAD + "GIT binary patch\nliteral 3\nnot base85 \n\n",
    "an unknown header line": HEAD + "magic on\n",
    "a mode that git does not have": HEAD + "old mode 100644\nnew mode 99\n",
    "an unfinished quote": 'diff --git "a/x b/x\nold mode 100644\nnew mode 100755\n',
    "a created file that the --- line calls old": HEAD + "new file mode 100644\n--- a/x\n+++ b/x\n@@ -0,0 +1 @@\n+a\n",
}


@pytest.mark.parametrize("patch", BROKEN.values(), ids=BROKEN)
def test_what_git_would_not_write_is_refused(patch: str) -> None:
    with pytest.raises(PatchError):
        inspect(patch.encode())


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(patch: bytes) -> None:
    try:
        summary = inspect(patch)
    except PatchError:
        return
    assert summary.size == len(patch)


def test_an_empty_patch_has_no_files() -> None:
    assert inspect(b"").files == ()
