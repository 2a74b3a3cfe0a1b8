"""Whether a merge request could be merged now, in GitLab's words (`detailed_merge_status`). Merges nothing."""

from sandbox.gitlab import approval_rules
from sandbox.gitlab.merge_request_model import MergeRequest
from sandbox.gitlab.model import Project, Tier
from sandbox.gitlab.repository import Repository
from sandbox.gitlab.review import is_draft
from sandbox.gitlab.state import State


async def status(state: State, project: Project, mr: MergeRequest) -> str:
    """Give `not_open`, `draft_status`, `not_approved`, `approvals_syncing`, `conflict` or `mergeable`."""
    if mr.state != "opened":
        return "not_open"
    if is_draft(mr.title):
        return "draft_status"
    if state.tier is Tier.PREMIUM and not approval_rules.is_approved(state, project, mr):
        return "approvals_syncing" if mr.approvals_syncing else "not_approved"
    repository = Repository(project.repository)
    target = await repository.branch(mr.target_branch)
    tree = await repository.merge_tree(target, mr.sha) if target else None
    return "conflict" if tree is None else "mergeable"
