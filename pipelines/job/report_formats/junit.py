"""Read JUnit XML: pytest's, jest-junit's, Vitest's, Playwright's, JunitXml.TestLogger's. Pure; the report is untrusted.

Format: https://docs.gitlab.com/ci/testing/unit_test_reports/ names the parts that GitLab reads, and so do we. Believes
nothing that exit codes should confirm.
"""

from __future__ import annotations

from pipelines.job.report_formats.hostile_xml import XmlError, read
from pipelines.proof.test_cases import MAX_CASES, Case, CaseOutcome, case


class JUnitError(XmlError):
    """The report can't be used; the message says why."""


def read_cases(document: bytes) -> tuple[Case, ...]:
    """Return all test cases of a JUnit document (`testsuites` or `testsuite`). Raises `JUnitError`."""
    roots = {"testsuites": JUnitReader, "testsuite": JUnitReader}
    try:
        return tuple(read(document, roots, what="the JUnit report").cases)
    except XmlError as error:
        raise JUnitError(str(error)) from error


_OUTCOMES = {"failure": CaseOutcome.FAILED, "error": CaseOutcome.ERROR, "skipped": CaseOutcome.SKIPPED}
_LEFT_OUT = frozenset({"notrun", "skipped", "disabled"})
"""Values of a case's `status`, by which GoogleTest and its like say that it did not run."""


class JUnitReader:
    """Collects test cases while the document is read."""

    def __init__(self) -> None:
        self.cases: list[Case] = []
        self._case: dict[str, str] | None = None
        self._outcome = CaseOutcome.PASSED
        self._message: str | None = None
        self._detail: list[str] = []
        self._reading = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take a case, or what became of it."""
        if tag == "testcase":
            left_out = attributes.get("status", "").lower() in _LEFT_OUT
            self._outcome = CaseOutcome.SKIPPED if left_out else CaseOutcome.PASSED
            self._case, self._message, self._detail = attributes, None, []
        elif tag in _OUTCOMES and self._case is not None and self._outcome in {CaseOutcome.PASSED, CaseOutcome.SKIPPED}:
            self._outcome, self._reading = _OUTCOMES[tag], True
            self._message = attributes.get("message") or ""

    def text(self, data: str) -> None:
        """Take the detail of a failure, which is its message where it has no attribute for that."""
        if self._reading:
            self._detail.append(data)
            self._message = self._message or data.strip()

    def end(self, tag: str) -> None:
        """Finish a case."""
        if tag in _OUTCOMES:
            self._reading = False
        if tag == "testcase" and self._case is not None:
            if len(self.cases) >= MAX_CASES:
                raise JUnitError(f"the JUnit report has more than {MAX_CASES} cases")
            given = self._case
            where = given.get("classname") or given.get("file") or ""
            self.cases.append(
                case(
                    where,
                    given.get("name", ""),
                    self._outcome,
                    message=self._message or "",
                    detail="".join(self._detail).strip(),
                    seconds=given.get("time"),
                )
            )
            self._case = None
