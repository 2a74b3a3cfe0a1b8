"""Which changed files are about tests, and which test stands in which file. Pure.

Manifests that are about the product as well (pyproject.toml, package.json, project files) are not among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from pipelines.language.change_set import ChangeSet
from pipelines.patch.dependencies import LOCKS
from pipelines.patch.kinds import COMMAND_FILES, MIXED, SNAPSHOTS, TEST_CONFIGURATION, is_collected, is_test, named

_STARTED_UNASKED: Final = ("sitecustomize.py", "usercustomize.py", "*.pth")
"""Python runs them before any test, wherever it finds them."""


_LOCKED: Final = tuple(name for lock in LOCKS for name in lock.locks)
_WORDS: Final = re.compile(r"[^\s\"';&|()=]+")


def is_about_tests(path: str, *, commands: Sequence[str] = ()) -> bool:
    """Say whether a file holds tests, helps them, or sets up how they are run; `commands` are those that run them."""
    if named(path, (*MIXED, *_LOCKED)):
        return False
    return (
        is_test(path)
        or named(path, (*TEST_CONFIGURATION, *_STARTED_UNASKED, *SNAPSHOTS, *COMMAND_FILES))
        or any(word.removeprefix("./") == path for command in commands for word in _WORDS.findall(command))
    )


def files_about_tests(change: ChangeSet, *, commands: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the files of a change that are about tests."""
    return tuple(file.path for file in change.files if is_about_tests(file.path, commands=commands))


def changed_test_files(change: ChangeSet, paths: Iterable[str]) -> tuple[str, ...]:
    """Return the files of tests that a change adds or edits; a changed snapshot stands for its test file.

    `paths` are all files of the repository.
    """
    left = [file.path for file in change.files if file.after is not None]
    tests = [path for path in paths if is_test(path) and is_collected(path) and not named(path, SNAPSHOTS)]
    found = [path for path in left if path in tests]
    found += [next((test for test in tests if owns(test, path)), path) for path in left if named(path, SNAPSHOTS)]
    return tuple(dict.fromkeys(found))


def owns(test: str, snapshot: str) -> bool:
    """Say whether a snapshot is that of a test file, by folder and name."""
    folder, _, name = test.rpartition("/")
    if not snapshot.startswith(f"{folder}/" if folder else ""):
        return False
    stem = name.rpartition(".")[0]
    parts = snapshot[len(folder) :].strip("/").split("/")
    return any(part == stem or part.startswith((f"{name}-", f"{name}.", f"{stem}.")) for part in parts)


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
