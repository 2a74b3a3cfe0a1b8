"""Facts of a merge request that may be merged, for tests to change one at a time."""

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from pipelines.language.policy import MergePolicy
from receiver.workflow.merging.merge_facts import Approval, HeadOrigin, MergeFacts, OwnPipeline, TrainState

PUSHED = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
HEAD = "a" * 40
BOT, MARA, TOMAS = 7, 11, 12


def approval(user: int = MARA, name: str = "mara", **changes: Any) -> Approval:
    return replace(Approval(user=user, name=name, at=PUSHED + timedelta(minutes=5)), **changes)


def pipeline(**changes: Any) -> OwnPipeline:
    return replace(OwnPipeline(id=5, status="success", source="push", is_of_head=True), **changes)


READY = MergeFacts(
    state="opened",
    head_sha=HEAD,
    status="mergeable",
    target_branch="main",
    is_draft=False,
    is_rebasing=False,
    may_merge=True,
    origin=HeadOrigin.TESTED,
    was_rebased=False,
    tree_since=PUSHED,
    approvals=(approval(),),
    approvals_required=0,
    approvals_left=0,
    our_bots=frozenset({BOT}),
    pushers=frozenset({BOT}),
    open_threads=0,
    pipeline=pipeline(),
    contradicted=(),
    must_fix=0,
    goes_after=(),
    train=TrainState.NONE,
    merge=MergePolicy.WHEN_APPROVED,
    approvals_wanted=1,
)


def facts(**changes: Any) -> MergeFacts:
    """Return facts that let it be merged but for these."""
    return replace(READY, **changes)
