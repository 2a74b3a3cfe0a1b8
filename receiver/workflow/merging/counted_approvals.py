"""Which approvals count: given by people, of the tree that is at the head. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from receiver.workflow.merging.merge_facts import Approval, MergeFacts


def counted(facts: MergeFacts) -> tuple[Approval, ...]:
    """Return the approvals that count, one for each person, in the order in which they were given."""
    found = {one.user: one for one in facts.approvals if not why_not(one, facts)}
    return tuple(found.values())


def why_not(approval: Approval, facts: MergeFacts) -> str:
    """Return why an approval counts for nothing, a clause for people; empty: it counts."""
    return next((why for holds, why in _REASONS if holds(approval, facts)), "")


def missing(facts: MergeFacts) -> int:
    """Return how many approvals are missing: by the policy, or by GitLab's rules if these want more."""
    return max(required(facts) - len(counted(facts)), facts.approvals_left, 0)


def required(facts: MergeFacts) -> int:
    """Return how many approvals are needed; never none."""
    return max(facts.approvals_required, facts.approvals_wanted, 1)


def _is_old(approval: Approval, facts: MergeFacts) -> bool:
    """Return whether it may be of another tree: unknown times, and the same moment, don't prove otherwise."""
    return approval.at is None or facts.tree_since is None or approval.at <= facts.tree_since


_REASONS: Final[tuple[tuple[Callable[[Approval, MergeFacts], bool], str], ...]] = (
    (lambda one, facts: one.user in facts.our_bots, "is one of our own accounts"),
    (lambda one, _: one.is_bot, "is an account that GitLab made for a token or a service"),
    (lambda one, facts: one.user in facts.pushers, "pushed to the branch"),
    (lambda one, _: not one.may_develop, "is no developer of the project"),
    (_is_old, "approved before the last change was pushed; take that approval back and approve again"),
)
