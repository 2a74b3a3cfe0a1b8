"""Match paths against GitLab's patterns: `*` and `?` within a folder, `**` across folders, `{a,b}` alternatives."""

import re
from functools import lru_cache

_MEANT = re.compile(r"[\\\[\]&~|^]|-(?=-)")
"""What stands for itself in a set; doubled it may mean more to Python one day, which it warns of."""


@lru_cache(maxsize=512)
def pattern(glob: str) -> re.Pattern[str]:
    """Translate a glob into a regular expression over a whole relative path."""
    out: list[str] = []
    position, depth = 0, 0
    while position < len(glob):
        rest = glob[position:]
        if rest.startswith("**/"):
            out.append("(?:[^/]+/)*")
            position += 3
            continue
        if rest.startswith("**"):
            out.append(".*")
            position += 2
            continue
        char = glob[position]
        if char == "[" and "]" in rest[2:]:
            end = rest.index("]", 2)
            negated = rest[1] in "!^"
            body = _MEANT.sub(r"\\\g<0>", rest[1 + negated : end])
            out.append(f"[{'^' if negated else ''}{body}]" if body else re.escape(rest[: end + 1]))
            position += end + 1
            continue
        depth += (char == "{") - (char == "}" and depth > 0)
        simple = {"*": "[^/]*", "?": "[^/]", "{": "(?:"}
        if char in simple:
            out.append(simple[char])
        elif char == "}" and out:
            out.append(")")
        elif char == "," and depth:
            out.append("|")
        else:
            out.append(re.escape(char))
        position += 1
    try:
        return re.compile("".join(out))
    except re.error:
        return re.compile(re.escape(glob))


def matches(path: str, glob: str) -> bool:
    """Tell whether a path is what the glob names, or lies below a folder that it names."""
    glob = glob.removeprefix("./").rstrip("/")
    if glob in {"", "."}:
        return True
    expression = pattern(glob)
    parts = path.split("/")
    return any(expression.fullmatch("/".join(parts[:length])) for length in range(len(parts), 0, -1))
