"""Read a suite's report, whichever of the formats that we know it is in; write one as JUnit for GitLab. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from msgspec import Struct

from pipelines.job.report_formats.hostile_xml import read
from pipelines.job.report_formats.junit import JUnitReader
from pipelines.job.report_formats.trx import TrxReader
from pipelines.job.report_formats.xml_repair import repaired
from pipelines.proof.test_cases import Case, CaseOutcome

_ROOTS: dict[str, Callable[[], JUnitReader | TrxReader]] = {
    "testsuites": JUnitReader,
    "testsuite": JUnitReader,
    "TestRun": TrxReader,
}


class Report(Struct, frozen=True, kw_only=True):
    """A report, read."""

    cases: tuple[Case, ...]
    junit: bytes
    """The same in the format that GitLab reads, and without characters that it can't: of TRX, what we read."""


def read_report(document: bytes) -> Report:
    """Return what a report says. Raises `XmlError`."""
    reader = read(document, _ROOTS, what="the test report")
    if isinstance(reader, JUnitReader):
        return Report(cases=tuple(reader.cases), junit=repaired(document))
    cases = reader.finished()
    return Report(cases=cases, junit=written(cases))


_ELEMENTS = {CaseOutcome.FAILED: "failure", CaseOutcome.ERROR: "error", CaseOutcome.SKIPPED: "skipped"}


def written(cases: Sequence[Case], *, suite: str = "dotnet test", where: str = "", remark: str = "") -> bytes:
    """Return cases as a JUnit document.

    `where`: the class name of all of them, instead of their own; `remark`: what people should know of each failure.
    """
    root = Element("testsuites")
    parent = SubElement(root, "testsuite", name=suite, time=f"{sum(one.seconds for one in cases):.3f}")
    for one in cases:
        own, _, name = one.id.rpartition("::")
        element = SubElement(parent, "testcase", classname=where or own, name=name, time=f"{one.seconds:.3f}")
        if one.outcome in _ELEMENTS:
            verdict = SubElement(element, _ELEMENTS[one.outcome], message=one.message)
            verdict.text = f"{remark}\n\n{one.detail or one.message}" if remark else one.detail or None
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document


UNPATCHED: Final = "reproduction on the unpatched code (must fail)"
PATCHED: Final = "reproduction with the patch (must pass)"
WANTED: Final = "This failure is wanted: it shows the bug on the code as it is, before the patch."


def reproduction(cases: Sequence[Case], *, is_patched: bool) -> bytes:
    """Return a run of the reproduction as a JUnit document that says what it was to show.

    GitLab's Tests tab shows the job's name, and of each case its class name, name and output: the class name says it
    (https://docs.gitlab.com/ci/testing/unit_test_reports/).
    """
    suite, remark = (PATCHED, "") if is_patched else (UNPATCHED, WANTED)
    return written(cases, suite=suite, where=suite, remark=remark)
