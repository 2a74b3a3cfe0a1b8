"""How far remedies come: shares with intervals that say how little few cases tell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.insight.remedy_figures import figures, wilson
from receiver.workflow.remedy_state import RemedyState

S = RemedyState


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (5, 10, 0.2366, 0.7634),
        (10, 10, 0.7225, 1.0),
        (1, 1, 0.2065, 1.0),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_the_interval_is_wilsons(count: int, of: int, low: float, high: float) -> None:
    """The last row is R. G. Newcombe's example (1998), without continuity correction."""
    found = wilson(count, of)
    assert found.low == pytest.approx(low, abs=1e-4)
    assert found.high == pytest.approx(high, abs=1e-4)


def test_of_nothing_nothing_is_known() -> None:
    assert (wilson(0, 0).low, wilson(0, 0).high) == (None, None)


@given(st.integers(1, 500).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_the_share_lies_in_its_interval(case: tuple[int, int]) -> None:
    found = wilson(*case)
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= case[0] / case[1] <= found.high <= 1


@given(st.dictionaries(st.sampled_from(RemedyState), st.integers(0, 50)))
def test_parts_add_up(counts: dict[RemedyState, int]) -> None:
    (one,) = figures({"formatting": counts})
    assert one.matched == sum(counts.values())
    assert one.verified.of + counts.get(S.MATCHED, 0) == one.matched
    assert one.verified.count == one.shown + counts.get(S.VERIFIED, 0)
    assert one.accepted.count + one.rejected == one.accepted.of
    assert one.accepted.of + counts.get(S.SHOWN, 0) == one.shown
    assert one.reverted.of == one.accepted.count
