"""What a request costs: dated price rows in USD per million tokens, and the sum in Decimal. Rounds nothing.

This is the emulator's own table, on purpose shared with nobody: the product's ledger is compared with it.
Source: https://platform.claude.com/docs/en/about-claude/pricing as published by litellm 1.109.1, read 2026-11-22; Haiku
5.5: https://platform.claude.com/docs/en/models/haiku-5-5/overview, whose price depends on the length of the prompt.
"""

from datetime import date
from decimal import Decimal

import msgspec

_MILLION = Decimal(1_000_000)


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of one request; the four input counts don't overlap."""

    input: int = 0
    """Uncached input only."""
    read: int = 0
    """Input read from the cache."""
    write_5m: int = 0
    """Input written to the cache for five minutes."""
    write_1h: int = 0
    """Input written to the cache for one hour."""
    output: int = 0
    """Output, thinking included."""
    thinking: int = 0
    """The part of the output that was thinking."""

    @property
    def prompt(self) -> int:
        """All input tokens, however they are billed."""
        return self.input + self.read + self.write_5m + self.write_1h

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(**{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__})


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """USD per million tokens, by bucket."""

    input: Decimal
    output: Decimal
    write_5m: Decimal
    write_1h: Decimal
    read: Decimal

    def cost(self, usage: Usage) -> Decimal:
        """Sum up one request."""
        total = (
            self.input * usage.input
            + self.output * usage.output
            + self.write_5m * usage.write_5m
            + self.write_1h * usage.write_1h
            + self.read * usage.read
        )
        return total / _MILLION


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """A model's price from a day on."""

    since: date
    """First day, UTC; `date.min` for a price that was already valid when the table was read."""
    rates: Rates
    long: Rates | None = None
    """For every token of a request whose prompt is longer than `threshold`."""
    threshold: int | None = None
    """Tokens of the prompt, cache reads and writes included."""

    def applied(self, usage: Usage) -> Rates:
        """Choose the tier by the length of the prompt."""
        if self.long is not None and self.threshold is not None and usage.prompt > self.threshold:
            return self.long
        return self.rates


def _rates(text: str) -> Rates:
    values = [Decimal(value) for value in text.split()]
    return Rates(input=values[0], output=values[1], write_5m=values[2], write_1h=values[3], read=values[4])


def _price(text: str, since: date = date.min) -> Price:
    return Price(since=since, rates=_rates(text))


_OCTOBER = date(2026, 10, 7)
_OPUS_4 = (_price("5 25 6.25 10 0.50"),)
_SONNET_4 = (_price("3 15 3.75 6 0.30"),)
_HAIKU_4 = (_price("1 5 1.25 2 0.10"),)
_TEN = (_price("10 50 12.50 20 1"),)
_TEN_ONE = (_price("10 50 12.50 20 0.25"),)

#                       input output write_5m write_1h read
PRICES: dict[str, tuple[Price, ...]] = {
    "claude-haiku-5-5": (
        Price(
            since=_OCTOBER,
            rates=_rates("0.10 0.50 0.125 0.20 0.01"),
            long=_rates("0.50 2.50 0.625 1.00 0.05"),
            threshold=100_000,
        ),
    ),
    "claude-sonnet-5-5": (_price("2 10 2.50 4 0.20"), _price("2 10 2.50 4 0.10", _OCTOBER)),
    "claude-opus-5-5": (_price("4 20 5 8 0.20"),),
    "claude-fable-5-1": _TEN_ONE,
    "claude-mythos-5-1": _TEN_ONE,
    "claude-fable-5": _TEN,
    "claude-mythos-5": _TEN,
    "claude-opus-5": _OPUS_4,
    "claude-sonnet-5": (_price("2 10 2.50 4 0.20"),),
    "claude-opus-4-8": _OPUS_4,
    "claude-opus-4-7": _OPUS_4,
    "claude-opus-4-6": _OPUS_4,
    "claude-sonnet-4-6": _SONNET_4,
    "claude-opus-4-5": _OPUS_4,
    "claude-opus-4-5-20251101": _OPUS_4,
    "claude-haiku-4-5": _HAIKU_4,
    "claude-haiku-4-5-20251001": _HAIKU_4,
    "claude-sonnet-4-5": _SONNET_4,
    "claude-sonnet-4-5-20250929": _SONNET_4,
}
"""By model, oldest first."""


def cost(model: str, usage: Usage, *, on: date) -> Decimal | None:
    """Price one request on a day; None where no price is known for it."""
    valid = [price for price in PRICES.get(model, ()) if price.since <= on]
    return valid[-1].applied(usage).cost(usage) if valid else None
