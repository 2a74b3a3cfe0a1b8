"""Whose approval counts, and how many are missing (ee/app/models/approval_state.rb). Changes nothing.

Rules are paid for: the free tier has none, so that it needs no approval and calls every merge request approved.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.gitlab import entities
from sandbox.gitlab.merge_request_model import MergeRequest
from sandbox.gitlab.model import Access, ApprovalRule, Project, RuleType, Tier, User
from sandbox.gitlab.state import State


@dataclass(frozen=True)
class Judged:
    """A rule, and what a merge request has of it."""

    rule: ApprovalRule
    eligible: tuple[User, ...]
    approved_by: tuple[User, ...]

    @property
    def left(self) -> int:
        """How many approvals are missing."""
        return max(self.rule.approvals_required - len(self.approved_by), 0)


def judged(state: State, project: Project, mr: MergeRequest) -> list[Judged]:
    """Judge a merge request by the project's rules."""
    if state.tier is not Tier.PREMIUM:
        return []
    given = {one.user_id for one in mr.approvals}
    found = []
    for rule in project.approval_rules.values():
        wanted = rule.user_ids if rule.type is RuleType.REGULAR else list(project.members)
        able = [state.users[one] for one in wanted if _may_count(state, project, mr, state.users[one])]
        found.append(Judged(rule, tuple(able), tuple(user for user in able if user.id in given)))
    return found


def required(rules: Sequence[Judged]) -> int:
    """Count the approvals that are needed: those of all regular rules together, or those of anybody."""
    return _most(rules, [one.rule.approvals_required for one in rules])


def left(rules: Sequence[Judged]) -> int:
    """Count the approvals that are missing."""
    return _most(rules, [one.left for one in rules])


def _most(rules: Sequence[Judged], numbers: Sequence[int]) -> int:
    of = {kind: sum(n for n, one in zip(numbers, rules, strict=True) if one.rule.type is kind) for kind in RuleType}
    return max(of.values())


def is_approved(state: State, project: Project, mr: MergeRequest) -> bool:
    """Whether the rules are met, or there are none; never while approvals are about to be reset."""
    if state.tier is Tier.COMMUNITY:
        return bool(mr.approvals)
    return not mr.approvals_syncing and not any(one.left for one in judged(state, project, mr))


def may_approve(state: State, project: Project, mr: MergeRequest, user: User) -> bool:
    """Whether a user's approval would be taken: once, and not the author's own where the project forbids that."""
    taken = any(one.user_id == user.id for one in mr.approvals)
    return mr.state == "opened" and not taken and _may_count(state, project, mr, user)


def _may_count(state: State, project: Project, mr: MergeRequest, user: User) -> bool:
    if state.access(user, project) < Access.DEVELOPER:
        return False
    if state.tier is not Tier.PREMIUM:
        return True
    own = user.id == mr.author_id and not project.settings.merge_requests_author_approval
    committed = project.settings.merge_requests_disable_committers_approval and entities.address(user) in mr.committers
    return not own and not committed
