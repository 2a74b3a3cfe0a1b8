"""What failing tests said, and where in the repository. Pure; reports are untrusted."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice
from typing import Final

from pipelines.language import FailedTest
from pipelines.language.results import MAX_FAILED, MAX_FAILED_TEXT
from pipelines.proof.suite_run import Ran

_FRAME: Final = re.compile(
    r"""(?<![^\s()'",:])(?P<file>[^\s()'",:]{1,500}\.\w{1,10})   # a whole word, so that no text takes long …
    (?:["']?,\ line\ |:line\ |[:(])      # … File "a.py", line 1 · in a.cs:line 1 · a.ts:1:2 · a.cs(1,2)
    (?P<line>[0-9]{1,7})""",
    re.VERBOSE,
)


def failed_tests(
    runs: Iterable[Ran], tests: Iterable[str], paths: Collection[str], *, redacted: Callable[[str], str]
) -> Iterator[FailedTest]:
    """Yield what the first failing tests said; `paths` are the repository's files, `redacted` takes secrets out."""
    runs = tuple(runs)
    known = frozenset(path for path in paths if path.isprintable() and len(path) <= MAX_FAILED_TEXT)
    for test in islice(tests, MAX_FAILED):
        ran = next((one for one in runs if test in one.messages), None)
        if ran is not None:
            file, line = place_of(ran.details.get(test, ""), known) or ("", 0)
            yield FailedTest(name=test, message=redacted(ran.messages[test])[:MAX_FAILED_TEXT], file=file, line=line)


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
