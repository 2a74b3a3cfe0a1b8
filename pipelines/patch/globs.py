"""Match paths against the globs of the catalogue: `*` within a folder, `**` across folders. Pure."""

from __future__ import annotations

import re
from functools import lru_cache


def matches(pattern: str, path: str) -> bool:
    """Say whether `path` (with `/`, relative) is meant by `pattern`."""
    return _compiled(pattern).fullmatch(path) is not None


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    out, place = "", 0
    while place < len(pattern):
        if pattern.startswith("**/", place):
            out, place = out + "(?:[^/]+/)*", place + 3
        elif pattern.startswith("**", place):
            out, place = out + ".*", place + 2
        elif pattern[place] == "*":
            out, place = out + "[^/]*", place + 1
        elif pattern[place] == "?":
            out, place = out + "[^/]", place + 1
        else:
            out, place = out + re.escape(pattern[place]), place + 1
    return re.compile(out, re.DOTALL)
