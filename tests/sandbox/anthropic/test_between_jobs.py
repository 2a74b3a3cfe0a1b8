"""Time that passes between jobs: simulated, before each conversation, so that cache entries age."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx2
import msgspec
import pytest

from sandbox.scenario_format import ModelWorld, Scenario

LONG = "All of these words are in the cache. " * 600


@pytest.fixture
def minutes() -> float:
    return 3.0


@pytest.fixture
def scenario(scenario: Scenario, minutes: float) -> Scenario:
    return msgspec.structs.replace(scenario, model=ModelWorld(minutes_between_jobs=minutes))


def ask(http: httpx2.Client, body: Callable[..., dict[str, Any]], *, ttl: str, system: str = LONG) -> dict[str, Any]:
    block = {"type": "text", "text": system, "cache_control": {"type": "ephemeral", "ttl": ttl}}
    answer = http.post("/v1/messages", json=body(system=[block]))
    usage: dict[str, Any] = answer.raise_for_status().json()["usage"]
    return usage


@pytest.mark.parametrize(("minutes", "ttl", "hits"), [(3, "5m", 1), (6, "5m", 0), (6, "1h", 1), (61, "1h", 0)])
def test_an_entry_outlives_the_time_between_two_jobs_or_not(
    ttl: str, hits: int, http: httpx2.Client, request_body: Callable[..., dict[str, Any]]
) -> None:
    ask(http, request_body, ttl=ttl)
    assert int(ask(http, request_body, ttl=ttl)["cache_read_input_tokens"] > 0) == hits


def test_the_books_tell_equal_prefixes_and_the_price_without_a_cache(
    http: httpx2.Client, request_body: Callable[..., dict[str, Any]], books: Callable[[], dict[str, Any]]
) -> None:
    for system in (LONG, LONG, f"{LONG}!"):
        ask(http, request_body, ttl="1h", system=system)
    told = books()
    first, second, other = (row["prefix"] for row in told["rows"])
    assert first == second != other
    # both prefixes are written at twice the price, the one that is read costs a twentieth
    assert Decimal(told["totals"]["cost_without_cache_usd"]) < Decimal(told["totals"]["cost_usd"])
    for _ in range(10):
        ask(http, request_body, ttl="1h")
    told = books()
    assert Decimal(told["totals"]["cost_without_cache_usd"]) > Decimal(told["totals"]["cost_usd"])
