"""Single characters spoil no report: they are mended, and what can't be mended is left to the parser to refuse."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.job.report_formats.cobertura import read_coverage
from pipelines.job.report_formats.hostile_xml import XmlError
from pipelines.job.report_formats.suite_reports import read_report
from pipelines.job.report_formats.xml_repair import repaired
from pipelines.proof.test_cases import CaseOutcome

FAILURE = "<testsuite><testcase classname='Cart' name='adds'><failure>{}</failure></testcase></testsuite>"
PASSED = "<testsuite><testcase classname='Cart' name='adds'/></testsuite>"
TRX = (
    '<TestRun xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010"><Results><UnitTestResult testId="1" '
    'testName="Adds" outcome="Failed"><Output><ErrorInfo><Message>{}</Message></ErrorInfo></Output></UnitTestResult>'
    '</Results><ResultSummary outcome="Failed"/></TestRun>'
)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("\x1b[1;31mexpected 3\x1b[39m, got 4", "expected 3, got 4"),
        ("&#27;[31mexpected 3&#x1b;[0m", "expected 3"),
        ("\x1b[38;2;10;20;30mRGB\x1b[K", "RGB"),
        ("50 %\b\b\b\b100 %", "50 %100 %"),
        ("page&#xC;break&#0;", "pagebreak"),
        ("bell\x07, null\x00, delete\x7f", "bell, null, delete\x7f"),
        ("no character \ufffe\uffff&#xFFFF;&#55296;&#x110000;", "no character"),
        ("line&#10;break &#x2713; &amp; &lt;b&gt;", "line\nbreak \u2713 & <b>"),
        ("<![CDATA[\x1b[41m<hi>\x1b[0m]]>", "<hi>"),
    ],
    ids=[
        "colour",
        "colour as references",
        "true colour",
        "backspace",
        "form feed",
        "control",
        "U+FFFE",
        "fine",
        "CDATA",
    ],
)
@pytest.mark.parametrize("document", [FAILURE, TRX])
def test_what_xml_does_not_allow_is_taken_out_and_the_rest_is_read(document: str, said: str, shown: str) -> None:
    (case,) = read_report(document.format(said).encode()).cases
    assert (case.outcome, case.message) == (CaseOutcome.FAILED, shown)


@pytest.mark.parametrize(
    "document",
    [
        b"\n  <?xml version='1.0' encoding='UTF-8'?>" + PASSED.encode(),
        b"\xef\xbb\xbf\n<?xml version='1.0'?>" + PASSED.encode(),
        b'<?xml version="1.0" encoding="utf-16"?>' + PASSED.encode(),
        b'<?xml version="1.0" encoding="UTF-16LE"?>' + PASSED.encode(),
        b'<?xml version="1.1" encoding="UTF-8"?>' + PASSED.encode(),
        b'<?xml version="1.0" encoding="ascii"?>' + PASSED.encode(),
        ('<?xml version="1.0" encoding="utf-16"?>' + PASSED).encode("utf-16"),
        PASSED.encode("utf-16-be"),
    ],
    ids=["blank first", "mark and blank", "says UTF-16", "says UTF-16LE", "1.1", "ASCII", "is UTF-16", "no mark"],
)
def test_a_declaration_that_is_wrong_or_late_is_no_hindrance(document: bytes) -> None:
    (case,) = read_report(document).cases
    assert (case.id, case.outcome) == ("Cart::adds", CaseOutcome.PASSED)


def test_bytes_of_another_encoding_spoil_only_themselves() -> None:
    (case,) = read_report(FAILURE.format("gr\u00fcn").encode("latin-1")).cases
    assert case.message == "gr\ufffdn"
    declared = b'<?xml version="1.0" encoding="ISO-8859-1"?>' + FAILURE.format("gr\u00fcn").encode("latin-1")
    assert read_report(declared).cases[0].message == "gr\u00fcn"


def test_what_gitlab_gets_is_mended_as_well() -> None:
    kept = read_report(FAILURE.format("\x1b[31mred&#8;").encode()).junit
    assert kept == FAILURE.format("red").encode()


def test_coverage_with_an_odd_character_is_read() -> None:
    document = '<coverage><class filename="src/a.py" name="a\x01"><line number="9" hits="1"/></class></coverage>'
    (file,) = read_coverage(document.encode())
    assert (file.name, file.lines) == ("src/a.py", {9: True})


@pytest.mark.parametrize("encoding", ["shift_jis", "base64", "utf-7", "idna", "klingon"])
def test_an_encoding_that_is_none_of_those_is_left_to_the_parser(encoding: str) -> None:
    document = f'<?xml version="1.0" encoding="{encoding}"?>{PASSED}'.encode()
    assert repaired(document) == document
    with pytest.raises(XmlError):
        read_report(document)


@pytest.mark.parametrize(
    "document",
    [
        FAILURE.format("cut")[:-20],
        "<!DOCTYPE a [<!ENTITY x 'y'>]>" + PASSED,
        FAILURE.format("&lol;"),
        "npm warn deprecated\n" + PASSED,
        FAILURE.format("&#" + "0" * 1_000 + "27;"),
    ],
    ids=["cut off", "entity", "undefined", "a line of a log", "a long reference"],
)
def test_what_no_single_character_spoils_stays_refused(document: str) -> None:
    with pytest.raises(XmlError):
        read_report(document.encode())


@given(st.text(st.characters(codec="utf-8"), max_size=80))
def test_any_text_makes_a_report_that_is_read_and_mending_twice_changes_nothing(text: str) -> None:
    said = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    document = FAILURE.format(said).encode()
    assert len(read_report(document).cases) == 1
    assert repaired(repaired(document)) == repaired(document)


@given(st.binary(max_size=200))
def test_any_bytes_give_utf_8_or_are_left_as_they_are(document: bytes) -> None:
    mended = repaired(document)
    assert mended == document or not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", mended.decode())
