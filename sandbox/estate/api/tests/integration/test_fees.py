"""Fees, with a recorded fee file of the accounting system."""

from typing import Any


def test_fees_come_from_the_accounting_system(client: Any) -> None:
    status, answer = client.get("/v1/fees?school_year=2026-27")
    assert status == 200
    assert [(fee["code"], fee["amount"]) for fee in answer["fees"]] == [("LUNCH", "64.80"), ("BAND", "45.00")]


def test_a_school_year_that_is_none_is_refused(client: Any) -> None:
    assert client.get("/v1/fees?school_year=2026-28")[0] == 422
