"""What a hook of GitLab may tell: of its secret's projects only, and of an end only what GitLab confirms. No I/O.

So whoever knows a secret says nothing of other projects, and nothing that ends a run.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from pipelines.language import ProjectPath
from receiver.hooks.gitlab_secrets import speaks_for
from receiver.workflow import lifecycle
from receiver.workflow.effects import ConfirmEnd
from receiver.workflow.events import Event, JobChanged, MergeRequestChanged, NotePosted, PipelineChanged
from receiver.workflow.outcomes import ignored, noted
from receiver.workflow.run import Decision

TOLD_BY_GITLAB = PipelineChanged | JobChanged | MergeRequestChanged | NotePosted
"""Events of GitLab's hooks that can be about a run."""

_ENDED: Final = frozenset({"merged", "closed"})


class Subject(Struct, frozen=True, kw_only=True):
    """What a hook is about as we know it from our own requests, by its ids: the hook's names are its sender's words."""

    project: ProjectPath
    state: str | None = None
    """Of the run's pipeline or merge request; None: not known yet."""
    is_own_pipeline: bool = False
    """It is a pipeline of the run, or a child of one; false for what belongs to a repository."""


def doubted(event: Event, subject: Subject, *, scopes: tuple[str, ...] | None) -> Decision | None:
    """Return what is done instead of believing a hook; None: it is believed.

    `scopes`: the groups and projects of its secret; None: it was stored by a version that did not know them.
    """
    if scopes is not None and not speaks_for(scopes, subject.project):
        return ignored(
            f"The hook is about {subject.project}, and its secret speaks for {' and '.join(scopes)} only. If it is a "
            f"real one, give {subject.project} a secret of its own (docs/connect.md)."
        )
    match event:
        case PipelineChanged() if subject.is_own_pipeline and _is_end(event.status, subject.state):
            what = f"pipeline {event.pipeline} ended as {event.status}"
        case MergeRequestChanged() if event.state in _ENDED and event.state != subject.state:
            what = f"{subject.project}!{event.iid} is {event.state}"
        case _:
            return None
    return noted(f"A hook says that {what}; GitLab is asked whether it is so.", ConfirmEnd(told=event))


def _is_end(told: str, known: str | None) -> bool:
    return lifecycle.is_over(told) and (known is None or lifecycle.later(known, told) != known)
