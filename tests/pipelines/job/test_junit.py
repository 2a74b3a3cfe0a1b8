"""JUnit from untrusted code: read what test runners write, refuse what only attackers do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.job.junit import CaseOutcome, JUnitError, count, failing, read_cases

PYTEST = b"""<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite name="pytest" errors="1"
failures="1" skipped="1" tests="4" time="0.1"><testcase classname="tests.test_a" name="test_good" time="0.001" />
<testcase classname="tests.test_a" name="test_bad" time="1,000.5"><failure message="assert 1 == 2">trace</failure>
</testcase><testcase classname="tests.test_b" name="test_broken"><error message="">no module</error></testcase>
<testcase classname="tests.test_b" name="test_left"><skipped message="later"/><system-out>x</system-out></testcase>
</testsuite></testsuites>"""


def test_the_four_outcomes_are_told_apart() -> None:
    cases = read_cases(PYTEST)
    assert [(case.id, case.outcome, case.message) for case in cases] == [
        ("tests.test_a::test_good", CaseOutcome.PASSED, ""),
        ("tests.test_a::test_bad", CaseOutcome.FAILED, "assert 1 == 2"),
        ("tests.test_b::test_broken", CaseOutcome.ERROR, "no module"),
        ("tests.test_b::test_left", CaseOutcome.SKIPPED, "later"),
    ]
    assert failing(cases) == ("tests.test_a::test_bad", "tests.test_b::test_broken")
    assert count(cases, CaseOutcome.PASSED) == 1
    assert cases[1].seconds == 1000.5


def test_a_failure_is_not_undone_by_what_follows() -> None:
    cases = read_cases(b"<testsuite><testcase name='t'><failure/><skipped/></testcase></testsuite>")
    assert cases[0].outcome is CaseOutcome.FAILED


@pytest.mark.parametrize(
    "document",
    [
        b'<!DOCTYPE a [<!ENTITY x "y">]><testsuite>&x;</testsuite>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><testsuite/>',
        b"<testsuite>&undefined;</testsuite>",
        b"<testsuite>",
        b"",
        b"<a>" * 60 + b"</a>" * 60,
    ],
)
def test_dtds_entities_and_broken_documents_are_refused(document: bytes) -> None:
    with pytest.raises(JUnitError):
        read_cases(document)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(document: bytes) -> None:
    try:
        read_cases(document)
    except JUnitError:
        return
