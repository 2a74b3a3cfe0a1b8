"""The table of what a change may not do to files."""

from __future__ import annotations

import pytest

from pipelines.language.change_set import EXECUTABLE, FileChange
from pipelines.language.policy import Policy
from pipelines.patch.file_rules import file_faults, size_faults
from tests.changes import change_set, file_change


def changed(path: str, after: bytes | str = "new", **modes: str) -> FileChange:
    return file_change(path, "old", after, **modes)


def refused(file: FileChange, *allowed: str) -> list[str]:
    return list(file_faults(file, allowed=allowed or ("**",)))


@pytest.mark.parametrize(
    "path", ["src/a.py", "a b/ü.txt", "docs/.hidden/x", "src/digit/x", "Makefile", "tests/gitlab.py"]
)
def test_ordinary_files_are_taken(path: str) -> None:
    assert refused(changed(path)) == []


@pytest.mark.parametrize(
    "path",
    [
        *(
            ".npmrc",
            "web/.yarnrc.yml",
            ".pnpmfile.cjs",
            ".yarn/releases/yarn-4.cjs",
            ".pnp.cjs",
            "patches/vitest+3.patch",
        ),
        *("NuGet.Config", "pip.conf", "pip.ini", "uv.toml"),
    ],
)
def test_files_that_decide_which_packages_are_installed_are_refused(path: str) -> None:
    (sentence,) = refused(changed(path))
    assert "decides which packages are installed" in sentence


@pytest.mark.parametrize(
    "path",
    [
        *("/etc/passwd", "C:/x", "../x", "a/../b", "a//b", "./a", "a/", "a\\b", "a\nb", "a\u202eb", "a\u200bb"),
        *(".git/hooks/pre-commit", "a/.git/config", ".GIT/config", ".g\u200bit/config", "git~1/config", ".git./config"),
        *(
            ".gitlab-ci.yml",
            ".gitlab/ci.yml",
            ".github/workflows/x.yml",
            ".gitattributes",
            ".gitmodules",
            "a/.gitignore",
        ),
        *("Jenkinsfile", "ci/azure-pipelines.yml", ".circleci/config.yml", "templates/x.gitlab-ci.yml", "CODEOWNERS"),
        *(
            "docs/CODEOWNERS",
            "bug-fix.yml",
            ".bug-fix/x",
            ".husky/pre-commit",
            ".pre-commit-config.yaml",
            "\uff0egitlab-ci.yml",
        ),
    ],
)
def test_files_that_decide_over_ci_or_leave_the_repository_are_refused(path: str) -> None:
    found = refused(changed(path))
    assert found
    assert all(sentence.endswith(".") and sentence.isprintable() for sentence in found)


@pytest.mark.parametrize("path", ["/etc/passwd", "C:/x", "c:x"])
def test_a_path_from_a_root_is_called_absolute(path: str) -> None:
    assert refused(changed(path)) == [f"`{path}` is an absolute path."]


@pytest.mark.parametrize("path", ["Jenkinsfile.groovy", "ci/Jenkinsfile-old", "jenkinsfile.prod", "a/.git/.gitkeep"])
def test_neighbours_of_such_files_are_refused_as_well(path: str) -> None:
    assert refused(changed(path)) != []


@pytest.mark.parametrize(
    "path",
    [
        *("tools/jenkinsfile.py", "src/JenkinsfileParser.cs", "docs/jenkinsfile.md", "src/codeowners"),
        *("a/CodeOwners/x.ts", "uploads/.gitkeep", "src/gitlab/client.py", "docs/codeowners/index.md"),
    ],
)
def test_files_that_are_only_called_so_are_not(path: str) -> None:
    assert refused(changed(path)) == []


@pytest.mark.parametrize(("mode", "word"), [("120000", "symbolic link"), ("160000", "submodule"), ("100600", "100600")])
def test_only_plain_files_are_taken(mode: str, word: str) -> None:
    (sentence,) = refused(file_change("x", None, "", mode=mode))
    assert word in sentence
    assert word in refused(changed("x", old_mode=mode))[0]


def test_a_file_may_become_executable() -> None:
    assert refused(file_change("run.sh", "x", "x", mode=EXECUTABLE)) == []


def test_what_nobody_can_review_is_refused_by_name() -> None:
    assert refused(changed("logo.png", b"PNG\0")) == [
        "`logo.png` is binary: nobody can review it; a person has to change it."
    ]
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
    assert "`a.psd` is kept in Git LFS" in refused(changed("a.psd", pointer))[0]


def test_paths_outside_of_the_catalogues_globs_are_refused() -> None:
    assert refused(changed("src/a/b.py"), "src/**", "tests/*.py") == []
    assert refused(changed("tests/t.py"), "src/**", "tests/*.py") == []
    assert "`tests/deep/t.py`" in refused(changed("tests/deep/t.py"), "src/**", "tests/*.py")[0]


def test_the_number_of_files_is_policy() -> None:
    assert list(size_faults(change_set(changed("x")), policy=Policy(max_patch_files=1))) == []
    (sentence,) = size_faults(change_set(changed("x"), changed("y")), policy=Policy(max_patch_files=1))
    assert "2 files; policy allows 1" in sentence
    assert list(size_faults(change_set(), policy=Policy())) == ["The fix changes nothing."]
