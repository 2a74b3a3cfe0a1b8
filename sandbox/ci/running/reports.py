"""Read what a job reports: JUnit files, written by untrusted code."""

from collections.abc import Iterable
from typing import Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from sandbox.ci.errors import CiError
from sandbox.ci.records import TestCase

_OUTCOMES: Final = {"failure": "failed", "error": "error", "skipped": "skipped"}


class BadReport(CiError):  # noqa: N818 - named for what it is about
    """A report can't be read; the message says why."""


def junit(text: bytes) -> list[TestCase]:
    """Read one JUnit file (lib/gitlab/ci/parsers/test/junit.rb)."""
    try:
        root = fromstring(text)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise BadReport(f"JUnit XML parsing failed: {error}") from error
    return [_case(suite, case) for suite, case in _cases(root, root)]


def _cases(parent: Element, suite: Element) -> Iterable[tuple[Element, Element]]:
    for child in parent:
        if child.tag == "testcase":
            yield suite, child
        elif child.tag == "testsuite":
            yield from _cases(child, child)


def _case(suite: Element, case: Element) -> TestCase:
    verdict = next((child for child in case if child.tag in _OUTCOMES), None)
    output = None
    if verdict is not None:
        output = (verdict.text or "").strip() or verdict.get("message")
    try:
        seconds = float(case.get("time") or 0)
    except ValueError:
        seconds = 0.0
    return TestCase(
        status=_OUTCOMES[verdict.tag] if verdict is not None else "success",
        name=case.get("name", ""),
        classname=case.get("classname") or suite.get("name") or "",
        file=case.get("file"),
        execution_time=seconds,
        system_output=output,
    )
