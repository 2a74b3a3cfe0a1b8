"""Judge whether a merge request is merged now. Pure: one function from facts to a judgement, a table of hindrances.

Order says which sentence people get where several hold: what only people can do comes first, what is merely expected
later, and GitLab's own word last.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from pipelines.language.policy import MergePolicy
from receiver.workflow.lifecycle import Progress, meaning
from receiver.workflow.merging import counted_approvals
from receiver.workflow.merging.merge_facts import HeadOrigin, MergeFacts, TrainState
from receiver.workflow.merging.merge_statuses import Meaning, status_of


class Merge(Struct, frozen=True, kw_only=True):
    """Merge exactly this head."""

    sha: str
    by_train: bool
    """By the project's merge train."""
    approved_by: tuple[str, ...]


class Wait(Struct, frozen=True, kw_only=True):
    """Something that is expected has not happened yet."""

    why: str
    is_short: bool = False
    """GitLab knows in a moment: ask again."""


class Block(Struct, frozen=True, kw_only=True):
    """Somebody has to do something first."""

    sentence: str


class Rebase(Struct, frozen=True, kw_only=True):
    """Let GitLab rebase it, once."""

    sha: str
    sentence: str


class NewAttempt(Struct, frozen=True, kw_only=True):
    """It conflicts with its target: what was tested can't be merged, another attempt has to be made."""

    sentence: str


class PeopleMerge(Struct, frozen=True, kw_only=True):
    """Nothing of ours merges it, whoever approves."""

    why: str


Judgement = Merge | Wait | Block | Rebase | NewAttempt | PeopleMerge


def judge(facts: MergeFacts) -> Judgement:
    """Return what is to be done about a merge request."""
    for look in _LOOKS:
        found = look(facts)
        if found is not None:
            return found
    names = tuple(one.name for one in counted_approvals.counted(facts))
    return Merge(sha=facts.head_sha, by_train=facts.train is TrainState.OFF, approved_by=names)


def _is_over(facts: MergeFacts) -> Judgement | None:
    if facts.state == "locked":  # while GitLab merges it
        return Wait(why="GitLab is merging it.", is_short=True)
    return None if facts.state == "opened" else Block(sentence=f"It is {facts.state}.")


def _manual(facts: MergeFacts) -> Judgement | None:
    return (
        PeopleMerge(why="People merge here: `policy.merge` is manual.") if facts.merge is MergePolicy.MANUAL else None
    )


def _unproven(facts: MergeFacts) -> Judgement | None:
    if facts.origin is not HeadOrigin.UNPROVEN:
        return None
    return PeopleMerge(
        why=f"Commit {facts.head_sha[:12]} at its head is not what was tested here. Look at it and merge it by hand."
    )


def _contradicted(facts: MergeFacts) -> Judgement | None:
    if not facts.contradicted:
        return None
    count = len(facts.contradicted)
    tests = f"{facts.contradicted[0]} fails" if count == 1 else f"{count} tests of the base commit fail"
    return PeopleMerge(
        why=f"{tests} on the changed code, or can't be built: running can't tell whether that shows the bug or a "
        "regression. Look at them and merge it by hand."
    )


def _must_fix(facts: MergeFacts) -> Judgement | None:
    if not facts.must_fix:
        return None
    return PeopleMerge(why="The reviewing agent found what must be fixed; see the description, and merge it by hand.")


def _riding(facts: MergeFacts) -> Judgement | None:
    if facts.train is TrainState.RIDING:
        return Wait(why="It is on the merge train.")
    if facts.train is TrainState.LEFT:
        return Block(sentence="It came off the merge train; its last note says why. Put it on again by hand.")
    return None


def _rebasing(facts: MergeFacts) -> Judgement | None:
    return Wait(why="GitLab is rebasing it.", is_short=True) if facts.is_rebasing else None


def _may_not(facts: MergeFacts) -> Judgement | None:
    if facts.may_merge:
        return None
    return Block(
        sentence=f"Our bot may not merge into `{facts.target_branch}`. Allow it in the settings of protected branches, "
        "or merge by hand."
    )


def _blocked(facts: MergeFacts) -> Judgement | None:
    """Tell what GitLab says that only people can mend, before anybody is asked to approve."""
    if facts.is_draft:
        return Block(sentence=status_of("draft_status").sentence)
    found = status_of(facts.status)
    if found.meaning is Meaning.CONFLICT:
        return NewAttempt(sentence=found.sentence)
    return Block(sentence=found.sentence) if found.meaning is Meaning.BLOCKED else None


def _threads(facts: MergeFacts) -> Judgement | None:
    count = facts.open_threads
    if not count:
        return None
    return Block(
        sentence=f"{'A thread is' if count == 1 else f'{count} threads are'} not resolved. Resolve all threads."
    )


def _after(facts: MergeFacts) -> Judgement | None:
    return Wait(why=f"{facts.goes_after[0]} goes first.") if facts.goes_after else None


def _approvals(facts: MergeFacts) -> Judgement | None:
    left = counted_approvals.missing(facts)
    if not left:
        return None
    ignored = [f"{one.name} {why}" for one in facts.approvals if (why := counted_approvals.why_not(one, facts))]
    more = "one more approval" if left == 1 and facts.approvals else "an approval" if left == 1 else f"{left} approvals"
    return Wait(why=f"It waits for {more}.{''.join(f' {one}.' for one in ignored)}")


def _rebase(facts: MergeFacts) -> Judgement | None:
    found = status_of(facts.status)
    if found.meaning is not Meaning.REBASE:
        return None
    if facts.was_rebased:
        return Block(sentence="GitLab was asked once to rebase it, and that is not enough. Rebase it by hand.")
    return Rebase(sha=facts.head_sha, sentence=found.sentence)


COUNTED_SOURCES: Final = frozenset({"push", "merge_request_event", "web"})
"""How a pipeline came about that counts: others may have been started with variables of who started them."""

_PIPELINE: Final[dict[Progress, Judgement]] = {
    Progress.WAITING: Wait(why="Its own pipeline has not ended yet."),
    Progress.WORKING: Wait(why="Its own pipeline has not ended yet."),
    Progress.FAILED: Block(sentence="Its own pipeline failed. Look at it in GitLab and run it again."),
    Progress.CANCELLED: Block(sentence="Its own pipeline was cancelled. Run it again in GitLab."),
    Progress.SKIPPED: Wait(why="Its own pipeline was skipped, and has to succeed."),
}


def _own_pipeline(facts: MergeFacts) -> Judgement | None:
    pipeline = facts.pipeline
    if pipeline is None or not pipeline.is_of_head:
        return Wait(why="There is no pipeline of the repository's own for its head yet.")
    if pipeline.source not in COUNTED_SOURCES:
        return Block(
            sentence=f"Its newest pipeline comes from `{pipeline.source}`, which proves nothing. Run one in GitLab."
        )
    progress = meaning(pipeline.status).progress
    return _PIPELINE[progress] if progress is not Progress.SUCCEEDED else None


def _by_gitlab(facts: MergeFacts) -> Judgement | None:
    found = status_of(facts.status)
    if found.meaning is Meaning.MERGEABLE:
        return None
    return Wait(why=found.sentence, is_short=found.meaning is Meaning.COMPUTING)


_LOOKS: Final[tuple[Callable[[MergeFacts], Judgement | None], ...]] = (
    _is_over,
    _manual,
    _unproven,
    _contradicted,
    _must_fix,
    _rebasing,
    _riding,
    _may_not,
    _blocked,
    _threads,
    _after,
    _approvals,
    _rebase,
    _own_pipeline,
    _by_gitlab,
)
"""What hinders a merge, the first that holds is told."""
