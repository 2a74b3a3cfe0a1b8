"""Switches that are used up: each applies to so many of the things that it is for."""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import msgspec


class Fault(Protocol):
    """What a switch does; it is used up after `times`."""

    @property
    def times(self) -> int:
        """How many things it is for."""


F = TypeVar("F", bound=Fault)


class Switches(Generic[F]):
    """The switches that are on, in the order in which they were turned on."""

    def __init__(self) -> None:
        self._left: list[tuple[F, int]] = []

    def add(self, fault: F) -> None:
        """Turn a switch on."""
        self._left.append((fault, fault.times))

    def clear(self) -> None:
        """Turn all switches off."""
        self._left.clear()

    def active(self) -> list[dict[str, object]]:
        """List the switches with how often each still applies."""
        return [{"fault": msgspec.to_builtins(fault), "left": left} for fault, left in self._left]

    def take(self, is_for: Callable[[F], bool]) -> F | None:
        """Return the first switch that is for this, and count it; None without one."""
        for index, (fault, left) in enumerate(self._left):
            if is_for(fault):
                if left == 1:
                    del self._left[index]
                else:
                    self._left[index] = (fault, left - 1)
                return fault
        return None
