"""What people read first of a story."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from receiver.store.money.spending import costs
from receiver.store.story import Intervention, Moment, RunFacts, Story, turning_points
from receiver.workflow.audience import Audience

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def moment(event: str, verdict: str = "noted", *, after: str = "running", minutes: int = 0) -> Moment:
    return Moment(
        at=NOW + timedelta(minutes=minutes),
        event=event,
        verdict=verdict,
        reason=event,
        status_before="running",
        status_after=after,
        delivery=1,
        effect=None,
    )


def story(**changes: Any) -> Story:
    told = Story(
        run=RunFacts(
            id="aa",
            issue_key="PL-479",
            summary="",
            ticket_url="",
            reporter="",
            status="running",
            reason="",
            iteration=1,
            branch="",
            audience=Audience.PUBLIC,
            actor_name="",
            created_at=NOW,
            finished_at=None,
        ),
        plan=None,
        iterations=(),
        moments=(),
        effects=(),
        pipelines=(),
        reports=(),
        merge_requests=(),
        interventions=(),
        costs=costs([], budget_usd=Decimal(6)),
    )
    return replace(told, **changes)


@pytest.mark.parametrize(
    ("seen", "is_told"),
    [
        (moment("JobChanged"), False),
        (moment("PipelineChanged"), False),
        (moment("ReportsSettled"), False),
        (moment("MergeRequestChanged", "ignored"), False),
        (moment("ReportAccepted", "ignored"), False),
        (moment("PipelineChanged", after="escalated"), True),
        (moment("PipelineChanged", "acted"), True),
        (moment("IssueLabelled", "acted"), True),
        (moment("ReportAccepted"), True),
        (moment("ReportDiscarded"), True),
        (moment("EffectGaveUp"), True),
        (moment("JobRefused", "refused"), True),
    ],
)
def test_what_moved_the_run_had_effects_or_was_found_is_told_first(seen: Moment, is_told: bool) -> None:  # noqa: FBT001  # a table
    assert (turning_points(story(moments=(seen,))) == (seen,)) is is_told


def test_what_people_had_to_do_stands_in_its_place_and_an_escalation_is_told_once() -> None:
    before, after = moment("IssueLabelled", "acted"), moment("DeadlinePassed", after="escalated", minutes=9)
    commit = Intervention(at=NOW + timedelta(minutes=5), kind="commit", actor="mara", detail="c0ffee on bug-fix/x")
    escalation = Intervention(at=after.at, kind="escalation", actor="", detail="Two tests fail.")
    told = turning_points(story(moments=(before, after), interventions=(commit, escalation)))
    assert [one.reason for one in told] == ["IssueLabelled", "mara: commit c0ffee on bug-fix/x", "DeadlinePassed"]
