"""The order of tests: what each worker of pytest-xdist begins with, so that none is left alone with a long one."""

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")

KINDS = ("acceptance", "integration")
"""Markers of tests that take long, the longest first; the others are short and can be shared out at the end."""

DEMOS = "acceptance"
"""The folder whose modules look at the same demos: on two workers, one would wait for the other to play."""


class Place(NamedTuple):
    """Where a test belongs."""

    kind: int
    """Its place in KINDS; len(KINDS) for others."""
    module: Hashable
    """Tests of one module share fixtures, so they stay together; those of DEMOS count as one."""


def place(item: Any) -> Place:
    """Return where a test of pytest belongs."""
    kind = next((number for number, name in enumerate(KINDS) if item.get_closest_marker(name)), len(KINDS))
    return Place(kind, item.path.parent if item.path.parent.name == DEMOS else item.path)


def shared_out(places: Sequence[tuple[Place, T]], *, workers: int) -> list[T]:
    """Return tests in the order that gives each worker long modules first, in turn, and short tests to fill its share.

    The scheduler `worksteal` gives the first n-th of all tests to the first worker, and so on; workers that have
    finished take from the end of the longest queue.
    """
    sizes = [(len(places) + number) // workers for number in range(workers)]
    shares: list[list[T]] = [[] for _ in range(workers)]
    rest: list[T] = []
    turn = 0
    for kind in range(len(KINDS)):
        modules: dict[Hashable, list[T]] = {}
        for where, test in places:
            if where.kind == kind:
                modules.setdefault(where.module, []).append(test)
        for tests in modules.values():
            number = turn % workers
            room = sizes[number] - len(shares[number])
            shares[number] += tests[:room]
            rest += tests[room:]
            turn += 1
    rest += [test for where, test in places if where.kind == len(KINDS)]
    for share, size in zip(shares, sizes, strict=True):
        missing = size - len(share)
        share.extend(rest[:missing])
        del rest[:missing]
    return [test for share in shares for test in share]
