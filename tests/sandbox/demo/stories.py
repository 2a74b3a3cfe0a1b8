"""Stories as the demo reads them, for tests: nothing has happened but what a test says."""

from decimal import Decimal

from sandbox.demo.story import Cost, Costs, Moment, Pipeline, RunFacts, Story

NOTHING = Cost(
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


def a_story(
    *, status: str = "running", reason: str = "", pipelines: tuple[Pipeline, ...] = (), moments: tuple[Moment, ...] = ()
) -> Story:
    """Return the story of a run of PL-1."""
    return Story(
        run=RunFacts(id="1", issue_key="PL-1", summary="", status=status, iteration=1, reason=reason),
        pipelines=pipelines,
        reports=(),
        merge_requests=(),
        indicators=(),
        costs=Costs(total=NOTHING, by_phase={}),
        moments=moments,
    )
