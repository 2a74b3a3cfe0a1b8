"""Read TRX, what `dotnet test --logger trx` and vstest write. Pure; the report is untrusted.

Elements and outcomes: vstest's `TrxLoggerConstants` and `TestOutcome`. Of a data-driven test the rows count
(`InnerResults`), not the line that sums them up. A run that broke off is a failing case of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pipelines.job.report_formats.hostile_xml import XmlError, read
from pipelines.proof.test_cases import MAX_CASES, Case, CaseOutcome, case


class TrxError(XmlError):
    """The report can't be used; the message says why."""


THE_RUN = "the test run"
"""The id of the case that stands for a run which broke off."""

_OUTCOMES = {
    "Passed": CaseOutcome.PASSED,
    "Completed": CaseOutcome.PASSED,
    "Warning": CaseOutcome.PASSED,
    "Failed": CaseOutcome.FAILED,
    "NotExecuted": CaseOutcome.SKIPPED,
    "Inconclusive": CaseOutcome.SKIPPED,
}
"""All others say that something went wrong: Error, Timeout, Aborted, PassedButRunAborted, NotRunnable, Disconnected,
InProgress, Pending, and none at all."""
_FINE = frozenset({"Passed", "Completed", "Warning", "Inconclusive", "NotExecuted"})
"""Outcomes of a whole run that ended."""
_BAD = {CaseOutcome.FAILED, CaseOutcome.ERROR}
_BAD_COUNTERS = ("error", "failed", "timeout", "aborted", "passedButRunAborted", "notRunnable", "disconnected")


def read_cases(document: bytes) -> tuple[Case, ...]:
    """Return all results of a TRX document. Raises `TrxError`."""
    try:
        return read(document, {"TestRun": TrxReader}, what="the TRX report").finished()
    except XmlError as error:
        raise TrxError(str(error)) from error


@dataclass(slots=True)
class _Result:
    """A `UnitTestResult` that is being read."""

    test_id: str
    name: str
    outcome: CaseOutcome
    seconds: str | None
    message: list[str] = field(default_factory=list)
    stack: list[str] = field(default_factory=list)
    rows: list[CaseOutcome] = field(default_factory=list)

    @property
    def counts(self) -> bool:
        """Whether this is a case: one without rows, or one that failed though all its rows are fine."""
        return not self.rows or (self.outcome in _BAD and not _BAD & set(self.rows))


class TrxReader:
    """Collects results and definitions while the document is read."""

    def __init__(self) -> None:
        self._classes: dict[str, str] = {}
        self._definition = ""
        self._open: list[_Result] = []
        self._done: list[_Result] = []
        self._summary = ""
        self._wrong = 0
        self._words: list[str] = []
        self._element = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take a result, a definition, or the summary."""
        self._element = tag
        match tag:
            case "UnitTestResult":
                outcome = _OUTCOMES.get(attributes.get("outcome", ""), CaseOutcome.ERROR)
                name, test_id = attributes.get("testName", ""), attributes.get("testId", "")
                self._open.append(_Result(test_id, name, outcome, attributes.get("duration")))
            case "UnitTest":
                self._definition = attributes.get("id", "")
            case "TestMethod":
                self._classes[self._definition] = attributes.get("className", "").partition(",")[0].strip()
            case "ResultSummary":
                self._summary = attributes.get("outcome", "")
            case "Counters":
                self._wrong = sum(_number(attributes.get(name)) for name in _BAD_COUNTERS)
            case _:
                pass

    def text(self, data: str) -> None:
        """Take the message of a result, and what the run itself has to say."""
        if self._element == "Message" and self._open:
            self._open[-1].message.append(data)
        elif self._element == "StackTrace" and self._open:
            self._open[-1].stack.append(data)
        elif self._element == "Text" and self._summary:
            self._words.append(data)

    def end(self, tag: str) -> None:
        """Finish a result."""
        self._element = ""
        if tag == "UnitTestResult" and self._open:
            result = self._open.pop()
            if self._open:
                self._open[-1].rows.append(result.outcome)
            if result.counts:
                self._done.append(result)
            if len(self._done) > MAX_CASES:
                raise TrxError(f"the TRX report has more than {MAX_CASES} results")

    def finished(self) -> tuple[Case, ...]:
        """Return the cases, now that the definitions, which come after the results, are known."""
        cases = [
            case(
                self._classes.get(one.test_id, ""),
                one.name,
                one.outcome,
                message="".join(one.message).strip(),
                detail="".join(one.stack).strip(),
                seconds=one.seconds,
            )
            for one in self._done
        ]
        shown = any(one.outcome in _BAD for one in cases)
        if not shown and (self._wrong or self._summary not in _FINE):
            said = "".join(self._words).strip() or f"its summary says {self._summary[:40] or 'nothing'}"
            cases.append(case("", THE_RUN, CaseOutcome.ERROR, message=said))
        return tuple(cases)


def _number(raw: str | None) -> int:
    return int(raw) if raw is not None and raw.isascii() and raw.isdecimal() and len(raw) < 10 else 0
