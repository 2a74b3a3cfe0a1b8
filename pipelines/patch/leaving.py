"""Where a test or a helper within it returns before what it asserts. Pure; reads code without comments and strings.

A `return` by itself is harmless: helpers, stand-ins and endings have one. It counts where the same function asserts
something behind it, or, in the test itself, where it gives nothing back and calls stand behind it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from msgspec import Struct

from pipelines.patch import code

_MOST: Final = 30
"""Returns of one test that are looked at."""


class _Body(Struct, frozen=True):
    """A function's body within a test's text."""

    start: int
    end: int
    is_test: bool


def by_indent(text: str, assertion: re.Pattern[str]) -> Iterator[int]:
    """Yield where a Python test leaves early, or is a generator, which no runner runs."""
    bodies = list(_indented(text))
    yield from _found(text, assertion, bodies)
    generators = (found.start("word") for found in islice(_YIELD.finditer(text), _MOST))
    yield from (place for place in generators if _innermost(bodies, place).is_test)


def by_braces(text: str, assertion: re.Pattern[str]) -> Iterator[int]:
    """Yield where a test in a language with braces leaves early."""
    yield from _found(text, assertion, list(_braced(text)))


_RETURN: Final = re.compile(r"(?<![\w.$])return\b(?! *[:=])")
_YIELD: Final = re.compile(r"^[ \t]+(?:\w+ ?= ?)?(?P<word>yield)\b", re.MULTILINE)
_NOTHING: Final = re.compile(
    r"return[\s(]*(?:None|null|undefined|true|false|True|False|default|void 0|\d+|"
    r"Task\.CompletedTask|(?:Promise\.resolve|Task\.FromResult)\([^()]{0,40}\)|)[\s);}]*$"
)
"""What gives nothing back that a runner would wait for or look at."""
_LETS_FAIL: Final = re.compile(
    r"\b(?:pytest\.fail|(?:self|Assert|expect|assert)\.[Ff]ail\w*|fail|sleep|[dD]elay|waitForTimeout|setTimeout)[ ]*\("
    r"|\b(?:raise|throw)\b[^\n;]{0,300}"
)
"""What may follow a `return` in a loop that waits: it only says that the wait was in vain."""
_CALL: Final = re.compile(
    r"(?<![\w.])(?!(?:if|elif|for|foreach|while|switch|catch|return|not|and|or|in|range|len|using)\b)[\w.]*\w[ ]*\("
)


def _found(text: str, assertion: re.Pattern[str], bodies: list[_Body]) -> Iterator[int]:
    if not bodies:
        return
    for found in islice(_RETURN.finditer(text), _MOST):
        body = _innermost(bodies, found.start())
        end = min(code.statement(text, found.start()), body.end)
        if assertion.search(text, found.start(), end):
            continue  # it gives back what asserts
        behind = _LETS_FAIL.sub(" ", text[end : body.end])
        leaves_nothing = body.is_test and _NOTHING.fullmatch(text[found.start() : end]) is not None
        if assertion.search(behind) or (leaves_nothing and _CALL.search(behind)):
            yield found.start()


def _innermost(bodies: list[_Body], place: int) -> _Body:
    """Return the body that a place stands in: of those around it the last one that begins."""
    around = [body for body in bodies if body.start <= place < body.end]
    return max(around, key=lambda body: body.start, default=bodies[0])


_DEF: Final = re.compile(r"^([ \t]*)(?:async +)?def +\w+[^\n]*", re.MULTILINE)


def _indented(text: str) -> Iterator[_Body]:
    """Yield the bodies of Python functions, the test's first."""
    for number, found in enumerate(islice(_DEF.finditer(text), _MOST)):
        behind = text.find("(", found.start())
        start = code.closing(text, behind) if behind >= 0 else found.end()
        indent = len(found[1].expandtabs())
        lines = _LINE.finditer(text, start)
        end = next((line.start() for line in lines if len(line[1].expandtabs()) <= indent), len(text))
        yield _Body(start, end, number == 0)


_LINE: Final = re.compile(r"\n([ \t]*)(?=[^\s)\]}#])")


def _braced(text: str) -> Iterator[_Body]:
    """Yield the bodies of functions in braces, the test's first."""
    opened: list[int] = []
    is_first = True
    bodies: list[_Body] = []
    for place, character in enumerate(text):
        if character == "{":
            opened.append(place)
        elif character == "}" and opened:
            start = opened.pop()
            if _is_function(text, start):
                bodies.append(_Body(start, place, is_test=False))
    bodies += [_Body(start, len(text), is_test=False) for start in opened if _is_function(text, start)]
    for body in sorted(bodies, key=lambda one: one.start):
        yield _Body(body.start, body.end, is_first)
        is_first = False


_BEFORE: Final = 300
_BLOCK: Final = re.compile(r"\b(?:if|for|foreach|while|switch|catch|with|using|lock|fixed)\s*(?:await\s*)?$")
_TYPED: Final = re.compile(r"\)\s*:\s*[\w\s<>,.|\[\]&]{1,120}$")


def _is_function(text: str, brace: int) -> bool:
    """Say whether a brace begins a function: behind an arrow, or behind parameters that belong to no block."""
    before = text[max(0, brace - _BEFORE) : brace].rstrip()
    if before.endswith("=>"):
        return True
    typed = _TYPED.search(before)
    before = before[: typed.start() + 1] if typed else before
    if not before.endswith(")"):
        return False
    depth = 0
    for place in range(len(before) - 1, -1, -1):
        depth += (before[place] == ")") - (before[place] == "(")
        if depth == 0:
            return _BLOCK.search(before[:place]) is None
    return False


Leaving = Callable[[str, re.Pattern[str]], Iterator[int]]
