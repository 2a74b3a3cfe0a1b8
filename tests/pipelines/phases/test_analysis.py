"""What analysis concluded is told in words."""

from pipelines.language import PlanOutcome
from pipelines.phases import analysis


def test_an_outcome_is_told_in_words() -> None:
    assert analysis._words(PlanOutcome.NEEDS_INFORMATION) == "Needs information"
    assert not [one for one in PlanOutcome if "_" in analysis._words(one)]
