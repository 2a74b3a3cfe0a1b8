"""Amounts as people write them, and as we count them: whole cents."""

import re
from decimal import Decimal

_AMOUNT = re.compile(r"[0-9]{1,7}(\.[0-9]{1,2})?")


def cents(text: str) -> int:
    """Return the cents of a text such as `19.99`; raise ValueError for anything else."""
    if not _AMOUNT.fullmatch(text):
        raise ValueError(f"{text!r} is no amount such as 19.99")
    return int(Decimal(text) * 100)


def text(amount: int) -> str:
    """Return cents as a text with two decimals."""
    return f"{amount // 100}.{amount % 100:02d}"
