"""Approvals that a push takes away, a moment after it (EE's RefreshService and ResetApprovalsService). Premium."""

from sandbox.gitlab import activity, approval_rules
from sandbox.gitlab.background import Step
from sandbox.gitlab.merge_request_model import MergeRequest
from sandbox.gitlab.model import Project, Tier, User
from sandbox.gitlab.state import State


async def after_push(state: State, project: Project, mr: MergeRequest, actor: User) -> None:
    """Take away the approvals of other changes than those that are there now; until then none of them counts."""
    if state.tier is not Tier.PREMIUM or not project.settings.reset_approvals_on_push:
        return
    mr.approvals_syncing = True
    await state.background.run(Step.APPROVAL_RESET, project, lambda: _reset(state, project, mr, actor))


async def _reset(state: State, project: Project, mr: MergeRequest, actor: User) -> None:
    mr.approvals_syncing = False
    was_approved = approval_rules.is_approved(state, project, mr)
    kept = [one for one in mr.approvals if one.patch_id == mr.versions[-1].patch_id]
    if len(kept) == len(mr.approvals):
        return
    mr.approvals = kept
    lost = was_approved and not approval_rules.is_approved(state, project, mr)
    await activity.merge_request_changed(
        state,
        project,
        mr,
        actor,
        action="unapproved" if lost else "unapproval",
        system_action="approvals_reset_on_push",
    )
