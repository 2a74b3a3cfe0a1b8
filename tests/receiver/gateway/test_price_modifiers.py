"""What the answer says about its price decides; what is not known makes the cost unknown, never standard."""

from decimal import Decimal
from typing import Any

import pytest

from receiver.gateway.price_modifiers import FACTORS, LARGEST, price_factor, unpriced

ONE, US = Decimal(1), Decimal("1.1")
COUNTS: dict[str, Any] = {
    "input_tokens": 5,
    "output_tokens": 9,
    "cache_creation_input_tokens": 4,
    "cache_creation": {"ephemeral_5m_input_tokens": 4},
    "output_tokens_details": {"thinking_tokens": 3},
}


@pytest.mark.parametrize(
    ("said", "factor"),
    [
        ({}, ONE),
        ({"inference_geo": "global", "service_tier": "standard", "speed": "standard"}, ONE),
        ({"inference_geo": None, "service_tier": None}, ONE),
        ({"inference_geo": "not_available"}, ONE),
        ({"inference_geo": "us"}, US),
        ({"inference_geo": "us", "service_tier": "standard"}, US),
        ({"inference_geo": "eu"}, None),
        ({"inference_geo": ["us"]}, None),
        ({"service_tier": "priority"}, None),
        ({"service_tier": "batch"}, None),
        ({"service_tier": "priority", "inference_geo": "us"}, None),
        ({"speed": "fast"}, None),
        ({"server_tool_use": {"web_search_requests": 0}}, ONE),
        ({"server_tool_use": {"web_search_requests": 2}}, None),
        ({"server_tool_use": None, "fallback_credit": None}, ONE),
        ({"fallback_credit": {"status": "redeemed"}}, None),
        ({"iterations": None}, ONE),
        ({"iterations": 2}, None),
        ({"iterations": ["message"]}, None),
        ({"iterations": [{"type": "message", "input_tokens": 5}]}, ONE),
        ({"iterations": [{"type": "message"}, {"type": "compaction", "input_tokens": 5}]}, None),
        ({"audio_input_tokens": 7}, None),
        ({"discount": "none of your business"}, None),
        ({"surcharges": {"weekend": 0}}, ONE),
        ({"surcharges": [{"weekend": 1}]}, None),
        ({"input_tokens_details": {"text_tokens": 5}}, ONE),
    ],
)
def test_a_modifier_counts_and_an_unknown_one_makes_the_price_unknown(said: dict[str, Any], factor: Any) -> None:
    assert price_factor(COUNTS | said) == factor


def test_the_log_names_what_was_not_known_and_not_its_value() -> None:
    said = {"service_tier": "priority", "inference_geo": "us", "x" * 60: "secret"}
    assert unpriced(COUNTS | said) == f"service_tier, {'x' * 40}"


def test_reservations_are_made_with_the_largest_factor() -> None:
    assert max(factor for values in FACTORS.values() for factor in values.values()) == LARGEST
