"""How far one conversation of an agent may go."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct


class Limits(Struct, frozen=True, kw_only=True):
    """Bounds of one agent conversation; whichever is reached first ends it."""

    max_turns: int = 40
    max_cost_usd: Decimal = Decimal("3.00")
    max_seconds: int = 1800
