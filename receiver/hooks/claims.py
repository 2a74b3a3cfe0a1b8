"""What a hook of GitLab may tell: of its secret's projects only, and of an end or something new only as a hint. No I/O.

What a hook tells is a hint, what GitLab answers is a fact. So whoever knows a secret says nothing of other projects,
ends nothing, and makes nothing a run's.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from pipelines.language import ProjectPath
from receiver.hooks.gitlab_secrets import speaks_for
from receiver.workflow import lifecycle
from receiver.workflow.effects import Confirm, Effect, SettleReports
from receiver.workflow.events.event import Event
from receiver.workflow.events.merge_request_events import MergeRequestChanged
from receiver.workflow.events.message_events import NotePosted
from receiver.workflow.events.pipeline_events import JobChanged, PipelineChanged
from receiver.workflow.outcomes import ignored, noted
from receiver.workflow.run import Decision

TOLD_BY_GITLAB = PipelineChanged | JobChanged | MergeRequestChanged | NotePosted
"""Events of GitLab's hooks that can be about a run."""

_ENDED: Final = frozenset({"merged", "closed"})


class Subject(Struct, frozen=True, kw_only=True):
    """What a hook is about as we know it from our own requests, by its ids: the hook's names are its sender's words."""

    project: ProjectPath
    state: str | None = None
    """Of the pipeline, job or merge request; None: not known yet."""
    iteration: int | None = None
    """Of the run's pipeline that it is, or belongs to; None for what belongs to a repository."""


def doubted(event: Event, subject: Subject, *, scopes: tuple[str, ...] | None) -> Decision | None:
    """Return what is done instead of believing a hook; None: it is believed.

    `scopes`: the groups and projects of its secret; None: it was stored by a version that did not know them.
    """
    if scopes is not None and not speaks_for(scopes, subject.project):
        return ignored(
            f"The hook is about {subject.project}, and its secret speaks for {' and '.join(scopes)} only. If it is a "
            f"real one, give {subject.project} a secret of its own (docs/connect.md)."
        )
    known, number = subject.state, subject.iteration
    asked: Effect
    match event:
        case PipelineChanged() if number is not None and (known is None or _is_end(event.status, known)):
            what, asked = f"pipeline {event.pipeline} is {event.status}", Confirm(told=event)
        case JobChanged() if number is not None and _ends_session(event.status, known):
            what = f"job {event.name} is {event.status}"
            asked = SettleReports(iteration=number, of_pipeline=(event.project_id, event.pipeline))
        case MergeRequestChanged() if known is None or (event.state in _ENDED and event.state != known):
            what, asked = f"{subject.project}!{event.iid} is {event.state}", Confirm(told=event)
        case _:
            return None
    return noted(f"A hook says that {what}; GitLab is asked whether it is so.", asked)


def _is_end(told: str, known: str) -> bool:
    return lifecycle.is_over(told) and lifecycle.is_news(told, known)


def _ends_session(told: str, known: str | None) -> bool:
    return told in lifecycle.WITHOUT_SESSION and lifecycle.is_news(told, known)
