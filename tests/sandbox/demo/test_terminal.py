"""What a demo prints without a terminal."""

import io
from decimal import Decimal

from rich.console import Console

from sandbox.demo.story import Cost, Costs, Moment, RunFacts, Story
from sandbox.demo.terminal import PlainScreen


def moment(before: str | None, after: str | None, reason: str) -> Moment:
    return Moment(event="", reason=reason, status_before=before, status_after=after)


def told(*moments: Moment) -> Story:
    nothing = Cost(
        calls=0,
        uncached=0,
        cache_read=0,
        cache_write_5m=0,
        cache_write_1h=0,
        output=0,
        cost_usd=Decimal(0),
        known_usd=Decimal(0),
        unsettled=0,
    )
    run = RunFacts(id="1", issue_key="PL-1", summary="", status="running", iteration=1, reason=moments[-1].reason)
    return Story(
        run=run,
        pipelines=(),
        reports=(),
        merge_requests=(),
        indicators=(),
        costs=Costs(total=nothing, by_phase={}),
        moments=moments,
    )


def test_a_status_that_lasted_between_two_looks_only_is_told_and_each_once() -> None:
    printed = io.StringIO()
    screen = PlainScreen(Console(file=printed, width=200))
    waiting = moment(None, "awaiting_approval", "The plan waits.")
    screen.show(told(waiting), 0)
    screen.show(
        told(
            waiting,
            moment("awaiting_approval", "awaiting_approval", "Heard."),
            moment("awaiting_approval", "starting", "Mara approved the plan."),
            moment("starting", "running", "Pipeline 3 works."),
        ),
        0,
    )
    assert printed.getvalue().splitlines() == [
        "PL-1: awaiting approval. The plan waits.",
        "PL-1: starting. Mara approved the plan.",
        "PL-1: running. Pipeline 3 works.",
    ]
