"""Whether a merge request could be merged now, in GitLab's words (`detailed_merge_status`). Merges nothing.

Sources: MergeRequests::Mergeability::DetailedMergeStatusService and its checks, MergeabilityCheckService.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from sandbox.gitlab import approval_rules, head_pipeline, threads
from sandbox.gitlab.merge_request_model import MergeRequest, MergeStatus
from sandbox.gitlab.model import MergeMethod, Project, Tier
from sandbox.gitlab.repository import Repository
from sandbox.gitlab.state import State

COMPLETED: Final = frozenset({"success", "failed", "canceled", "skipped"})
"""What a pipeline's status is when it is over."""


async def status(state: State, project: Project, mr: MergeRequest) -> str:
    """Give the first thing that hinders the merge, or `mergeable`; first of all whether GitLab knows."""
    if mr.forced_status is not None:
        return mr.forced_status
    computing = {
        MergeStatus.PREPARING: "preparing",
        MergeStatus.CHECKING: "checking",
        MergeStatus.UNMERGEABLE_RECHECKING: "checking",
        MergeStatus.UNCHECKED: "unchecked",
    }
    if mr.merge_status in computing:
        return computing[mr.merge_status]
    return await _hindrance(state, project, mr) or _ci(state, project, mr) or "mergeable"


async def can_merge_now(state: State, project: Project, mr: MergeRequest, *, whatever_ci: bool = False) -> bool:
    """Whether GitLab would begin to merge: it looks at once where it doesn't know; `whatever_ci`: pipelines aside."""
    if mr.forced_status is not None:
        return mr.forced_status == "mergeable"
    if mr.merge_status is not MergeStatus.PREPARING and not mr.merge_status.is_known:
        await check(project, mr)
    if await _hindrance(state, project, mr) is not None:
        return False
    return whatever_ci or _ci(state, project, mr) is None


def is_draft(title: str) -> bool:
    """Whether a title makes a merge request a draft."""
    return title.lower().startswith(("draft:", "[draft]", "(draft)"))


async def _hindrance(state: State, project: Project, mr: MergeRequest) -> str | None:
    for name, holds in CHECKS:
        if await holds(state, project, mr):
            if name == "not_approved" and mr.approvals_syncing:
                return "approvals_syncing"
            return name
    return None


async def _not_open(_state: State, _project: Project, mr: MergeRequest) -> bool:
    return mr.state != "opened"


async def _draft(_state: State, _project: Project, mr: MergeRequest) -> bool:
    return is_draft(mr.title)


async def _changes_requested(state: State, _project: Project, mr: MergeRequest) -> bool:
    return state.tier is Tier.PREMIUM and bool(mr.requested_changes)


async def _not_approved(state: State, project: Project, mr: MergeRequest) -> bool:
    return state.tier is Tier.PREMIUM and not approval_rules.is_approved(state, project, mr)


async def _open_threads(_state: State, project: Project, mr: MergeRequest) -> bool:
    return not threads.blocking_resolved(project.settings, mr)


async def _without_commits(_state: State, project: Project, mr: MergeRequest) -> bool:
    branches = await Repository(project.repository).branches()
    return mr.base_sha == mr.sha or not {mr.source_branch, mr.target_branch} <= branches.keys()


async def _need_rebase(_state: State, project: Project, mr: MergeRequest) -> bool:
    if project.settings.merge_method is MergeMethod.MERGE:
        return False
    repository = Repository(project.repository)
    target = await repository.branch(mr.target_branch)
    return target is not None and await repository.merge_base(target, mr.sha) != target


async def _conflict(_state: State, _project: Project, mr: MergeRequest) -> bool:
    return mr.merge_status is not MergeStatus.MERGEABLE


Check = Callable[[State, Project, MergeRequest], Awaitable[bool]]
CHECKS: Final[tuple[tuple[str, Check], ...]] = (
    ("not_open", _not_open),
    ("draft_status", _draft),
    ("requested_changes", _changes_requested),
    ("not_approved", _not_approved),
    ("discussions_not_resolved", _open_threads),
    ("commits_status", _without_commits),
    ("need_rebase", _need_rebase),
    ("conflict", _conflict),
)
"""In GitLab's order; its own pipeline comes last. Where Premium's checks stand among them is not known to us."""


def _ci(state: State, project: Project, mr: MergeRequest) -> str | None:
    """Judge the head's own pipeline: only where the project says that pipelines must succeed."""
    settings = project.settings
    if not settings.only_allow_merge_if_pipeline_succeeds:
        return None
    found = head_pipeline.of_head(state, project, mr)
    if found is None:
        return "ci_must_pass"
    if found["status"] == "success" or (found["status"] == "skipped" and settings.allow_merge_on_skipped_pipeline):
        return None
    return "ci_must_pass" if found["status"] in COMPLETED else "ci_still_running"


def forget(mr: MergeRequest) -> None:
    """Take the status as unknown: a branch has moved."""
    was_bad = {MergeStatus.UNMERGEABLE, MergeStatus.UNMERGEABLE_RECHECKING, MergeStatus.UNMERGEABLE_RECHECK}
    mr.merge_status = MergeStatus.UNMERGEABLE_RECHECK if mr.merge_status in was_bad else MergeStatus.UNCHECKED


def begin(mr: MergeRequest) -> bool:
    """Begin to check an unknown status; False when there is nothing to check."""
    to_check = {
        MergeStatus.UNCHECKED: MergeStatus.CHECKING,
        MergeStatus.UNMERGEABLE_RECHECK: MergeStatus.UNMERGEABLE_RECHECKING,
    }
    if mr.merge_status not in to_check:
        return False
    mr.merge_status = to_check[mr.merge_status]
    return True


async def check(project: Project, mr: MergeRequest) -> None:
    """Try whether the branches merge."""
    repository = Repository(project.repository)
    target = await repository.branch(mr.target_branch)
    tree = await repository.merge_tree(target, mr.sha) if target and mr.base_sha != mr.sha else None
    mr.merge_status = MergeStatus.UNMERGEABLE if tree is None else MergeStatus.MERGEABLE
