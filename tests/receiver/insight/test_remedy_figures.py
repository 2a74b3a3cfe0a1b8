"""How far remedies came, counted from the state in which each is."""

from decimal import Decimal

from receiver.insight.remedy_figures import RemedyCount, figures
from receiver.insight.shares import share
from receiver.workflow.remedy_state import RemedyState


def counted(remedy: str, **states: int) -> list[RemedyCount]:
    return [
        RemedyCount(remedy=remedy, tier=1, confidence=Decimal(1), state=RemedyState(state), count=count)
        for state, count in states.items()
    ]


def test_what_came_further_counts_for_each_step_before() -> None:
    (found,) = figures(counted("formatting", matched=1, verified=2, red=3, shown=4, accepted=5, rejected=6, reverted=7))
    assert found.matched == 1 + 2 + 3 + 4 + 5 + 6 + 7
    assert found.verified == share(2 + 4 + 5 + 6 + 7, 2 + 3 + 4 + 5 + 6 + 7)
    assert found.shown == 4 + 5 + 6 + 7
    assert found.accepted == share(5 + 7, 5 + 6 + 7)
    assert found.rejected == 6
    assert found.reverted == share(7, 5 + 7)


def test_the_most_often_matched_comes_first() -> None:
    found = figures([*counted("b", red=1), *counted("a", red=1), *counted("c", matched=2)])
    assert [one.remedy for one in found] == ["c", "a", "b"]
    assert found[0].verified == share(0, 0)
