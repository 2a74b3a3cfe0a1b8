"""Whether a patch takes tests away or makes them weaker: every file of tests before and after, test by test. Pure.

What can be told without running anything: tests that are gone, fewer assertions or cases, and marks that make a test
count for less. A test whose expectation changed may be right, because tests can assert the bug itself: that is said to
the reviewer and not refused. Moving, renaming and laying out anew change nothing here.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final

from msgspec import Struct

from pipelines.patch import languages
from pipelines.patch.cases import Case, assertions, cases, is_readable, outside
from pipelines.patch.content import Changed
from pipelines.patch.kinds import is_collected, is_test
from pipelines.patch.languages import Language, Marker
from pipelines.patch.shown import shown
from pipelines.patch.summary import Change

_ALIKE: Final = 0.6
"""Share of its lines that a test has to keep under another name to be the same test."""
_MOST_PAIRS: Final = 100
_MOST_LINES: Final = 100


class Weakening(Struct, frozen=True, kw_only=True):
    """What was found, a sentence each."""

    refused: tuple[str, ...]
    noticed: tuple[str, ...]
    """Nothing against the rules, and something that a reviewer should look at."""


def weakening(changed: Sequence[Changed]) -> Weakening:
    """Return what a patch does to tests."""
    refused: list[str] = []
    noticed: list[str] = []
    tests = [one for one in changed if is_test(one.file.old_path) or is_test(one.path)]
    for language in languages.LANGUAGES:
        own = [one for one in tests if language in (languages.of(one.file.old_path), languages.of(one.path))]
        found = _compared(own, language)
        refused += found.refused
        noticed += found.noticed
    for one in tests:
        if languages.of(one.file.old_path) is not None or languages.of(one.path) is not None:
            continue
        if one.file.change is Change.DELETED:
            refused.append(f"{shown(one.path)} belongs to the tests and is deleted; keep it.")
        elif one.file.change is not Change.ADDED:
            noticed.append(
                f"{shown(one.path)} belongs to the tests and was changed; nothing but a reader can judge it."
            )
    return Weakening(refused=tuple(refused), noticed=tuple(noticed))


def _compared(changed: Sequence[Changed], language: Language) -> Weakening:
    before = [case for one in changed for case in _before(one, language)]
    after = [case for one in changed for case in _after(one, language)]
    pairs, gone, new = _matched(before, after, {one.file.old_path: one.path for one in changed})
    gained = [assertions([now]) - assertions([old]) for old, now in pairs] + [assertions([case]) for case in new]
    elsewhere = sum(gained, Counter[str]())
    refused = [
        f"{shown(one.path)} is too large to be judged; a person has to change it." for one in changed if _is_large(one)
    ]
    refused += _gone(gone)
    noticed: list[str] = []
    for old, now in pairs:
        refused += _weaker(old, now, elsewhere)
        noticed += _different(old, now)
    known = {(now.file, now.name) for _, now in pairs}
    for case in new:
        refused += _marks(None, case)
        if case.name and not case.assertions and (case.file, case.name) in known:
            refused.append(f"{shown(case.file)}: the test {shown(case.name)} stands there again, and asserts nothing.")
    return Weakening(refused=tuple(refused), noticed=tuple(noticed))


def _is_large(one: Changed) -> bool:
    return not (is_readable(one.before) and is_readable(one.after))


def _before(one: Changed, language: Language) -> list[Case]:
    is_read = is_test(one.file.old_path) and languages.of(one.file.old_path) is language
    return cases(one.before, file=one.file.old_path, language=language) if is_read else []


def _after(one: Changed, language: Language) -> list[Case]:
    is_read = is_test(one.path) and languages.of(one.path) is language
    found = cases(one.after, file=one.path, language=language) if is_read else []
    # a new name by which no runner finds a file makes its tests to code that nobody runs
    is_found = is_collected(one.path) or one.file.change is Change.MODIFIED
    return found if is_found else [outside(found, file=one.path)]


Pairs = list[tuple[Case, Case]]


def _matched(before: list[Case], after: list[Case], paths: dict[str, str]) -> tuple[Pairs, list[Case], list[Case]]:
    """Return tests before with what they are after, those that are gone, and new ones."""
    pairs: Pairs = []
    gone, new = list(before), list(after)
    for key in (
        lambda case: (paths.get(case.file, case.file), case.name),  # where it was
        lambda case: ("", case.name) if case.name else (case.file, ""),  # moved
    ):
        found, gone, new = _paired(gone, new, key)
        pairs += found
    if len(gone) * len(new) <= _MOST_PAIRS:
        for old in list(gone):
            now = next((case for case in new if _is_renamed(old, case)), None)
            if now is not None:
                pairs.append((old, now))
                gone.remove(old)
                new.remove(now)
    return pairs, gone, new


def _paired(
    before: list[Case], after: list[Case], key: Callable[[Case], tuple[str, str]]
) -> tuple[Pairs, list[Case], list[Case]]:
    """Return those with the same key, in order, and what is left of both."""
    waiting: dict[tuple[str, str], deque[Case]] = {}
    for case in after:
        waiting.setdefault(key(case), deque()).append(case)
    pairs: Pairs = []
    gone: list[Case] = []
    for case in before:
        same = waiting.get(key(case))
        if same:
            pairs.append((case, same.popleft()))
        else:
            gone.append(case)
    return pairs, gone, [case for left in waiting.values() for case in left]


def _is_renamed(old: Case, now: Case) -> bool:
    if not old.name or not now.name:
        return False
    one, other = old.body[1:_MOST_LINES], now.body[1:_MOST_LINES]  # without the line that names the test
    return bool(one) and SequenceMatcher(None, one, other, autojunk=False).ratio() >= _ALIKE


def _gone(gone: list[Case]) -> Iterator[str]:
    by_file: dict[str, list[Case]] = {}
    for case in gone:
        if case.name or case.assertions:
            by_file.setdefault(case.file, []).append(case)
    for file, lost in by_file.items():
        names = [shown(case.name) for case in lost if case.name]
        what = f"the test {names[0]} is" if len(names) == 1 else f"the tests {', '.join(names[:5])} are"
        what = what if names else "what its tests rely on is"
        yield f"{shown(file)}: {what} gone; keep tests, and correct what they expect."


def _weaker(old: Case, now: Case, elsewhere: Counter[str]) -> Iterator[str]:
    where = f"{shown(now.file)}: {_name(now)}"
    moved = (Counter(old.assertions) - Counter(now.assertions)) & elsewhere
    if len(now.assertions) < len(old.assertions):
        elsewhere.subtract(moved)  # what was written once makes up for one
    if len(now.assertions) + moved.total() < len(old.assertions):
        yield f"{where} asserts less than before ({len(now.assertions)} instead of {len(old.assertions)} assertions)."
    unawaited = _unawaited(old, now)
    if unawaited:
        yield f"{where} no longer waits for what it asserts ({unawaited} times); `await` it as before."
    if now.rows < old.rows and now.name:
        yield f"{where} is run with {now.rows} instead of {old.rows} cases."
    yield from _marks(old, now)


def _unawaited(old: Case, now: Case) -> int:
    """Return how many assertions lost their `await`: nobody sees them fail."""
    lost, won = Counter(old.assertions) - Counter(now.assertions), Counter(now.assertions) - Counter(old.assertions)
    before = Counter({one.removeprefix("await"): many for one, many in lost.items() if one.startswith("await")})
    return (before & won).total()


def _marks(old: Case | None, now: Case) -> Iterator[str]:
    for marker in Marker:
        many = now.count(marker) - (old.count(marker) if old else 0)
        places = [one.line for one in now.marked if one.marker is marker][-many:] if many > 0 else []
        yield from (f"{shown(now.file)} line {line} {marker.value}; take that out." for line in places)


def _different(old: Case, now: Case) -> Iterator[str]:
    where = f"{shown(now.file)}: {_name(now)}"
    if old.name != now.name:
        yield f"{where} was called {shown(old.name)}."
    if now.rows < old.rows and not now.name:
        yield f"{where} lists less than before; are cases of tests gone?"
    if Counter(old.assertions) - Counter(now.assertions):
        yield f"{where} expects something else than before; is that what the ticket asks for?"


def _name(case: Case) -> str:
    return f"the test {shown(case.name)}" if case.name else "what stands outside of its tests"
