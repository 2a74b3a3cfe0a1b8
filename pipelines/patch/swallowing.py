"""Whether a handler that tells nobody hides a test's failure, or only what is tried beside its assertions. Pure.

Cleaning up, waiting for a service and collecting errors catch without harm. It is harmful where assertions are tried,
or something that may assert; and in a test that asserts nothing elsewhere. Where a `try` is not found, it is harmful.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from pipelines.patch import code

_MOST: Final = 40
"""Names of what is called in one `try` that are looked at."""
_MAY_ASSERT: Final = re.compile(r"(?i)(?:\b|_)(?:check|assert|expect|verif|ensure|should|must|validate)\w*[ ]*[(.]")
_ASSERTION_ERRORS: Final = re.compile(r"\b(?:\w*Assert\w*|Xunit\w*|BaseException)\b")
_HIDES_ALL: Final = re.compile(r"(?:except|suppress)\b(?:[ ]*:|[^:\n]*?\bException\b)")
"""In Python, where a handler can name what it waits for, one that hides an assertion's failure, too."""
_CALLED: Final = re.compile(r"(?<![\w.])([A-Za-z_]\w*)[ ]*\(")
_NAME: Final = re.compile(r"[\s(]*(?:(?:await|return|void)\s+)?[\w.]+[\s)]*")


def is_harmless(text: str, found: re.Match[str], assertion: re.Pattern[str], *, is_test: bool) -> bool:
    """Say whether what a handler hides is no assertion."""
    said = found[0] + text[found.end() : code.closing(text, found.end() - 1)] if found[0].endswith("(") else found[0]
    if _ASSERTION_ERRORS.search(said) or _HIDES_ALL.match(said):
        return False
    span = _tried(text, found) if len(text) <= code.LONGEST_BLOCK else None
    if span is None:
        return False
    tried = text[span[0] : span[1]]
    if assertion.search(tried) or _MAY_ASSERT.search(tried) or _calls_what_asserts(text, tried, assertion):
        return False
    return not is_test or any(assertion.search(part) for part in (text[: span[0]], text[span[1] :]))


def _tried(text: str, found: re.Match[str]) -> tuple[int, int] | None:
    place = found.start()
    if found[0].startswith("except"):
        return _before_except(text, place)
    if found[0].startswith("suppress"):
        return _suppressed(text, place)
    return _before_promise(text, place) if found[0].startswith(".") else _before_catch(text, place)


_LINE: Final = re.compile(r"^([ \t]*)(?=\S)([^\n]*)", re.MULTILINE)


def _before_except(text: str, place: int) -> tuple[int, int] | None:
    """Return the lines between an `except` and the `try` that is indented as much."""
    begin = text.rfind("\n", 0, place) + 1
    indent = len(text[begin:place].expandtabs())
    for line in reversed(list(_LINE.finditer(text, max(0, begin - code.LONGEST_BLOCK), begin))):
        depth = len(line[1].expandtabs())
        if depth < indent:
            return None
        if depth == indent and re.match(r"try[ ]*:", line[2]):
            return line.start(2), place
    return None


def _suppressed(text: str, place: int) -> tuple[int, int] | None:
    """Return what a `with` holds; of what suppresses elsewhere nobody knows what it is used for."""
    line = text.rfind("\n", 0, place) + 1
    opened = _WITH.match(text, line)
    return (place, _end_of_block(text, place, opened[1])) if opened else None


_WITH: Final = re.compile(r"([ \t]*)(?:async +)?with\b")


def _end_of_block(text: str, place: int, indent: str) -> int:
    """Return where the lines end that are indented more."""
    begin = text.find("\n", place)
    following = _LINE.finditer(text, begin) if begin >= 0 else iter(())
    most = len(indent.expandtabs())
    return next((one.start() for one in following if len(one[1].expandtabs()) <= most), len(text))


def _before_catch(text: str, place: int) -> tuple[int, int] | None:
    """Return the block in braces before a `catch`, past other handlers of it."""
    end = place
    while (last := text[:end].rstrip()).endswith("}"):
        opening = _opening(text, len(last) - 1)
        head = text[max(0, opening - 300) : max(0, opening)].rstrip()
        if re.search(r"\btry$", head):
            return opening, place
        handler = re.search(r"\bcatch\s*(?:\([^()]*\))?(?:\s*when\s*\([^\n]*\))?$", head)
        if opening < 0 or handler is None:
            return None
        end = max(0, opening - 300) + handler.start()
    return None


def _opening(text: str, closing: int) -> int:
    """Return the bracket that belongs to the one at `closing`; -1: there is none."""
    depth = 0
    for place in range(closing, max(-1, closing - code.LONGEST_BLOCK), -1):
        depth += (text[place] in ")]}") - (text[place] in "([{")
        if depth == 0:
            return place
    return -1


def _before_promise(text: str, place: int) -> tuple[int, int] | None:
    """Return the expression before a `.catch(…)`; of a mere name nobody knows what it promises."""
    start, depth = place, 0
    for start in range(place - 1, max(-1, place - code.LONGEST_BLOCK), -1):
        depth += (text[start] in ")]}") - (text[start] in "([{")
        if depth < 0 or (depth == 0 and (text[start] == ";" or _begins(text, start))):
            break
    expression = text[start + 1 : place]
    return None if _NAME.fullmatch(expression.rpartition("=")[2]) else (start + 1, place)


def _begins(text: str, place: int) -> bool:
    return text[place] == "\n" and not re.match(r"\s{0,200}\.", text[place : place + 202])


def _calls_what_asserts(text: str, tried: str, assertion: re.Pattern[str]) -> bool:
    """Say whether something is tried that is defined beside it and asserts."""
    names = {re.escape(called[1]) for called in islice(_CALLED.finditer(tried), _MOST)}
    if not names:
        return False
    of_them = rf"^([ \t]*)[^\n;]{{0,100}}?\b(const|let|var|function\*?|def|[\w<>]{{1,60}})[ ]+(?:{'|'.join(names)})\b"
    for defined in islice(re.finditer(of_them, text, re.MULTILINE), _MOST):
        if defined[2] == "def":
            end = _end_of_block(text, defined.end(), defined[1])
        else:
            end = code.statement(text, defined.start(2))
        if defined[2] not in {"await", "return"} and assertion.search(text, defined.end(), end):
            return True
    return False
