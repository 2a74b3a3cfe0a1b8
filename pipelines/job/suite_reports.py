"""Read a suite's report, whichever of the formats that we know it is in; write one as JUnit for GitLab. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from xml.etree.ElementTree import Element, SubElement, tostring

from msgspec import Struct

from pipelines.job.cases import Case, CaseOutcome
from pipelines.job.hostile_xml import read
from pipelines.job.junit import JUnitReader
from pipelines.job.trx import TrxReader

_ROOTS: dict[str, Callable[[], JUnitReader | TrxReader]] = {
    "testsuites": JUnitReader,
    "testsuite": JUnitReader,
    "TestRun": TrxReader,
}


class Report(Struct, frozen=True, kw_only=True):
    """A report, read."""

    cases: tuple[Case, ...]
    junit: bytes
    """The same in the format that GitLab reads: the document itself, unless it was TRX."""


def read_report(document: bytes) -> Report:
    """Return what a report says. Raises `XmlError`."""
    reader = read(document, _ROOTS, what="the test report")
    if isinstance(reader, JUnitReader):
        return Report(cases=tuple(reader.cases), junit=document)
    cases = reader.finished()
    return Report(cases=cases, junit=written(cases))


_ELEMENTS = {CaseOutcome.FAILED: "failure", CaseOutcome.ERROR: "error", CaseOutcome.SKIPPED: "skipped"}


def written(cases: Iterable[Case]) -> bytes:
    """Return cases as a JUnit document."""
    root = Element("testsuites")
    suite = SubElement(root, "testsuite", name="dotnet test")
    for one in cases:
        where, _, name = one.id.rpartition("::")
        element = SubElement(suite, "testcase", classname=where, name=name, time=f"{one.seconds:.3f}")
        if one.outcome in _ELEMENTS:
            SubElement(element, _ELEMENTS[one.outcome], message=one.message)
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document
