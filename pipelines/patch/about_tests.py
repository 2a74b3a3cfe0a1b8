"""Which files of a repository are about its tests, and which test stands in which file. Pure.

Only names decide: folders, names and settings that test runners look for. Files that are about the product as well
(pyproject.toml, package.json, project files) are not among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipelines.patch.globs import matches
from pipelines.patch.summary import Change, PatchFile, PatchSummary

_TESTS = (
    *("**/test/**", "**/tests/**", "**/__tests__/**", "**/e2e/**", "**/cypress/**"),
    *("**/*.tests/**", "**/*.test/**", "**/*.unittests/**", "**/*.integrationtests/**"),
    *(
        "**/test_*.py",
        "**/*_test.py",
        "**/*.test.*",
        "**/*.spec.*",
        "**/*test.cs",
        "**/*tests.cs",
        "**/*_test.go",
        "**/*_spec.rb",
    ),
)
_SETTINGS = (
    *("**/conftest.py", "**/pytest.ini", "**/.pytest.ini", "**/tox.ini", "**/.coveragerc"),
    *("**/sitecustomize.py", "**/usercustomize.py", "**/*.pth"),
    *("**/jest.config.*", "**/jest.setup.*", "**/vitest.config.*", "**/vitest.setup.*", "**/vitest.workspace.*"),
    *("**/playwright.config.*", "**/.mocharc*", "**/karma.conf.*", "**/.nycrc*", "**/__mocks__/**"),
    *("**/*.runsettings", "**/xunit.runner.json", "**/*.testsettings"),
)
"""Both are compared in lower case."""


def is_about_tests(path: str) -> bool:
    """Say whether a file holds tests, helps them or sets them up."""
    return any(matches(pattern, path.lower()) for pattern in (*_TESTS, *_SETTINGS))


def files_about_tests(patch: PatchSummary) -> tuple[str, ...]:
    """Return the files of a patch that are about tests."""
    return tuple(file.path for file in patch.files if is_about_tests(file.path) or is_about_tests(file.old_path))


def changed_test_files(patch: PatchSummary) -> tuple[str, ...]:
    """Return files of tests that were there before the patch and that it changes; settings are none."""
    return tuple(file.old_path for file in patch.files if _was_there(file) and _holds_tests(file.old_path))


def _was_there(file: PatchFile) -> bool:
    return file.change is not Change.ADDED


def _holds_tests(path: str) -> bool:
    return not any(matches(pattern, path.lower()) for pattern in _SETTINGS) and is_about_tests(path)


def stands_in(test: str, paths: Iterable[str]) -> bool:
    """Say whether a test, by its id in a report, stands in one of these files."""
    return any(_is_of(test, path) for path in paths)


def _is_of(test: str, path: str) -> bool:
    where, _, name = test.rpartition("::")
    stem, _, _ = path.rpartition(".")
    if path.endswith(".py"):
        # pytest's class name is the module, perhaps with a class; a module that can't be imported is the name itself.
        module, parts = stem.replace("/", "."), (where or name).split(".")
        prefixes = (".".join(parts[: end + 1]) for end in range(len(parts)))
        return any(module == prefix or module.endswith(f".{prefix}") for prefix in prefixes)
    told = where.replace("\\", "/")
    if "/" in told or told.endswith(path.rpartition("/")[2]):  # a file's path, as Vitest, Playwright and others have it
        return told == path or path.endswith(f"/{told}") or told.endswith(f"/{path}")
    return stem.rpartition("/")[2] in re.split(r"[.+$]", told)  # a class, named as its file
