"""Which files of a patch are about tests, and which test stands in which file. Pure.

Files that are about the product as well (pyproject.toml, package.json, project files) are not among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from pipelines.patch.kinds import TEST_CONFIGURATION, is_test, named
from pipelines.patch.summary import Change, PatchSummary

_STARTED_UNASKED: Final = ("sitecustomize.py", "usercustomize.py", "*.pth")
"""Python runs them before any test, wherever it finds them."""


def is_about_tests(path: str) -> bool:
    """Say whether a file holds tests, helps them, or sets up how they are run."""
    return is_test(path) or named(path, (*TEST_CONFIGURATION, *_STARTED_UNASKED))


def files_about_tests(patch: PatchSummary) -> tuple[str, ...]:
    """Return the files of a patch that are about tests."""
    return tuple(file.path for file in patch.files if is_about_tests(file.path) or is_about_tests(file.old_path))


def changed_test_files(patch: PatchSummary) -> tuple[str, ...]:
    """Return files among the tests that were there before the patch and that it changes or takes away."""
    return tuple(file.old_path for file in patch.files if file.change is not Change.ADDED and is_test(file.old_path))


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
