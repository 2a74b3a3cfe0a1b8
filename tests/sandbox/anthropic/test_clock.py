"""The emulator's time: put forward by hand, and by turns that are only simulated to be slow."""

import asyncio
from datetime import UTC, datetime, timedelta

from sandbox.anthropic.clock import Clock, Pace

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def delayed(pace: Pace, seconds: float, *, left: bool = False) -> timedelta:
    clock = Clock(lambda: NOON, pace=pace)

    async def run() -> None:
        gone = asyncio.Event()
        if left:
            gone.set()
        await asyncio.wait_for(clock.delay(seconds, unless=gone), 60)

    asyncio.run(run())
    return clock.now() - NOON


def test_a_simulated_delay_moves_the_clock_and_returns_at_once() -> None:
    assert delayed(Pace.SIMULATED, 180) == timedelta(minutes=3)


def test_a_real_delay_leaves_the_clock_alone() -> None:
    assert delayed(Pace.REAL, 0.001) == timedelta()


def test_a_real_delay_ends_when_the_client_has_left() -> None:
    assert delayed(Pace.REAL, 600, left=True) == timedelta()


def test_a_clock_that_is_put_forward_stays_ahead() -> None:
    clock = Clock(lambda: NOON, pace=Pace.REAL)
    clock.advance(60)
    clock.advance(1)
    assert clock.now() == NOON + timedelta(seconds=61)
