"""Shares and where they lie."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.insight.shares import share

# R: prop.test(x, n, correct = FALSE)$conf.int
KNOWN = [(0, 1, 0.0, 0.7935), (8, 10, 0.4902, 0.9433), (10, 10, 0.7225, 1.0), (47, 52, 0.7939, 0.9582)]


@pytest.mark.parametrize(("count", "of", "low", "high"), KNOWN)
def test_the_interval_is_wilsons(count: int, of: int, low: float, high: float) -> None:
    found = share(count, of)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_of_nothing_there_is_no_share() -> None:
    found = share(0, 0)
    assert (found.value, found.low, found.high) == (None, None, None)
    for count, of in ((2, 1), (-1, 1)):
        with pytest.raises(ValueError, match="no share"):
            share(count, of)


@given(st.integers(1, 10_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_the_share_lies_in_its_interval_and_more_observations_make_it_narrower(counted: tuple[int, int]) -> None:
    count, of = counted
    found, more = share(count, of), share(4 * count, 4 * of)
    assert found.value is not None
    assert 0 <= found.low <= found.value <= found.high <= 1  # type: ignore[operator]  # of something
    assert more.high - more.low < found.high - found.low  # type: ignore[operator]
