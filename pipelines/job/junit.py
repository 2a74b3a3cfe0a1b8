"""Read JUnit XML that untrusted code wrote. Pure; believes nothing that exit codes should confirm.

DTDs are refused before parsing, so there are no entities to expand; size and depth are bounded.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from xml.parsers import expat

from msgspec import Struct

MAX_BYTES = 20 * 1024 * 1024
_MAX_DEPTH = 50
_MAX_FAILING = 50


class JUnitError(ValueError):
    """The report can't be used; the message says why."""


class CaseOutcome(StrEnum):
    """How a test case ended."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"


class Case(Struct, frozen=True, kw_only=True):
    """One test case."""

    id: str
    outcome: CaseOutcome
    message: str = ""
    seconds: float = 0.0


def read_cases(document: bytes) -> tuple[Case, ...]:
    """Return all test cases of a JUnit document (`testsuites` or `testsuite`). Raises `JUnitError`."""
    if len(document) > MAX_BYTES:
        raise JUnitError(f"the JUnit report is larger than {MAX_BYTES} bytes")
    handler = _Handler()
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = handler.refuse
    parser.StartElementHandler = handler.start
    parser.EndElementHandler = handler.end
    parser.CharacterDataHandler = handler.text
    try:
        parser.Parse(document, True)  # noqa: FBT003 - expat's signature
    except expat.ExpatError as error:
        raise JUnitError(f"the JUnit report is not well-formed XML: {error}") from error
    return tuple(handler.cases)


def failing(cases: Iterable[Case]) -> tuple[str, ...]:
    """Return the ids of failing cases, sorted, at most 50."""
    bad = {case.id for case in cases if case.outcome in {CaseOutcome.FAILED, CaseOutcome.ERROR}}
    return tuple(sorted(bad)[:_MAX_FAILING])


def count(cases: Iterable[Case], outcome: CaseOutcome) -> int:
    """Return how many cases ended so."""
    return sum(case.outcome is outcome for case in cases)


_OUTCOMES = {"failure": CaseOutcome.FAILED, "error": CaseOutcome.ERROR, "skipped": CaseOutcome.SKIPPED}


class _Handler:
    """Collects test cases while expat reads."""

    def __init__(self) -> None:
        self.cases: list[Case] = []
        self._depth = 0
        self._case: dict[str, str] | None = None
        self._outcome = CaseOutcome.PASSED
        self._message: str | None = None
        self._reading = False

    def refuse(self, *_: object) -> None:
        raise JUnitError("the JUnit report has a DTD, which no test runner writes")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise JUnitError("the JUnit report is nested too deeply")
        if tag == "testcase":
            self._case, self._outcome, self._message = attributes, CaseOutcome.PASSED, None
        elif tag in _OUTCOMES and self._case is not None and self._outcome in {CaseOutcome.PASSED, CaseOutcome.SKIPPED}:
            self._outcome, self._reading = _OUTCOMES[tag], True
            self._message = attributes.get("message") or ""

    def text(self, data: str) -> None:
        if self._reading and not self._message:
            self._message = data.strip()

    def end(self, tag: str) -> None:
        self._depth -= 1
        if tag in _OUTCOMES:
            self._reading = False
        if tag == "testcase" and self._case is not None:
            self.cases.append(_made(self._case, self._outcome, self._message or ""))
            self._case = None


def _made(attributes: dict[str, str], outcome: CaseOutcome, message: str) -> Case:
    where, name = attributes.get("classname") or attributes.get("file") or "", attributes.get("name") or "?"
    return Case(
        id=f"{where}::{name}"[:300] if where else name[:300],
        outcome=outcome,
        message=message[:2000],
        seconds=_seconds(attributes.get("time")),
    )


def _seconds(raw: str | None) -> float:
    try:
        value = float((raw or "0").replace(",", ""))
    except ValueError:
        return 0.0
    return value if 0 <= value < 1e7 else 0.0
