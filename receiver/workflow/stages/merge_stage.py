"""Decide what looks at merge requests lead to, and when one is wanted. Performs no I/O."""

from __future__ import annotations

from pipelines.language import ProjectPath
from pipelines.language.catalogue import Catalogue
from pipelines.language.policy import MergePolicy
from receiver.workflow.effects import Effect, MergeWhenReady, RebaseMergeRequest
from receiver.workflow.events.merge_request_events import FOR_PEOPLE, MergeAnswer, MergeJudged
from receiver.workflow.outcomes import acted, noted, tell
from receiver.workflow.run import Decision, Learned, Run, RunStatus


def wanted(run: Run, repository: ProjectPath, catalogue: Catalogue) -> tuple[Effect, ...]:
    """Return the look at a merge request that is wanted after something happened to it, if the workflow merges."""
    if catalogue.policy.merge is MergePolicy.MANUAL or run.status is not RunStatus.IN_REVIEW:
        return ()
    return (MergeWhenReady(iteration=run.iteration, repository=repository),)


def judged(event: MergeJudged, run: Run, *, learned: Learned, catalogue: Catalogue) -> Decision:
    """Tell people what is theirs to do, let GitLab rebase, and look at those that come next after a merge."""
    name = f"{event.repository}!{event.iid}"
    match event.answer:
        case MergeAnswer.REBASE:
            begin = RebaseMergeRequest(iteration=run.iteration, repository=event.repository, head_sha=event.head_sha)
            return acted(f"{name}: {event.sentence} GitLab rebases it.", begin, *_gone(run, learned))
        case MergeAnswer.MERGED:
            others = (m for m in run.merge_requests if m.repository != event.repository and m.state == "opened")
            looks = (look for one in others for look in wanted(run, one.repository, catalogue))
            return acted(f"{name}: {event.sentence}", *looks, *tell(run))
        case answer if answer in FOR_PEOPLE and learned.is_new:
            return acted(f"{name}: {event.sentence}", *tell(run))
        case _ if gone := _gone(run, learned):
            return acted(f"{name}: {event.sentence}", *gone)
        case _:
            return noted(f"{name}: {event.sentence}")


def _gone(run: Run, learned: Learned) -> tuple[Effect, ...]:
    """Return the notes that still ask people for what is done by now."""
    return tell(run) if learned.is_new and learned.was_for_people else ()
