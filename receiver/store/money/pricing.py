"""What a model call costs: tokens in four disjoint input buckets and output, at a dated price. Pure.

Source of the buckets: https://docs.claude.com/en/docs/build-with-claude/prompt-caching (`input_tokens` excludes cached
tokens). Unknown price: None, never 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from msgspec import Struct

PER_MILLION = Decimal(1_000_000)


class Usage(Struct, frozen=True, kw_only=True):
    """Tokens of one call; the four input counts are disjoint."""

    uncached: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    price_factor: Decimal | None = Decimal(1)
    """What the token prices are multiplied by; None: the answer says something about them that isn't known."""

    @property
    def prompt(self) -> int:
        """Length of the whole prompt, cached parts included: what price thresholds look at."""
        return self.uncached + self.cache_read + self.cache_write_5m + self.cache_write_1h

    @property
    def prefix(self) -> int:
        """Length of the prefix that conversations share: read from the cache, or written to it for an hour."""
        return self.cache_read + self.cache_write_1h


class Price(Struct, frozen=True, kw_only=True):
    """US dollars per million tokens, from a date on, for prompts longer than a threshold."""

    id: int
    model: str
    valid_from: datetime
    above_tokens: int
    input: Decimal
    output: Decimal
    cache_write_5m: Decimal
    cache_write_1h: Decimal
    cache_read: Decimal

    @property
    def dearest_input(self) -> Decimal:
        """The highest rate that an input token can cost."""
        return max(self.input, self.cache_write_5m, self.cache_write_1h, self.cache_read)


def price_for(model: str, *, prompt: int, at: datetime, prices: Iterable[Price]) -> Price | None:
    """Return the price of a model's call with a prompt of `prompt` tokens, or None if no price is known.

    Among the prices valid at `at`, takes the highest threshold below `prompt`, and of that the newest.
    """
    newest: dict[int, Price] = {}
    for row in prices:
        if row.model != model or row.valid_from > at or (row.above_tokens and prompt <= row.above_tokens):
            continue
        known = newest.get(row.above_tokens)
        if known is None or row.valid_from > known.valid_from:
            newest[row.above_tokens] = row
    return newest[max(newest)] if newest else None


def cost(usage: Usage, price: Price) -> Decimal | None:
    """Return US dollars, exact: factor × rate × tokens ÷ 1,000,000 for each bucket; None when the factor is unknown."""
    if usage.price_factor is None:
        return None
    spent = (
        usage.uncached * price.input
        + usage.cache_read * price.cache_read
        + usage.cache_write_5m * price.cache_write_5m
        + usage.cache_write_1h * price.cache_write_1h
        + usage.output * price.output
    )
    return usage.price_factor * spent / PER_MILLION


def most(
    model: str,
    *,
    prompt_at_most: int,
    output_at_most: int,
    at: datetime,
    prices: Iterable[Price],
    largest_factor: Decimal = Decimal(1),
) -> Decimal | None:
    """Return what a call can cost at most, for a reservation; None when the model's price is unknown.

    The dearest input rate of every threshold that the prompt may pass is assumed for all of it, and the largest factor
    that an answer may turn out to be priced with.
    """
    rows = list(prices)
    reachable = {
        row
        for prompt in {prompt_at_most, *(r.above_tokens for r in rows if r.above_tokens < prompt_at_most)}
        if (row := price_for(model, prompt=prompt, at=at, prices=rows)) is not None
    }
    if not reachable:
        return None
    dearest = max(row.dearest_input for row in reachable)
    output = max(row.output for row in reachable)
    return largest_factor * (prompt_at_most * dearest + output_at_most * output) / PER_MILLION
