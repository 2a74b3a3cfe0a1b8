"""Amounts as texts and as cents."""

import pytest

from payments import money


@pytest.mark.parametrize(
    ("text", "cents"),
    [("0", 0), ("5", 500), ("19.9", 1990), ("19.99", 1999), ("1250.00", 125000), ("0.29", 29)],
)
def test_a_text_is_read_to_the_cent(text: str, cents: int) -> None:
    assert money.cents(text) == cents


@pytest.mark.parametrize("text", ["", "-1", "1,250.00", "19.999", "ten", "1e3", " 5", "nan"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no amount"):
        money.cents(text)


@pytest.mark.parametrize(("cents", "text"), [(0, "0.00"), (5, "0.05"), (1999, "19.99"), (125000, "1250.00")])
def test_cents_are_written_with_two_decimals(cents: int, text: str) -> None:
    assert money.text(cents) == text
