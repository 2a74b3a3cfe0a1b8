"""Decide what it means that people restricted a run's ticket while the run went on. Performs no I/O."""

from __future__ import annotations

from typing import Final

from receiver.workflow.effects import (
    AskReporter,
    AttachEvidence,
    Effect,
    NeutraliseMergeRequest,
    OpenMergeRequest,
    PostPlan,
    StartPipeline,
    StartTargetPipeline,
    UpdateMergeRequestNote,
    UpdateTicketNote,
)
from receiver.workflow.events import IssueRestricted
from receiver.workflow.outcomes import acted, ignored, tell
from receiver.workflow.run import Decision, Run, RunStatus
from receiver.workflow.start import neutral_branch

TELLING: Final[frozenset[type[Effect]]] = frozenset(
    {
        StartPipeline,
        OpenMergeRequest,
        StartTargetPipeline,
        AttachEvidence,
        UpdateMergeRequestNote,
        UpdateTicketNote,
        AskReporter,
        PostPlan,
    }
)
"""Effects that let people know what was found: before each, Jira is asked whether the ticket is restricted by now."""

_UNUSED: Final = frozenset(
    {RunStatus.STARTING, RunStatus.RUNNING, RunStatus.NEEDS_INFORMATION, RunStatus.AWAITING_APPROVAL}
)
"""Statuses in which nothing stands on the run's branch. While merge requests are opened, each push looks for itself."""


def restricted(event: IssueRestricted, before: Run, run: Run) -> Decision:
    """Make all that people read of the run say nothing of what was found; `before`: the run without the event."""
    level = f"The ticket has the security level {event.level[:100]}"
    what = level if event.level else "Jira shows us the ticket no more"
    if before.confidential:
        return ignored(f"{what}; the run is confidential already.")
    return acted(
        f"{what}: the run is confidential from here on, and stays so.",
        *(NeutraliseMergeRequest(repository=one.repository) for one in run.merge_requests),
        *tell(run),
        branch=neutral_branch(run) if run.status in _UNUSED else None,
    )
