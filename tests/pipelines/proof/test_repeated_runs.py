"""The order of a reproduction's runs is drawn from all that there are, and runs on the same code have to agree."""

from __future__ import annotations

from collections import Counter

import pytest

from pipelines.proof.repeated_runs import PLANS, RUNS, Side, together
from pipelines.proof.reproduction_verdict import ReproductionVerdict

RED = ReproductionVerdict(holds=True, reason="500")
NOT_RED = ReproductionVerdict(holds=False, reason="It passes.")


def test_each_order_has_both_sides_and_tells_nothing_of_what_was_installed_first() -> None:
    assert all(len(plan.order) == RUNS and set(plan.order) == set(Side) for plan in PLANS)
    assert Counter(plan.prepared for plan in PLANS) == {tuple(Side): 6, tuple(reversed(Side)): 6}
    assert len({plan.order for plan in PLANS}) == 6


@pytest.mark.parametrize("place", range(RUNS))
def test_a_place_in_the_order_tells_no_side(place: int) -> None:
    assert len(set(Counter(plan.order[place] for plan in PLANS).values())) == 1


def test_runs_that_agree_say_what_each_says() -> None:
    assert together([RED, RED]) == together([RED]) == RED
    assert together([NOT_RED]) == NOT_RED


def test_runs_on_the_same_code_that_differ_say_nothing() -> None:
    found = together([RED, NOT_RED])
    assert not found.holds
    assert found.reason == "It does not end alike each time it runs on the same code: It passes."
