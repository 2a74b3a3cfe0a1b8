"""A model that asks for more than its run's budget gets no answer, and people get the reason.

Cheaper tests show its parts: tests/receiver/web/gateway/test_books.py that nothing is overspent,
tests/pipelines/agents/test_loop.py that the refusal ends the conversation with its reason. `--nightly` plays it whole.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

pytestmark = [pytest.mark.acceptance, pytest.mark.nightly, pytest.mark.timeout(1600)]


@pytest.fixture(scope="module")
def spender(stage: Any) -> Iterator[Any]:
    with stage("over-budget") as played:
        yield played


def test_the_run_ends_with_the_budget_and_says_so(spender: Any) -> None:
    assert spender.played.surprises == (), spender.story["run"]["reason"]
    reason = spender.story["run"]["reason"]
    assert "The run's budget of $0.60 can't fund this call" in reason
    assert "Raise policy.budget_usd.run" in reason
    assert "{'type'" not in reason
    assert "What the money went on is in the run's story." in reason
    assert "to the ticket" not in reason, "nothing that is written there changes the budget"


def test_not_one_call_more_was_made_and_the_books_agree(spender: Any) -> None:
    total = spender.story["costs"]["total"]
    assert 0 < Decimal(str(total["cost_usd"])) < Decimal("0.60")
    assert total["calls"] < 8  # the script would have gone on
    assert spender.document["books_equal"] is True


def test_the_refusal_is_in_the_story(spender: Any) -> None:
    refusals = [one for one in spender.story["moments"] if one["event"] == "JobRefused"]
    assert [(one["verdict"], "budget of $0.60" in one["reason"]) for one in refusals] == [("refused", True)]
    assert "analysis was refused" in spender.command("explain", "PL-479")
