"""What reviewers say of a merge request as a whole (MergeRequests::UpdateReviewerStateService).

Up to 19.1 GitLab sends no Merge Request Hook when a review is submitted (gitlab-org/gitlab#592358): only approving
and taking an approval back do.
"""

from sandbox.gitlab.merge_request_model import MergeRequest
from sandbox.gitlab.model import User


def state_of(mr: MergeRequest, user_id: int) -> str:
    """Give a reviewer's state."""
    return mr.reviewer_states.get(user_id, "unreviewed")


def submit(mr: MergeRequest, user: User, verdict: str) -> None:
    """Take a verdict: it is kept of reviewers; changes that anybody requested block until they approve (Premium)."""
    if verdict == "requested_changes":
        mr.requested_changes.add(user.id)
    if verdict == "approved":
        mr.requested_changes.discard(user.id)
    if user.id in mr.reviewer_ids:
        mr.reviewer_states[user.id] = verdict
