"""The order in which workers get tests: long modules first, in turn, each whole; short tests fill up the shares."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.order import KINDS, Place, place, shared_out

PLACES = st.lists(st.tuples(st.integers(0, len(KINDS)), st.integers(0, 5)), max_size=60)


def shares_of(places: list[Place], workers: int) -> list[list[Place]]:
    """Return what the scheduler gives to each worker."""
    order = shared_out([(one, one) for one in places], workers=workers)
    shares = []
    for left in range(workers, 0, -1):
        size = len(order) // left
        shares.append(order[:size])
        order = order[size:]
    return shares


def test_long_modules_are_dealt_in_turn_and_short_tests_fill_the_shares() -> None:
    demos = [Place(0, name) for name in ("a", "a", "b", "c")]
    stores = [Place(1, "d"), Place(1, "e")]
    short = [Place(2, "f")] * 6
    first, second = shares_of([*short, *stores, *demos], 2)
    assert first == [*demos[:2], demos[3], stores[1], *short[:2]]
    assert second == [demos[2], stores[0], *short[:4]]


def test_modules_that_look_at_the_same_demos_are_on_one_worker() -> None:
    paths = [Path("tests/acceptance/test_a.py"), Path("tests/acceptance/test_b.py"), Path("tests/sandbox/test_c.py")]
    first, second, other = (place(SimpleNamespace(path=path, get_closest_marker="acceptance".__eq__)) for path in paths)
    assert first == second
    assert other == Place(0, paths[2])


@given(PLACES, st.integers(1, 4))
def test_no_test_is_lost_or_doubled_and_each_worker_has_its_long_ones_first(
    drawn: list[tuple[int, int]], workers: int
) -> None:
    places = sorted(Place(kind, module) for kind, module in drawn)
    shares = shares_of(places, workers)
    assert sorted(one for share in shares for one in share) == places
    long = [one for one in places if one.kind < len(KINDS)]
    if len(long) * workers <= len(places):  # none is split to fit
        for share in shares:
            assert [one.kind for one in share] == sorted(one.kind for one in share)
        for module in set(long):
            assert sum(module in share for share in shares) == 1


def test_tests_are_dealt_after_pytest_has_left_some_out(pytestconfig: pytest.Config) -> None:
    called = [one.plugin_name for one in reversed(pytestconfig.hook.pytest_collection_modifyitems.get_hookimpls())]
    ours = next(place for place, name in enumerate(called) if name.endswith("tests/conftest.py"))
    assert called.index("mark") < ours, "the shares would be counted with tests that are not run"
