"""Prices by date and tier, and the sums in the books. Pure: no socket."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from sandbox.anthropic.billing import Row, Status, money, report
from sandbox.anthropic.models import MODELS, Refusal, Thinking
from sandbox.anthropic.prices import PRICES, Rates, Usage, cost

TODAY = date(2026, 11, 22)
USAGE = Usage(input=1_000, read=20_000, write_5m=300, write_1h=4_000, output=50)


def test_the_table_has_the_published_figures(contract: Callable[[str], Any]) -> None:
    published = contract("price_summary.json")
    for model, prices in PRICES.items():
        figures = published[model]["usd_per_mtok"]
        assert prices[-1].rates == rates(figures), model
        long = published[model]["tier_above_100k"]
        assert prices[-1].long == (rates(long) if long else None), model


def rates(figures: dict[str, float]) -> Rates:
    names = {"write_5m": "cache_write_5m", "write_1h": "cache_write_1h", "read": "cache_read"}
    return Rates(**{name: Decimal(str(figures[names.get(name, name)])) for name in Rates.__struct_fields__})


def test_limits_and_refusals_are_those_published(contract: Callable[[str], Any]) -> None:
    published = contract("price_summary.json")
    for name in set(MODELS) & set(published):
        model, facts = MODELS[name], published[name]
        assert (model.context, model.max_output) == (facts["context"], facts["max_output"]), name
        assert model.cache_minimum == facts["min_cacheable_tokens"], name
        assert (Refusal.FORCED_TOOL_USE in model.refuses) == (facts["supports_forced_tool_use"] is False), name
        assert (Refusal.SAMPLING in model.refuses) == (facts["supports_sampling_params"] is False), name
        assert (Refusal.PREFILL in model.refuses) == (facts["supports_assistant_prefill"] is False), name
        assert (model.thinking is Thinking.ALWAYS) == (facts["thinking_always_on"] is True), name


def test_each_bucket_has_its_price() -> None:
    expected = Decimal(1_000 * 2 + 50 * 10 + 300 * Decimal("2.5") + 4_000 * 4 + 20_000 * Decimal("0.1")) / 1_000_000
    assert cost("claude-sonnet-5-5", USAGE, on=TODAY) == expected


def test_a_price_holds_from_its_day_on() -> None:
    read = Usage(read=1_000_000)
    assert cost("claude-sonnet-5-5", read, on=date(2026, 10, 6)) == Decimal("0.20")
    assert cost("claude-sonnet-5-5", read, on=date(2026, 10, 7)) == Decimal("0.10")
    assert cost("claude-haiku-5-5", read, on=date(2026, 10, 6)) is None


@pytest.mark.parametrize(("prompt", "dollars"), [(100_000, "0.0105"), (100_001, "0.0525005")])
def test_a_long_prompt_makes_each_token_of_haiku_dearer(prompt: int, dollars: str) -> None:
    usage = Usage(input=prompt, output=1_000)
    assert cost("claude-haiku-5-5", usage, on=TODAY) == Decimal(dollars)


def test_the_cache_counts_towards_a_long_prompt() -> None:
    usage = Usage(input=1, read=100_000)
    assert cost("claude-haiku-5-5", usage, on=TODAY) == Decimal("0.0050005")


def row(status: Status, model: str = "claude-sonnet-5-5", number: int = 1) -> Row:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    return Row(request_id=f"req_{number}", at=at, status=status, http_status=200, model=model, usage=USAGE)


def test_what_is_not_billed_costs_nothing_and_an_unknown_price_is_unknown() -> None:
    assert row(Status.FAILED).cost == 0
    assert row(Status.OK, "claude-fable-5-2").cost is None
    totals = report([row(Status.OK), row(Status.OK, "claude-fable-5-2")])["totals"]
    assert totals["cost_usd"] is None
    assert totals["known_cost_usd"] == money(row(Status.OK).cost)
    assert totals["unpriced_requests"] == 1


def test_the_parts_add_up_to_the_total() -> None:
    rows = [row(status, number=number) for number, status in enumerate(Status)]
    books = report(rows)
    for group in ("by_model", "by_status"):
        assert sum(Decimal(part["cost_usd"]) for part in books[group].values()) == Decimal(books["totals"]["cost_usd"])
    assert books["totals"]["billed_requests"] == 5
    assert books["totals"]["ephemeral_1h_input_tokens"] == 5 * USAGE.write_1h


@pytest.mark.parametrize(
    ("amount", "text"), [("0", "0"), ("1E-7", "0.0000001"), ("0.0500", "0.05"), ("100", "100"), ("1E+2", "100")]
)
def test_money_is_written_plainly(amount: str, text: str) -> None:
    assert money(Decimal(amount)) == text
