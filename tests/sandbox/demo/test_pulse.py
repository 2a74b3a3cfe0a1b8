"""When a sign of life is due: after a silence, from a thread that waits for nothing else."""

import threading
from collections.abc import Callable

from sandbox.demo.pulse import HEARTBEAT_S, Pulse


class Simulated(threading.Event):
    """The end of a demo, in simulated time: each wait passes at once, and in the first one something happens."""

    def __init__(self, *, waits: int) -> None:
        super().__init__()
        self.now = 0.0
        self.first: Callable[[], None] = lambda: None
        self._left = waits

    def wait(self, timeout: float | None = None) -> bool:
        """Let so much time pass."""
        self.now += timeout or 0.0
        self.first()
        self.first = lambda: None
        self._left -= 1
        return self._left < 0


def beats(world: Simulated, first: Callable[[Pulse], None]) -> list[float]:
    at: list[float] = []
    pulse = Pulse(lambda: at.append(world.now), every_s=1.5, clock=lambda: world.now, ended=world)
    world.first = lambda: first(pulse)
    pulse.run()
    return at


def test_silence_is_broken_again_and_again() -> None:
    assert beats(Simulated(waits=4), lambda _: None) == [1.5, 3.0, 4.5, 6.0]


def test_whoever_spoke_a_moment_ago_gives_no_sign_of_life_before_the_next_silence() -> None:
    assert beats(Simulated(waits=3), Pulse.spoke) == [3.0, 4.5]


def test_a_machine_that_stood_still_gives_one_sign_of_life_and_no_volley() -> None:
    world = Simulated(waits=3)

    def stands_still(_: Pulse) -> None:
        world.now += 10

    assert beats(world, stands_still) == [11.5, 13.0, 14.5]


def test_less_than_two_seconds_are_between_two_signs_of_life() -> None:
    assert HEARTBEAT_S < 2


def test_it_beats_by_itself_during_the_block_and_not_after_it() -> None:
    beaten = threading.Event()
    with Pulse(beaten.set, every_s=0) as pulse:
        assert beaten.wait(60)
    thread = pulse._thread
    assert thread is not None
    assert not thread.is_alive()
