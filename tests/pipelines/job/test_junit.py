"""JUnit from untrusted code: read what test runners write, refuse what only attackers do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.job.report_formats.junit import JUnitError, read_cases
from pipelines.proof.test_cases import CaseOutcome, count, failing

PYTEST = b"""<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite name="pytest" errors="1"
failures="1" skipped="1" tests="4" time="0.1"><testcase classname="tests.test_a" name="test_good" time="0.001" />
<testcase classname="tests.test_a" name="test_bad" time="1,000.5"><failure message="assert 1 == 2">trace</failure>
</testcase><testcase classname="tests.test_b" name="test_broken"><error message="">no module</error></testcase>
<testcase classname="tests.test_b" name="test_left"><skipped message="later"/><system-out>x</system-out></testcase>
</testsuite></testsuites>"""

JEST = b"""<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="jest tests" tests="3" failures="1" errors="0" time="1.902">
  <testsuite name="Contact form" errors="0" failures="1" skipped="1" time="0.61" tests="3">
    <testcase classname="src/contact-form.test.tsx" name="Contact form saves a name" time="0.021">
    </testcase>
    <testcase classname="src/contact-form.test.tsx" name="Contact form keeps O&apos;Brien" time="0.013">
      <failure>Error: expect(received).toBe(expected) // Object.is equality
    at Object.toBe (/builds/payk12/frontend/src/contact-form.test.tsx:14:20)</failure>
    </testcase>
    <testcase classname="src/contact-form.test.tsx" name="Contact form asks first" time="0">
      <skipped/>
    </testcase>
  </testsuite>
</testsuites>"""

PLAYWRIGHT = """<testsuites id="" name="" tests="2" failures="1" skipped="0" errors="0" time="3.1">
<testsuite name="contacts.spec.ts" timestamp="2026-11-26T06:54:31.000Z" hostname="chromium" tests="2" failures="1"
 skipped="0" time="2.9" errors="0">
<testcase name="contacts \u203a lists people" classname="contacts.spec.ts" time="1.01">
</testcase>
<testcase name="contacts \u203a saves O'Brien" classname="contacts.spec.ts" time="1.82">
<failure message="contacts.spec.ts:9:7 saves O'Brien" type="FAILURE">
<![CDATA[  [chromium] \u203a contacts.spec.ts:9:7 \u203a contacts \u203a saves O'Brien

    Error: Timed out 5000ms waiting for expect(locator).toBeVisible()]]>
</failure>
<system-out>
<![CDATA[
[[ATTACHMENT|contacts-saves-O-Brien-chromium/test-failed-1.png]]
]]>
</system-out>
</testcase>
</testsuite>
</testsuites>""".encode()

TEST_LOGGER = b"""\xef\xbb\xbf<?xml version="1.0" encoding="utf-8"?>
<testsuites>
  <testsuite name="Contacts.Tests.dll" tests="3" skipped="1" failures="1" errors="0" time="0.2341"
   timestamp="2026-11-26T06:54:31" hostname="runner" id="0" package="Contacts.Tests.dll">
    <properties />
    <testcase classname="Contacts.Tests.StoreTests" name="Saves(name: &quot;OBrien&quot;)" time="0.0912000" />
    <testcase classname="Contacts.Tests.StoreTests" name="Saves(name: &quot;O'Brien&quot;)" time="0.0031000">
      <failure type="failure" message="Assert.Equal() Failure&#xD;&#xA;Expected: 201">   at Contacts.Tests</failure>
    </testcase>
    <testcase classname="Contacts.Tests.StoreTests" name="Exports" time="0.0000000"><skipped /></testcase>
    <system-out>Test Framework Informational Messages:</system-out>
    <system-err></system-err>
  </testsuite>
</testsuites>"""

P, F, S = CaseOutcome.PASSED, CaseOutcome.FAILED, CaseOutcome.SKIPPED


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


@pytest.mark.parametrize(
    ("document", "outcomes", "id_of_the_second", "says"),
    [
        (JEST, [P, F, S], "src/contact-form.test.tsx::Contact form keeps O'Brien", "expect(received).toBe"),
        (PLAYWRIGHT, [P, F], "contacts.spec.ts::contacts \u203a saves O'Brien", "contacts.spec.ts:9:7 saves O'Brien"),
        (TEST_LOGGER, [P, F, S], 'Contacts.Tests.StoreTests::Saves(name: "O\'Brien")', "Assert.Equal() Failure"),
    ],
    ids=["jest-junit", "playwright", "JunitXml.TestLogger"],
)
def test_each_test_runners_own_form_is_read(
    document: bytes, outcomes: list[CaseOutcome], id_of_the_second: str, says: str
) -> None:
    cases = read_cases(document)
    assert [case.outcome for case in cases] == outcomes
    assert cases[1].id == id_of_the_second
    assert says in cases[1].message


def test_a_failure_brings_all_that_is_said_of_it() -> None:
    assert [case.detail for case in read_cases(PYTEST)] == ["", "trace", "no module", ""]
    assert "contact-form.test.tsx:14:20" in read_cases(JEST)[1].detail


@pytest.mark.parametrize("status", ["notrun", "disabled", "skipped"])
def test_a_case_that_says_it_did_not_run_is_not_passed(status: str) -> None:
    (case,) = read_cases(f"<testsuite><testcase name='t' status='{status}'/></testsuite>".encode())
    assert case.outcome is CaseOutcome.SKIPPED


def test_a_failure_is_not_undone_by_what_follows() -> None:
    cases = read_cases(b"<testsuite><testcase name='t'><failure/><skipped/></testcase></testsuite>")
    assert cases[0].outcome is CaseOutcome.FAILED


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (b'<!DOCTYPE a [<!ENTITY x "y">]><testsuite>&x;</testsuite>', "DTD"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><testsuite/>', "DTD"),
        (b"<testsuite>&undefined;</testsuite>", "not well-formed"),
        (b"<testsuite>", "not well-formed"),
        (b"", "not well-formed"),
        (b"<testsuite>" * 60 + b"</testsuite>" * 60, "deep"),
        (b"<html><testcase name='t'/></html>", "begins with <html>"),
        (b'<?xml version="1.0" encoding="klingon"?><testsuite/>', "encoding"),
        (b'<?xml version="1.0" encoding="base64"?><testsuite/>', "encoding"),
        (b'<?xml version="1.0" encoding="shift_jis"?><testsuite/>', "encoding"),
        (b"<testsuite>" + b" " * (50 * 1024 * 1024) + b"</testsuite>", "larger than"),
        (b"<testsuite>" + b"<testcase/>" * 200_001 + b"</testsuite>", "more than 200000 cases"),
    ],
)
def test_what_no_test_runner_writes_is_refused_with_its_reason(document: bytes, says: str) -> None:
    with pytest.raises(JUnitError, match=says):
        read_cases(document)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(document: bytes) -> None:
    try:
        read_cases(document)
    except JUnitError:
        return
