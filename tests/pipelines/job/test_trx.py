"""TRX from untrusted code: what vstest writes counts as it is meant, and a run that broke off is no success."""

from __future__ import annotations

import pytest

from pipelines.job.report_formats.suite_reports import read_report
from pipelines.job.report_formats.trx import THE_RUN, TrxError, read_cases
from pipelines.job.report_formats.xml_repair import repaired
from pipelines.proof.test_cases import CaseOutcome, count

HEAD = """\ufeff<?xml version="1.0" encoding="utf-8"?>
<TestRun id="5b1f1c4e-6a3b-4c7f-9d0e-3c1d2e4f5a6b" name="@runner 2026-11-26 06:54:31"
 xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010">
  <Times creation="2026-11-26T06:54:31.0+00:00" queuing="2026-11-26T06:54:31.0+00:00"
   start="2026-11-26T06:54:29.1+00:00" finish="2026-11-26T06:54:31.4+00:00" />
  <TestSettings name="default" id="9ac1d7a5-2f84-4fd9-a3c5-10a0b7f1c9d2">
    <Deployment runDeploymentRoot="_runner_2026-11-26_06_54_31" />
  </TestSettings>
"""
DEFINITIONS = """
  <TestDefinitions>
    <UnitTest name="Saves" storage="/builds/payk12/api/test/bin/debug/net10.0/contacts.tests.dll" id="t1">
      <Execution id="e1" />
      <TestMethod codeBase="/builds/payk12/api/test/bin/Debug/net10.0/Contacts.Tests.dll"
       adapterTypeName="executor://mstestadapter/v2" className="Contacts.Tests.StoreTests" name="Saves" />
    </UnitTest>
    <UnitTest name="Finds" storage="contacts.tests.dll" id="t2">
      <TestMethod codeBase="Contacts.Tests.dll"
       className="Contacts.Tests.SearchTests, Contacts.Tests, Version=1.0.0.0, Culture=neutral" name="Finds" />
    </UnitTest>
  </TestDefinitions>
  <TestEntries><TestEntry testId="t1" executionId="e1" testListId="8c84fa94-04c1" /></TestEntries>
"""


def trx(results: str, *, outcome: str = "Completed", failed: int = 0, infos: str = "") -> bytes:
    counters = f'<Counters total="2" executed="2" passed="{2 - failed}" failed="{failed}" error="0" timeout="0" />'
    summary = f'<ResultSummary outcome="{outcome}">{counters}{infos}</ResultSummary>'
    return f"{HEAD}<Results>{results}</Results>{DEFINITIONS}{summary}</TestRun>".encode()


def result(name: str, outcome: str | None, *, of: str = "t1", inside: str = "") -> str:
    said = f'outcome="{outcome}"' if outcome is not None else ""
    return (
        f'<UnitTestResult executionId="e1" testId="{of}" testName="{name}" computerName="runner"'
        f' duration="00:01:01.5000000" {said} testListId="l" relativeResultsDirectory="e1">{inside}</UnitTestResult>'
    )


FAILURE = (
    "<Output><StdOut>before</StdOut><ErrorInfo><Message>Assert.AreEqual failed. Expected:&lt;201&gt;.</Message>"
    "<StackTrace>   at Contacts.Tests.StoreTests.Saves()</StackTrace></ErrorInfo></Output>"
)


@pytest.mark.parametrize(
    ("outcome", "is_meant"),
    [
        ("Passed", CaseOutcome.PASSED),
        ("Warning", CaseOutcome.PASSED),
        ("Failed", CaseOutcome.FAILED),
        ("NotExecuted", CaseOutcome.SKIPPED),
        ("Inconclusive", CaseOutcome.SKIPPED),
        ("Timeout", CaseOutcome.ERROR),
        ("Aborted", CaseOutcome.ERROR),
        ("PassedButRunAborted", CaseOutcome.ERROR),
        ("NotRunnable", CaseOutcome.ERROR),
        ("Disconnected", CaseOutcome.ERROR),
        ("InProgress", CaseOutcome.ERROR),
        ("Marvellous", CaseOutcome.ERROR),
        (None, CaseOutcome.ERROR),
    ],
)
def test_only_outcomes_that_say_so_are_a_pass(outcome: str | None, is_meant: CaseOutcome) -> None:
    (case,) = read_cases(trx(result("Saves", outcome)))
    assert (case.id, case.outcome, case.seconds) == ("Contacts.Tests.StoreTests::Saves", is_meant, 61.5)


def test_a_failure_brings_its_message_and_the_class_of_its_definition() -> None:
    document = trx(
        result("Saves", "Failed", inside=FAILURE) + result("Finds", "Passed", of="t2"), outcome="Failed", failed=1
    )
    saves, finds = read_cases(document)
    assert saves.message == "Assert.AreEqual failed. Expected:<201>."
    assert saves.detail == "at Contacts.Tests.StoreTests.Saves()"
    assert finds.id == "Contacts.Tests.SearchTests::Finds"


ROWS = "<InnerResults>{}</InnerResults>"


def test_of_a_data_driven_test_the_rows_count() -> None:
    rows = result("Saves (OBrien)", "Passed") + result("Saves (O'Brien)", "Failed", inside=FAILURE)
    cases = read_cases(trx(result("Saves", "Failed", inside=ROWS.format(rows)), outcome="Failed", failed=1))
    assert [(case.id.partition("::")[2], case.outcome) for case in cases] == [
        ("Saves (OBrien)", CaseOutcome.PASSED),
        ("Saves (O'Brien)", CaseOutcome.FAILED),
    ]


def test_a_data_driven_test_that_failed_outside_of_its_rows_is_not_lost() -> None:
    cases = read_cases(trx(result("Saves", "Failed", inside=ROWS.format(result("Saves (OBrien)", "Passed")))))
    assert [case.outcome for case in cases] == [CaseOutcome.PASSED, CaseOutcome.FAILED]


CRASH = (
    '<RunInfos><RunInfo computerName="runner" outcome="Error" timestamp="2026-11-26T06:54:31">'
    "<Text>The active test run was aborted. Reason: Test host process crashed</Text></RunInfo></RunInfos>"
)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (trx(result("Saves", "Passed"), outcome="Failed", infos=CRASH), "Test host process crashed"),
        (trx(result("Saves", "Passed"), outcome="Aborted"), "Aborted"),
        (trx(result("Saves", "Passed"), failed=1), "Completed"),
        (b"<TestRun><Results/></TestRun>", "nothing"),
    ],
)
def test_a_run_that_broke_off_is_a_failing_case(document: bytes, says: str) -> None:
    *_, last = read_cases(document)
    assert (last.id, last.outcome) == (THE_RUN, CaseOutcome.ERROR)
    assert says in last.message


def test_trx_becomes_junit_for_gitlab() -> None:
    results = result("Saves", "Failed", inside=FAILURE) + result("Finds", "NotExecuted", of="t2")
    report = read_report(trx(results, outcome="Failed", failed=1))
    again = read_report(report.junit)
    assert again.cases == report.cases
    assert again.junit == repaired(report.junit)
    assert [count(report.cases, outcome) for outcome in CaseOutcome] == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (b"<testsuite/>", "begins with <testsuite>"),
        (b'<!DOCTYPE TestRun [<!ENTITY a "b">]><TestRun/>', "DTD"),
        (b"<TestRun>", "not well-formed"),
        (b"<TestRun>" + b"<Results>" * 60 + b"</Results>" * 60 + b"</TestRun>", "deep"),
    ],
)
def test_what_vstest_does_not_write_is_refused(document: bytes, says: str) -> None:
    with pytest.raises(TrxError, match=says):
        read_cases(document)
