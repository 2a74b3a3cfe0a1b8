"""The table of what a patch may not do."""

from __future__ import annotations

import pytest

from pipelines.language.catalogue import Policy
from pipelines.patch import Change, Content, PatchFile, PatchSummary, inspect, violations


def changed(path: str, **facts: object) -> PatchSummary:
    values: dict[str, object] = {
        "path": path,
        "old_path": path,
        "change": Change.MODIFIED,
        "content": Content.TEXT,
        "old_mode": "100644",
        "new_mode": "100644",
        **facts,
    }
    return PatchSummary(files=(PatchFile(**values),), insertions=1, deletions=1, size=100)  # type: ignore[arg-type]


def refused(summary: PatchSummary, *allowed: str, policy: Policy | None = None) -> list[str]:
    return violations(summary, allowed=allowed or ("**",), policy=policy or Policy())


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


def test_a_rename_is_checked_at_both_ends() -> None:
    assert refused(changed("src/ci.yml", old_path=".gitlab-ci.yml", change=Change.RENAMED))


@pytest.mark.parametrize(("mode", "word"), [("120000", "symbolic link"), ("160000", "submodule"), ("100600", "100600")])
def test_only_plain_files_are_taken(mode: str, word: str) -> None:
    (sentence,) = refused(changed("x", new_mode=mode, old_mode=None, change=Change.ADDED))
    assert word in sentence


def test_a_link_that_becomes_a_file_is_refused_too() -> None:
    assert refused(changed("x", old_mode="120000"))


MODIFIED = b"diff --git a/x b/x\n%s--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"
RENAMED = b"diff --git a/x b/y\n%ssimilarity index 100%%\nrename from x\nrename to y\n"


@pytest.mark.parametrize(
    "patch", [MODIFIED % b"", MODIFIED % b"index 1111111..2222222\n", MODIFIED % b"new mode 100644\n", RENAMED % b""]
)
def test_a_file_whose_mode_is_not_told_could_be_a_link_and_is_refused(patch: bytes) -> None:
    (sentence,) = refused(inspect(patch))
    assert "could be a symbolic link" in sentence


@pytest.mark.parametrize(
    "patch",
    [
        MODIFIED % b"index 1111111..2222222 100644\n",
        MODIFIED % b"old mode 100644\nnew mode 100755\nindex 1111111..2222222\n",
        RENAMED % b"old mode 100644\nnew mode 100755\n",
    ],
)
def test_a_file_whose_mode_is_told_and_plain_is_taken(patch: bytes) -> None:
    assert refused(inspect(patch)) == []


def test_binaries_are_refused() -> None:
    assert "binary" in refused(changed("logo.png", content=Content.BINARY))[0]


def test_paths_outside_of_the_catalogues_globs_are_refused() -> None:
    assert refused(changed("src/a/b.py"), "src/**", "tests/*.py") == []
    assert refused(changed("tests/t.py"), "src/**", "tests/*.py") == []
    assert "`tests/deep/t.py`" in refused(changed("tests/deep/t.py"), "src/**", "tests/*.py")[0]


def test_size_is_policy() -> None:
    assert "2 lines; policy allows 1" in refused(changed("x"), policy=Policy(max_patch_lines=1))[0]
    assert "1 files; policy allows 0" in refused(changed("x"), policy=Policy(max_patch_files=0))[0]


def test_an_empty_patch_and_a_file_named_twice_are_refused() -> None:
    assert refused(inspect(b"")) == ["The patch changes nothing."]
    twice = PatchSummary(files=changed("a/X").files + changed("a/x").files, insertions=2, deletions=0, size=9)
    assert "twice" in refused(twice)[-1]
