"""Which lines of a file are new and how many are gone: a patience diff, bounded in time for any input. Pure.

https://bramcohen.livejournal.com/73318.html: lines that occur once on both sides hold the rest in place.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from pipelines.patch.changed import Changed

MOST_ROUNDS: Final = 16
"""What is left after as many rounds counts as changed as a whole; each round reads a line at most twice."""


class LineChanges(Struct, frozen=True, kw_only=True):
    """What differs between two texts."""

    added: tuple[int, ...]
    """Numbers of the new lines, 1-based, in the text after."""
    removed: int


class ChangeSize(Struct, frozen=True, kw_only=True):
    """How much a change is, for policy and for people."""

    files: int
    insertions: int
    deletions: int


def size_of(changed: Sequence[Changed]) -> ChangeSize:
    """Return how many files and lines are changed."""
    lines = [compare(one.before, one.after) for one in changed]
    return ChangeSize(
        files=len(changed),
        insertions=sum(len(one.added) for one in lines),
        deletions=sum(one.removed for one in lines),
    )


Span = tuple[int, int, int, int]
"""Two ranges of lines that belong together: from and to before, from and to after."""


def compare(before: str, after: str) -> LineChanges:
    """Return which lines are new and how many are gone."""
    old, new = before.split("\n"), after.split("\n")
    added: list[int] = []
    removed = 0
    spans: list[Span] = [(0, len(old), 0, len(new))]
    for _ in range(MOST_ROUNDS):
        rest: list[Span] = []
        for span in spans:
            left, right, low, high = _trimmed(old, new, span)
            if left == right or low == high:
                removed += right - left
                added.extend(range(low + 1, high + 1))
                continue
            inner = list(_between_anchors(old, new, (left, right, low, high)))
            if not inner:
                removed += right - left
                added.extend(range(low + 1, high + 1))
            rest += inner
        spans = rest
    for left, right, low, high in spans:
        removed += right - left
        added.extend(range(low + 1, high + 1))
    return LineChanges(added=tuple(sorted(added)), removed=removed)


def _trimmed(old: Sequence[str], new: Sequence[str], span: Span) -> Span:
    left, right, low, high = span
    while left < right and low < high and old[left] == new[low]:
        left, low = left + 1, low + 1
    while left < right and low < high and old[right - 1] == new[high - 1]:
        right, high = right - 1, high - 1
    return left, right, low, high


def _between_anchors(old: Sequence[str], new: Sequence[str], span: Span) -> Iterator[Span]:
    """Yield the spans between lines that are unique on both sides and in the same order; none if no line is unique."""
    left, right, low, high = span
    once_old, once_new = Counter(old[left:right]), Counter(new[low:high])
    places = {new[at]: at for at in range(low, high) if once_new[new[at]] == 1}
    pairs = [(at, places[old[at]]) for at in range(left, right) if once_old[old[at]] == 1 and old[at] in places]
    anchors = _longest_rising(pairs)
    if not anchors:
        return
    for at, place in anchors:
        yield left, at, low, place
        left, low = at + 1, place + 1
    yield left, right, low, high


def _longest_rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest choice of pairs, in order, whose second numbers rise."""
    ends: list[int] = []
    last: list[int] = []
    previous: list[int] = []
    for index, (_, place) in enumerate(pairs):
        length = bisect_left(ends, place)
        previous.append(last[length - 1] if length else -1)
        ends[length : length + 1] = [place]
        last[length : length + 1] = [index]
    chosen = []
    index = last[-1] if last else -1
    while index >= 0:
        chosen.append(pairs[index])
        index = previous[index]
    return chosen[::-1]
