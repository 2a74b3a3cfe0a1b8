"""Reading the fee file of the accounting system."""

from datetime import date

import pytest

from payments import legacy


def record(text: str) -> bytes:
    return text.ljust(80).encode("iso-8859-1")


def file(*details: str) -> bytes:
    records = ["H20261101 2027", *details, f"T{len(details):06d}"]
    return b"".join(record(text) + b"\r\n" for text in records)


LUNCH = "DLUNCH " + "School lunch, month".ljust(30) + "000006480" + "20260801" + "ALL "


def test_a_record_becomes_a_fee() -> None:
    [fee] = legacy.read(file(LUNCH))
    assert (fee.code, fee.description, fee.amount) == ("LUNCH", "School lunch, month", 6480)
    assert (fee.valid_from, fee.school) == (date(2026, 8, 1), "ALL")


def test_a_fee_may_have_no_first_day() -> None:
    [fee] = legacy.read(file(LUNCH.replace("20260801", "        ")))
    assert fee.valid_from == date.min


def test_a_file_without_all_of_its_records_is_refused() -> None:
    with pytest.raises(legacy.Unavailable, match="not complete"):
        legacy.read(file(LUNCH).replace(b"T000001", b"T000002"))


def test_fees_are_asked_for_again_after_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    now, asked = [0.0], []

    def fetch(_: legacy.Fees, school_year: int) -> bytes:
        asked.append(school_year)
        return file(LUNCH)

    monkeypatch.setattr(legacy.Fees, "_fetch", fetch)
    fees = legacy.Fees("http://legacy", clock=lambda: now[0])
    for seconds in (0, legacy.KEPT_S - 1, legacy.KEPT_S):
        now[0] = seconds
        fees.of(2027)
    assert asked == [2027, 2027]
