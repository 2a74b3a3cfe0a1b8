"""Whether a merge request could be merged now, in GitLab's words (`detailed_merge_status`). Merges nothing."""

from sandbox.gitlab.merge_request_model import MergeRequest
from sandbox.gitlab.model import Project
from sandbox.gitlab.repository import Repository
from sandbox.gitlab.review import is_draft


async def status(project: Project, mr: MergeRequest) -> str:
    """Give `not_open`, `draft_status`, `conflict` or `mergeable`."""
    if mr.state != "opened":
        return "not_open"
    if is_draft(mr.title):
        return "draft_status"
    repository = Repository(project.repository)
    target = await repository.branch(mr.target_branch)
    tree = await repository.merge_tree(target, mr.sha) if target else None
    return "conflict" if tree is None else "mergeable"
