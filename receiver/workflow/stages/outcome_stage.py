"""Decide what follows from what became of a merged fix: it is recorded and told, and nothing else. Performs no I/O."""

from __future__ import annotations

from receiver.workflow.effects import WatchOutcome
from receiver.workflow.events.outcome_events import OutcomeSeen, RevertMerged
from receiver.workflow.outcomes import acted, ignored, noted, tell
from receiver.workflow.run import Decision, Learned, Run


def revert_merged(event: RevertMerged, run: Run) -> Decision:
    """Look at the target branch: the hook's word is not enough."""
    this = (event.project_id, event.iid)
    known = next((one for one in run.merge_requests if (one.project_id, one.iid) == this), None)
    if known is None or known.state != "merged":
        return ignored(f"!{event.by_iid} takes back !{event.iid}, which is no merged merge request of run {run.id}.")
    name = f"{known.repository}!{event.iid}"
    return acted(f"!{event.by_iid} takes {name} back; GitLab is asked.", WatchOutcome(repository=known.repository))


def seen(event: OutcomeSeen, run: Run, *, learned: Learned) -> Decision:
    """Tell what is news."""
    said = []
    if event.reverted_at is not None:
        said.append(f"Commit {event.reverted_by[:12]} took the fix in {event.repository} back.")
    if event.reopened_at is not None:
        said.append("The ticket was opened again after the fix was merged.")
    if not learned.is_new:
        return noted(f"The fix in {event.repository} was looked at: nothing is new.")
    if not said:
        return noted(f"People's thumbs on the note of {event.repository} are kept.")
    return acted(" ".join(said), *tell(run))
