"""What an answer's usage says about the price besides its counts: region, tier, speed. A table; pure.

The request's fields are not what counts: a workspace may have a region as its default. What is not in the table makes
the price unknown, so that a call is held at the most that it could cost instead of being booked as standard.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

STANDARD: Final = Decimal(1)
LARGEST: Final = Decimal("1.1")
"""Of the factors below: reservations are made with it."""

FACTORS: Final[Mapping[str, Mapping[str, Decimal]]] = {
    # https://docs.claude.com/en/docs/build-with-claude/data-residency: all token prices, cache reads and writes too
    "inference_geo": {"global": STANDARD, "not_available": STANDARD, "us": LARGEST},
    # priority and batch have price lists of their own
    "service_tier": {"standard": STANDARD},
    # fast mode has a price list of its own
    "speed": {"standard": STANDARD},
}
"""By field of the usage, then by value: what all token prices are multiplied by."""

_COUNTS: Final = frozenset(
    {
        *("input_tokens", "output_tokens", "cache_read_input_tokens"),
        *("cache_creation_input_tokens", "cache_creation"),
    }
)
"""Fields that say nothing else about the price: they are the counts that are priced."""
_BREAKDOWN: Final = "_details"
"""Ending of fields that break a count down, `output_tokens_details` for example; the count is what is billed."""


def price_factor(usage: Mapping[str, Any]) -> Decimal | None:
    """Return what the token prices are multiplied by; None when something in the usage changes them in unknown ways."""
    factor = STANDARD
    for name, value in usage.items():
        if name in FACTORS and value not in (None, ""):
            known = FACTORS[name].get(value) if isinstance(value, str) else None
            if known is None:
                return None
            factor *= known
        elif name == "iterations":
            if not _are_messages(value):
                return None
        elif name not in _COUNTS and not name.endswith(_BREAKDOWN) and _says_something(value):
            return None
    return factor


def unpriced(usage: Mapping[str, Any]) -> str:
    """Return the fields of a usage that make its price unknown, for the log: names only."""
    return ", ".join(sorted(name[:40] for name, value in usage.items() if price_factor({name: value}) is None))


def _are_messages(value: object) -> bool:
    """Whether all iterations are in the counts at the top; those of a compaction are not."""
    entries = value if isinstance(value, list) else [] if value is None else [value]
    return all(isinstance(entry, dict) and entry.get("type") == "message" for entry in entries)


def _says_something(value: object) -> bool:
    """Whether a field that we don't know counts or names anything."""
    if isinstance(value, dict):
        return any(map(_says_something, value.values()))
    if isinstance(value, list):
        return any(map(_says_something, value))
    return bool(value)
