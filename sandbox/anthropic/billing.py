"""The emulator's own books: each request, what it used, what it cost, how it ended. Shares nothing with the product.

A request is billed from the moment its answer begins. A stream that the emulator itself cuts is billed as far as its
usage was sent; one whose client left is billed in full, since it was generated.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec

from sandbox.anthropic.prices import Usage, cost
from sandbox.anthropic.script import Subject


class Status(Enum):
    """How a request ended."""

    OPEN = "open"
    """Being answered."""
    OK = "ok"
    CLIENT_GONE = "client_gone"
    """Billed, but the client had left before the end."""
    STREAM_CUT = "stream_cut"
    """Billed as far as it was streamed: the emulator broke off."""
    UNANSWERED = "unanswered"
    """Billed in full, but the client got an error or nothing."""
    FAILED = "failed"
    """Not billed: 429, 500 or 529."""
    REFUSED = "refused"
    """Not billed: a 4xx."""


BILLED = frozenset({Status.OPEN, Status.OK, Status.CLIENT_GONE, Status.STREAM_CUT, Status.UNANSWERED})


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One request."""

    request_id: str
    at: datetime
    status: Status
    http_status: int
    model: str | None = None
    key: str = ""
    """Fingerprint of the API key; the cache is kept by it."""
    subject: Subject | None = None
    usage: Usage = Usage()
    error: str = ""
    stream: bool = False
    prefix: str = ""
    """Identifies the prompt up to its last 1-hour breakpoint: equal where the whole prefix is, byte for byte."""

    @property
    def billed(self) -> bool:
        """Whether it costs anything."""
        return self.status in BILLED

    @property
    def cost(self) -> Decimal | None:
        """USD; None when the price is not known, and zero when it is not billed."""
        if not self.billed:
            return Decimal(0)
        return cost(self.model or "", self.usage, on=self.at.date())

    @property
    def cost_without_cache(self) -> Decimal | None:
        """USD, had the same prompt been sent without any breakpoint."""
        if not self.billed:
            return Decimal(0)
        plain = Usage(input=self.usage.prompt, output=self.usage.output)
        return cost(self.model or "", plain, on=self.at.date())


class Books:
    """All rows, in the order in which the requests came."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}

    def __contains__(self, request_id: str) -> bool:
        return request_id in self._rows

    def record(self, row: Row) -> None:
        """Enter a request, or correct its entry."""
        self._rows[row.request_id] = row

    def rows(self, *, issue: str = "") -> list[Row]:
        """Return the rows, of one issue only where one is given."""
        return [
            row for row in self._rows.values() if not issue or (row.subject is not None and row.subject.issue == issue)
        ]


def money(amount: Decimal | None) -> str | None:
    """Write an amount without an exponent and without trailing zeros."""
    if amount is None:
        return None
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def summary(rows: Iterable[Row]) -> dict[str, Any]:
    """Sum up: requests, tokens by bucket, cost; the cost is None as soon as one price is unknown."""
    billed = [row for row in rows if row.billed]
    usage = sum((row.usage for row in billed), Usage())
    known = [row.cost for row in billed if row.cost is not None]
    total = sum(known, Decimal(0))
    unpriced = len(billed) - len(known)
    plain = [row.cost_without_cache for row in billed if row.cost_without_cache is not None]
    return {
        "billed_requests": len(billed),
        **_usage(usage),
        "cost_usd": None if unpriced else money(total),
        "known_cost_usd": money(total),
        "cost_without_cache_usd": None if unpriced else money(sum(plain, Decimal(0))),
        "unpriced_requests": unpriced,
    }


def report(rows: Iterable[Row]) -> dict[str, Any]:
    """Write the books as JSON: the rows, the totals, and the totals by model, by phase and by status."""
    rows = list(rows)
    return {
        "rows": [_row(row) for row in rows],
        "totals": summary(rows),
        "by_model": _grouped(rows, lambda row: row.model),
        "by_phase": _grouped(rows, lambda row: row.subject.phase if row.subject else None),
        "by_status": _grouped(rows, lambda row: row.status.value),
    }


def _grouped(rows: list[Row], key: Any) -> dict[str, Any]:  # noqa: ANN401 - a function of a row
    names = sorted({name for row in rows if (name := key(row)) is not None})
    return {name: summary(row for row in rows if key(row) == name) for name in names}


def _usage(usage: Usage) -> dict[str, int]:
    return {
        "input_tokens": usage.input,
        "cache_read_input_tokens": usage.read,
        "ephemeral_5m_input_tokens": usage.write_5m,
        "ephemeral_1h_input_tokens": usage.write_1h,
        "output_tokens": usage.output,
        "thinking_tokens": usage.thinking,
    }


def _row(row: Row) -> dict[str, Any]:
    about = row.subject
    return {
        "request_id": row.request_id,
        "at": row.at,
        "status": row.status.value,
        "http_status": row.http_status,
        "billed": row.billed,
        "model": row.model,
        "key": row.key,
        "stream": row.stream,
        "phase": about.phase if about else None,
        "issue": about.issue if about else None,
        "iteration": about.iteration if about else None,
        "repository": about.repository if about else None,
        "turn": about.turn if about else None,
        **_usage(row.usage),
        "cost_usd": money(row.cost),
        "error": row.error,
        "prefix": row.prefix,
    }
