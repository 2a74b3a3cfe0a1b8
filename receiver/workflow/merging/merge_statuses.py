"""What each `detailed_merge_status` of GitLab means for merging. A table; statuses that it does not know block.

Source: https://docs.gitlab.com/api/merge_requests/#merge-status, with those of earlier versions below.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct


class Meaning(StrEnum):
    """What follows from a status."""

    MERGEABLE = "mergeable"
    COMPUTING = "computing"
    """GitLab does not know yet; asked again in a moment, it does."""
    WAITS = "waits"
    """Something that is expected has not happened yet."""
    BLOCKED = "blocked"
    """Somebody has to do something first."""
    REBASE = "rebase"
    CONFLICT = "conflict"


class MergeStatus(Struct, frozen=True):
    """A status as we take it."""

    meaning: Meaning
    sentence: str
    """For people: what it is, and what to do about it."""


M = Meaning

CONFLICT: Final = (
    "It conflicts with the target branch. Resolve the conflict and merge it by hand, or close it and set the label "
    "again for a fix upon the target as it is now."
)

STATUSES: Final[dict[str, MergeStatus]] = {
    "mergeable": MergeStatus(M.MERGEABLE, "GitLab can merge it."),
    "preparing": MergeStatus(M.COMPUTING, "GitLab is still preparing the merge request's first diff."),
    "unchecked": MergeStatus(M.COMPUTING, "GitLab has not checked yet whether the branches merge."),
    "checking": MergeStatus(M.COMPUTING, "GitLab is checking whether the branches merge."),
    "approvals_syncing": MergeStatus(M.COMPUTING, "GitLab is still looking at which approvals a push takes away."),
    "not_approved": MergeStatus(M.WAITS, "GitLab's approval rules are not met yet."),
    "ci_still_running": MergeStatus(M.WAITS, "The repository's own pipeline is still running."),
    "ci_must_pass": MergeStatus(M.WAITS, "The project wants the repository's own pipeline to succeed first."),
    "status_checks_must_pass": MergeStatus(M.WAITS, "An external status check has not passed yet."),
    "security_policy_pipeline_check": MergeStatus(M.WAITS, "A pipeline of a security policy has not succeeded yet."),
    "merge_request_blocked": MergeStatus(M.WAITS, "Another merge request that it depends on has to be merged first."),
    "merge_time": MergeStatus(M.WAITS, "GitLab may merge it only after the time that is set in it."),
    "requested_changes": MergeStatus(
        M.BLOCKED, "A reviewer requested changes. Let that reviewer approve it, or say `/bug-fix revise -- what`."
    ),
    "discussions_not_resolved": MergeStatus(M.BLOCKED, "A thread is not resolved. Resolve all threads."),
    "draft_status": MergeStatus(M.BLOCKED, "It is a draft. Mark it as ready."),
    "commits_status": MergeStatus(
        M.BLOCKED, "Its source branch is gone or has no commit beyond the target. Look at the branch in GitLab."
    ),
    "not_open": MergeStatus(M.BLOCKED, "It is not open. Reopen it if it is to be merged."),
    "jira_association_missing": MergeStatus(
        M.BLOCKED, "The project wants a Jira issue named in title or description. Put the ticket's key into the title."
    ),
    "title_regex": MergeStatus(M.BLOCKED, "Its title is not as the project wants it. Change the title."),
    "locked_paths": MergeStatus(
        M.BLOCKED, "Somebody locked a file that it changes. Have it unlocked, see Code > Locked files."
    ),
    "locked_lfs_files": MergeStatus(M.BLOCKED, "Somebody locked an LFS file that it changes. Have it unlocked."),
    "security_policy_violations": MergeStatus(
        M.BLOCKED, "It violates a security policy of the project. The security report on it says which."
    ),
    "need_rebase": MergeStatus(M.REBASE, "Its branch has to be rebased onto the target."),
    "need_rebase_merge_train": MergeStatus(M.REBASE, "Its branch has to be rebased onto the target."),
    "conflict": MergeStatus(M.CONFLICT, CONFLICT),
    # of earlier versions
    "broken_status": MergeStatus(M.CONFLICT, CONFLICT),
    "blocked_status": MergeStatus(M.WAITS, "Another merge request that it depends on has to be merged first."),
    "external_status_checks": MergeStatus(M.WAITS, "An external status check has not passed yet."),
    "policies_denied": MergeStatus(M.BLOCKED, "A policy of the project denies it. The report on it says which."),
}
"""Every status that is known to us."""


def status_of(word: str) -> MergeStatus:
    """Return what a status means; one that is not known blocks."""
    known = STATUSES.get(word)
    if known is not None:
        return known
    sentence = f"GitLab's merge status is `{word or 'nothing'}`, which this version does not know. Merge it by hand."
    return MergeStatus(Meaning.BLOCKED, sentence)
