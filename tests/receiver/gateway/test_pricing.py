"""What a model call costs."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from receiver.gateway.price_modifiers import LARGEST
from receiver.store.money.pricing import Price, Usage, cost, most, price_for

OLD = datetime(2026, 1, 1, tzinfo=UTC)
NEW = datetime(2026, 10, 7, tzinfo=UTC)


def price(number: int, *, since: datetime = OLD, above: int = 0, rate: str = "1") -> Price:
    unit = Decimal(rate)
    return Price(
        id=number,
        model="claude-test",
        valid_from=since,
        above_tokens=above,
        input=unit,
        output=unit * 5,
        cache_write_5m=unit * Decimal("1.25"),
        cache_write_1h=unit * 2,
        cache_read=unit / 10,
    )


TIERS = (price(1), price(2, above=100_000, rate="5"))


def test_the_four_input_buckets_are_priced_apart() -> None:
    usage = Usage(uncached=1, cache_read=10, cache_write_5m=100, cache_write_1h=1_000, output=10_000)
    assert cost(usage, price(1)) == Decimal("0.052127")


def test_a_factor_counts_for_every_bucket_and_an_unknown_one_leaves_the_cost_unknown() -> None:
    usage = Usage(uncached=1, cache_read=10, cache_write_5m=100, cache_write_1h=1_000, output=10_000)
    assert cost(replace(usage, price_factor=Decimal("1.1")), price(1)) == Decimal("0.0573397")
    assert cost(replace(usage, price_factor=None), price(1)) is None


def test_a_prompt_at_the_threshold_has_the_lower_price_and_one_token_more_the_higher() -> None:
    assert price_for("claude-test", prompt=100_000, at=NEW, prices=TIERS) == TIERS[0]
    assert price_for("claude-test", prompt=100_001, at=NEW, prices=TIERS) == TIERS[1]


def test_a_new_price_holds_from_its_date_on() -> None:
    rows = (price(1), price(2, since=NEW, rate="3"))
    assert price_for("claude-test", prompt=1, at=NEW - timedelta(seconds=1), prices=rows) == rows[0]
    assert price_for("claude-test", prompt=1, at=NEW, prices=rows) == rows[1]


def test_an_unknown_model_has_no_price_rather_than_a_price_of_nothing() -> None:
    assert price_for("claude-other", prompt=1, at=NEW, prices=TIERS) is None
    assert most("claude-other", prompt_at_most=1, output_at_most=1, at=NEW, prices=TIERS) is None


def test_before_the_first_price_is_valid_nothing_is_known() -> None:
    assert price_for("claude-test", prompt=1, at=OLD - timedelta(days=1), prices=TIERS) is None


counts = st.integers(min_value=0, max_value=120_000)


@given(st.tuples(counts, counts, counts, counts, counts), st.sampled_from([Decimal(1), LARGEST]))
def test_no_call_costs_more_than_was_reserved_for_it(tokens: tuple[int, ...], factor: Decimal) -> None:
    uncached, read, short, long, output = tokens
    usage = Usage(uncached=uncached, cache_read=read, cache_write_5m=short, cache_write_1h=long, output=output)
    usage = replace(usage, price_factor=factor)
    fitting = price_for("claude-test", prompt=usage.prompt, at=NEW, prices=TIERS)
    held = most(
        "claude-test",
        prompt_at_most=usage.prompt,
        output_at_most=output,
        at=NEW,
        prices=TIERS,
        largest_factor=LARGEST,
    )
    assert fitting is not None
    assert held is not None
    spent = cost(usage, fitting)
    assert spent is not None
    assert spent <= held


@given(counts, counts)
def test_costs_add_up(first: int, second: int) -> None:
    both = cost(Usage(uncached=first + second), price(1))
    parts = [cost(Usage(uncached=tokens), price(1)) for tokens in (first, second)]
    assert both == sum(part for part in parts if part is not None)
