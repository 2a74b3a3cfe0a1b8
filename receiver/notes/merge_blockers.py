"""Sentences on what blocks the merge of a merge request, and remarks that do not block it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipelines.language import ProjectPath, Severity
from receiver.notes.view import NoteView
from receiver.workflow.run import RunStatus
from receiver.workflow.stages.target_pipeline_status import TargetPipelineStatus

DONE = frozenset({RunStatus.IN_REVIEW, RunStatus.MERGED})
"""Statuses in which the run's reason does not block the merge."""


UNTOLD: Final = "The reason is told in the run's story."

OWN: Final = {
    TargetPipelineStatus.WAITS: "Its own pipeline waits for approval; it starts when somebody who may approves this.",
    TargetPipelineStatus.FAILED: "Its own pipeline failed.",
}

NOBODY: Final = (
    "When it was opened, nobody was found to ask for a review. If there still is no reviewer, choose one, or name some "
    "in bug-fix.yml or CODEOWNERS."
)


def of(view: NoteView, repository: ProjectPath) -> tuple[str, ...]:
    """Return why the merge request of a repository should not be merged now, the most important reason first.

    Leaves out what GitLab itself shows beside its merge button: conflicts, open threads, missing approvals.
    """
    return tuple(_sentences(view, repository)) if view.status is not RunStatus.MERGED else ()


def remarks(view: NoteView, repository: ProjectPath) -> tuple[str, ...]:
    """Return remarks that do not block the merge, as of when the merge request was opened, or on what came after it."""
    mine = view.merge_request(repository)
    if mine is not None and mine.outcome:
        return (mine.outcome,)
    if view.status is not RunStatus.IN_REVIEW or mine is None or mine.state != "opened":
        return ()
    return (NOBODY,) if mine.is_nobody_asked else ()


def _sentences(view: NoteView, repository: ProjectPath) -> Iterator[str]:
    if view.status not in DONE and view.reason:
        yield view.reason if view.is_told else UNTOLD
    if view.status is not RunStatus.IN_REVIEW:
        return
    fix = view.fix(repository)
    wrong = fix.review.count(Severity.MUST_FIX) if fix.review else 0
    if wrong:
        things = "one thing" if wrong == 1 else f"{wrong} things"
        yield f"The reviewing agent found {things} that must be fixed; see the description."
    mine = view.merge_request(repository)
    if mine is not None and mine.target_pipeline in OWN:
        yield OWN[mine.target_pipeline]
    if mine is not None and mine.merge_blocker:
        yield mine.merge_blocker if view.is_told else UNTOLD
    for other in view.merge_requests:
        if mine is not None and other.wave < mine.wave and other.state != "merged":
            yield f"{other.repository}!{other.iid} goes first: the catalogue deploys it before this one."
