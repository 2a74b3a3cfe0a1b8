"""Choose from a story what people read first: what moved the run, what was found, what people had to do. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from receiver.store.jobs.job_refusals import VERDICT
from receiver.store.story.history import Moment
from receiver.store.story.story import Story
from receiver.workflow.events import EffectGaveUp, ReportAccepted, ReportDiscarded

TOLD: Final = frozenset({ReportAccepted.__name__, ReportDiscarded.__name__, EffectGaveUp.__name__})
"""Events that are told though the run stays where it is, unless they mean nothing to it."""

INTERVENTION: Final = "intervention"


def turning_points(story: Story) -> tuple[Moment, ...]:
    """Return changes of status, decisions that had effects, reports, refusals and interventions, in order."""
    moved = [moment for moment in story.moments if is_turning_point(moment)]
    return tuple(sorted([*moved, *_interventions(story)], key=lambda moment: moment.at))


def is_turning_point(moment: Moment) -> bool:
    """Tell whether a moment is read first."""
    moved = moment.status_after is not None and moment.status_after != moment.status_before
    return moved or moment.verdict in {"acted", VERDICT} or (moment.event in TOLD and moment.verdict == "noted")


def _interventions(story: Story) -> Iterator[Moment]:
    for one in story.interventions:
        if one.kind != "escalation":  # that is a change of status, and told as such
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
