from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from receiver.store.money.spending import costs
from receiver.store.schema import UsageRow

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def call(cost: str | None, **more: Any) -> UsageRow:
    values: dict[str, Any] = {
        "call_id": "c",
        "run_id": "r",
        "iteration": 1,
        "phase": "analysis",
        "repository": None,
        "job_id": 1,
        "agent": "default",
        "purpose": "work",
        "model": "claude-sonnet-5-5",
        "state": "settled",
        "reserved_usd": Decimal(1),
        "uncached_tokens": 10,
        "cache_read_tokens": 20,
        "cache_write_5m_tokens": 30,
        "cache_write_1h_tokens": 40,
        "output_tokens": 50,
        "cost_usd": None if cost is None else Decimal(cost),
        "reserved_at": NOW,
    }
    return UsageRow(**values | more)


def test_the_parts_add_up_to_the_total_to_the_last_decimal() -> None:
    rows = [call("0.0000000001"), call("0.1", phase="testing"), call("0.2", purpose="context", iteration=2)]
    told = costs(rows, budget_usd=Decimal(6))
    assert told.total.cost_usd == Decimal("0.3000000001")
    for way in (told.by_phase.values(), told.by_purpose.values(), [part.cost for part in told.parts]):
        assert sum((cost.cost_usd or Decimal(0) for cost in way), Decimal(0)) == told.total.cost_usd
        assert sum(cost.output for cost in way) == told.total.output == 150


def test_one_unknown_price_makes_the_total_unknown_and_keeps_what_is_known() -> None:
    told = costs([call("0.5"), call(None)], budget_usd=None)
    assert (told.total.cost_usd, told.total.known_usd) == (None, Decimal("0.5"))
    assert (told.total.unsettled, told.total.unpriced, told.total.held_usd) == (0, 1, Decimal(1))


def test_a_call_without_a_whole_answer_is_held_at_its_reservation() -> None:
    lost = call(None, state="unknown", output_tokens=None, reserved_usd=Decimal("0.75"))
    told = costs([call("0.5"), lost], budget_usd=None)
    assert (told.total.unsettled, told.total.held_usd, told.total.cost_usd) == (1, Decimal("0.75"), None)


def test_a_call_that_was_refused_upstream_costs_nothing_and_hides_nothing() -> None:
    told = costs([call("0.5"), call(None, state="released")], budget_usd=None)
    assert (told.total.calls, told.total.cost_usd, told.total.held_usd) == (1, Decimal("0.5"), Decimal(0))


def test_no_call_at_all_costs_zero() -> None:
    assert costs([], budget_usd=None).total.cost_usd == Decimal(0)
