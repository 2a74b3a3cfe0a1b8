"""Decide what is done about remedies that a merge request offers. Performs no I/O."""

from __future__ import annotations

from pipelines.language import ProjectPath
from receiver.workflow.effects import Effect, ShowRemedies, UpdateMergeRequestNote
from receiver.workflow.events.remedy_events import RemedyTold
from receiver.workflow.outcomes import acted, noted
from receiver.workflow.remedy_state import RemedyState
from receiver.workflow.run import Decision, Learned, Run


def looks(run: Run, repository: ProjectPath) -> tuple[Effect, ...]:
    """Return the look at what a merge request offers that is wanted after something happened to it."""
    shown = {RemedyState.VERIFIED, RemedyState.SHOWN, RemedyState.ACCEPTED}
    own = (one for one in run.remedies if one.repository == repository)
    is_wanted = any(one.is_offered and one.state in shown for one in own)
    return (ShowRemedies(repository=repository),) if is_wanted else ()


def told(event: RemedyTold, run: Run, *, learned: Learned) -> Decision:
    """Tell people what became of a remedy."""
    name = next(
        (one.remedy for one in run.remedies if (one.iteration, one.repository) == (event.iteration, event.repository)),
        "A remedy",
    )
    said = f"{name} in {event.repository} is {event.state}. {event.sentence}".strip()
    return acted(said, UpdateMergeRequestNote(repository=event.repository)) if learned.is_new else noted(said)
