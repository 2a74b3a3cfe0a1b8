"""What failing tests said, and where in the repository. Pure; reports are untrusted."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice
from typing import Final

from pipelines.language import FailedTest
from pipelines.proof.suite_run import Ran

MOST: Final = 10
"""Tests that a report to the receiver tells of."""
MAX_MESSAGE: Final = 500
"""Characters of a message."""

_FRAME: Final = re.compile(
    r"""(?P<file>[^\s()'",:]+\.\w{1,10})   # a file …
    (?:["']?,\ line\ |:line\ |[:(])      # … File "a.py", line 1 · in a.cs:line 1 · a.ts:1:2 · a.cs(1,2)
    (?P<line>[0-9]{1,7})""",
    re.VERBOSE,
)


def failed_tests(
    runs: Iterable[Ran], tests: Iterable[str], paths: Collection[str], *, redacted: Callable[[str], str]
) -> Iterator[FailedTest]:
    """Yield what the first failing tests said; `paths` are the repository's files, `redacted` takes secrets out."""
    runs = tuple(runs)
    for test in islice(tests, MOST):
        ran = next((one for one in runs if test in one.messages), None)
        if ran is not None:
            file, line = place_of(ran.details.get(test, ""), paths) or ("", 0)
            yield FailedTest(name=test, message=redacted(ran.messages[test])[:MAX_MESSAGE], file=file, line=line)


def place_of(detail: str, paths: Collection[str]) -> tuple[str, int] | None:
    """Return file and line of the innermost place in the repository that a failure's stack names, None: there is none.

    Python names it last, others first.
    """
    known = frozenset(paths)
    found = [
        (path, int(frame["line"]))
        for frame in _FRAME.finditer(detail)
        if (path := _within(frame["file"], known)) is not None and int(frame["line"])
    ]
    if not found:
        return None
    return found[-1] if found[-1][0].endswith(".py") else found[0]


def _within(file: str, known: Collection[str]) -> str | None:
    """Return the path in the repository that a name in a stack means: the longest end of it that is one."""
    parts = file.replace("\\", "/").split("/")
    return next((end for start in range(len(parts)) if (end := "/".join(parts[start:])) in known), None)
