"""Select the key events of a story: status changes, reports, interventions. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from receiver.store.jobs.job_refusals import VERDICT
from receiver.store.story.history import Moment
from receiver.store.story.story import Story
from receiver.workflow.events.pipeline_events import ReportAccepted, ReportDiscarded
from receiver.workflow.events.run_events import EffectGaveUp

TOLD: Final = frozenset({ReportAccepted.__name__, ReportDiscarded.__name__, EffectGaveUp.__name__})
"""Events that are key events even without a status change, if their verdict is `noted`."""

INTERVENTION: Final = "intervention"


def turning_points(story: Story) -> tuple[Moment, ...]:
    """Return status changes, decisions with effects, reports, refusals and interventions, in chronological order."""
    moved = [moment for moment in story.moments if is_turning_point(moment)]
    return tuple(sorted([*moved, *_interventions(story)], key=lambda moment: moment.at))


def is_turning_point(moment: Moment) -> bool:
    """Return whether a moment is a key event."""
    moved = moment.status_after is not None and moment.status_after != moment.status_before
    return moved or moment.verdict in {"acted", VERDICT} or (moment.event in TOLD and moment.verdict == "noted")


def _interventions(story: Story) -> Iterator[Moment]:
    for one in story.interventions:
        if one.kind != "escalation":  # the status change tells it already
            yield Moment(
                at=one.at,
                event=INTERVENTION,
                verdict="noted",
                reason=f"{one.actor or 'Somebody'}: {one.kind.replace('_', ' ')} {one.detail}".strip(),
                status_before=None,
                status_after=None,
                delivery=None,
                effect=None,
            )
