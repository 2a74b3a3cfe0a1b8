"""The tests of a file: their names, what each asserts, and what makes it count for less. Reads; judges nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import Final

from msgspec import Struct

from pipelines.patch import code
from pipelines.patch.code import Code
from pipelines.patch.languages import Block, Language, Marker
from pipelines.patch.swallowing import is_harmless

LONGEST: Final = 200_000
"""Characters of a file that can be read."""
LONGEST_LINE: Final = 5_000
_MOST_CASES: Final = 2_000
_MOST_MARKED: Final = 500


class Marked(Struct, frozen=True, kw_only=True):
    """A place that makes a test count for less."""

    marker: Marker
    line: int
    """1-based."""


class Case(Struct, frozen=True, kw_only=True):
    """A test, or what a file holds besides its tests."""

    file: str
    name: str
    """Empty for what stands outside of any test."""
    body: tuple[str, ...]
    """Its lines without white space, without empty ones."""
    assertions: tuple[str, ...]
    """Each without white space, in order."""
    rows: int
    """Cases of a table that it is run with; outside of tests, what is listed under a name."""
    marked: tuple[Marked, ...]

    def count(self, marker: Marker) -> int:
        """Return how often it is marked so."""
        return sum(one.marker is marker for one in self.marked)


def cases(text: str, *, file: str, language: Language) -> list[Case]:
    """Return the tests of a file in order, and last what stands outside of them; of one that can't be read, nothing."""
    source = code.read(text if is_readable(text) else "", language.scanner)
    spans = _spans(source, language)
    found = [_case(source, span, file=file, language=language) for span in spans]
    rest = _without(source, [(span.begin, span.end) for span in spans])
    outside = _Span(name="", begin=0, start=0, end=len(rest.text))
    return [*found, _case(rest, outside, file=file, language=language)]


def is_readable(text: str) -> bool:
    """Say whether a text is short enough, in all and in each line, for what is done with it here."""
    return len(text) <= LONGEST and all(len(line) <= LONGEST_LINE for line in text.split("\n"))


class _Span(Struct, frozen=True, kw_only=True):
    name: str
    begin: int
    """Where its decorators or attributes begin."""
    start: int
    """Where the test itself begins."""
    end: int


def _spans(source: Code, language: Language) -> list[_Span]:
    found: list[_Span] = []
    last = 0
    for match in language.test.finditer(source.text):
        if match.start() < last or len(found) >= _MOST_CASES:
            continue
        name, end = _bounds(source, match, language)
        begin = _begin(source.text, last, match.start(), language)
        found.append(_Span(name=name, begin=begin, start=match.start(), end=end))
        last = end
    return found


def _bounds(source: Code, match: re.Match[str], language: Language) -> tuple[str, int]:
    """Return a test's name and where it ends."""
    text = source.text
    match language.block:
        case Block.INDENT:
            return match["name"], _indented(text, match)
        case Block.BRACES:
            opening = text.find("{", match.end() - 1)
            arrow = text[match.end() : match.end() + 2] == "=>"
            return match["name"], code.statement(text, match.end()) if arrow or opening < 0 else code.closing(
                text, opening
            )
        case Block.CALL:
            return _call(source, match)


def _call(source: Code, match: re.Match[str]) -> tuple[str, int]:
    """Read `test("title", …)` or `test.each(table)("title", …)`."""
    text, place = source.text, match.end()
    if re.search(r"\.(each|for)\b", match[0]):
        table = re.compile(r'"\d+"\s*').match(text, place)
        place = table.end() if table else code.closing(text, place)
    title = re.compile(r'\(\s*"(\d+)"').match(text, place)
    name = source.strings[int(title[1])].strip("'\"`") if title else " ".join(match[0].split())
    end = code.closing(text, place) if text[place : place + 1] == "(" else place
    return name, max(end, match.end())


def _indented(text: str, match: re.Match[str]) -> int:
    """Return where a Python function ends: before the next line that is not indented more than its `def`."""
    indent = len(match[0]) - len(match[0].lstrip())
    place = code.closing(text, match.end() - 1)
    following = (line for line in _LINE.finditer(text, place) if len(line[1]) <= indent)
    return next((line.start() + 1 for line in following), len(text))


_LINE: Final = re.compile(r"\n([ \t]*)(?=\S)")


def _begin(text: str, last: int, start: int, language: Language) -> int:
    """Return where what belongs to a test begins: decorators and attributes above it."""
    match language.block:
        case Block.INDENT:
            return _decorated_from(text, last, start)
        case Block.BRACES:
            return _attributed_from(text, last, start)
        case Block.CALL:
            return start


def _attributed_from(text: str, last: int, start: int) -> int:
    """Return where the lines of attributes above a C# method begin."""
    begin = start
    while (line := text.rfind("\n", last, begin)) >= 0:
        above = text.rfind("\n", last, line) + 1 or last
        if not text[above:line].lstrip().startswith("["):
            break
        begin = above
    return begin


def _decorated_from(text: str, last: int, start: int) -> int:
    """Return where the decorators above a Python function begin."""
    begin = start
    for above in reversed(list(re.finditer(r"^[ \t]*@[\w.]+", text[last:start], re.MULTILINE))):
        end = last + above.end()
        end = code.closing(text, end) if text[end : end + 1] == "(" else end
        if end > begin or text[end:begin].strip():
            break
        begin = last + above.start()
    return begin


def _without(source: Code, spans: list[tuple[int, int]]) -> Code:
    """Return the code with parts of it blank."""
    pieces, last = [], 0
    for begin, end in spans:
        pieces += [source.text[last:begin], re.sub(r"[^\n]+", "", source.text[begin:end])]
        last = end
    return Code(text="".join([*pieces, source.text[last:]]), strings=source.strings)


def _case(source: Code, span: _Span, *, file: str, language: Language) -> Case:
    text = source.text[span.begin : span.end]
    part = Code(text=text, strings=source.strings)
    before = source.text.count("\n", 0, span.begin)
    lines = [0, *(place + 1 for place, character in enumerate(text) if character == "\n"), len(text)]
    body = (part.whole(one, other) for one, other in pairwise(lines))
    return Case(
        file=file,
        name=span.name,
        body=tuple(line for line in body if line),
        assertions=tuple(_assertions(part, language)),
        rows=_rows(part, language) if span.name else _entries(text, language),
        marked=tuple(
            Marked(marker=marker, line=before + part.line(place))
            for marker, place in _marked(text, language, is_test=bool(span.name))
        ),
    )


def _marked(text: str, language: Language, *, is_test: bool) -> Iterator[tuple[Marker, int]]:
    for marker, pattern in language.markers.items():
        for found in islice(pattern.finditer(text), _MOST_MARKED):
            if marker is not Marker.SWALLOWED or not is_harmless(text, found, language.assertion, is_test=is_test):
                yield marker, _begins(found)
    if is_test:
        yield from ((Marker.CUT_SHORT, place) for place in language.leaving(text, language.assertion))
    elif language.bare_return is not None:
        found_outside = islice(language.bare_return.finditer(text), _MOST_MARKED)
        yield from ((Marker.CUT_SHORT, _begins(found)) for found in found_outside)


def _begins(found: re.Match[str]) -> int:
    return found.start() + len(found[0]) - len(found[0].lstrip())


def _assertions(part: Code, language: Language) -> Iterator[str]:
    last = 0
    for found in language.assertion.finditer(part.text):
        if found.start() < last:
            continue  # a part of the assertion before it
        last = code.statement(part.text, found.start())
        yield part.whole(found.start(), last).rstrip(",")


def _rows(part: Code, language: Language) -> int:
    text = part.text
    rows = len(language.row.findall(text)) if language.row else 0
    rows += sum(part.strings[int(found[1])].count("\n") for found in _TEMPLATE_TABLE.finditer(text))
    last = 0
    for found in language.table.finditer(text) if language.table else ():
        if found.end() >= last:
            last = code.closing(text, found.end())
            rows += code.elements(text[found.end() : last])
    return rows


_TEMPLATE_TABLE: Final = re.compile(r'\.each\s?"(\d+)"')
"""A table as a template literal, a line for each case."""


def _entries(text: str, language: Language) -> int:
    """Return how much is listed outside of tests: tables of cases often have a name there."""
    entries, last = len(language.row.findall(text)) if language.row else 0, 0
    for found in _NAMED_LIST.finditer(text):
        if found.end() >= last:
            last = code.closing(text, found.end() - 1)
            entries += code.count(text[found.end() : last - 1])
    return entries


_NAMED_LIST: Final = re.compile(r"^(?:export )?(?:const |let |var )?\w+ ?(?::[^=\n]{0,200})?= ?[\[({]", re.MULTILINE)


def outside(found: list[Case], *, file: str) -> Case:
    """Return cases as what stands outside of any test: nobody runs them."""
    return Case(
        file=file,
        name="",
        body=(),
        assertions=tuple(one for case in found for one in case.assertions),
        rows=0,
        marked=tuple(one for case in found for one in case.marked),
    )


def assertions(found: list[Case]) -> Counter[str]:
    """Return all assertions, each as often as it is made."""
    return Counter(one for case in found for one in case.assertions)
