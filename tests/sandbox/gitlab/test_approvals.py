"""Approvals through the real python-gitlab client, by tier; each fact of GitLab's with its source."""

from typing import Any

import gitlab
import pytest

from tests.sandbox.gitlab.conftest import Proposal, lines

pytestmark = pytest.mark.integration


def tier(proposal: Proposal, name: str) -> None:
    proposal.control("PUT", "tier", tier=name).raise_for_status()


def rule(proposal: Proposal, required: int = 1, **more: Any) -> Any:
    data = {"name": "Anybody", "rule_type": "any_approver", "approvals_required": required, **more}
    return proposal.project("mara").approvalrules.create(data)


def actions(proposal: Proposal) -> list[str]:
    return [one["object_attributes"]["action"] for one in proposal.hooks()]


def status(proposal: Proposal) -> str:
    return str(proposal.seen_by().detailed_merge_status)


def refused(proposal: Proposal, who: str, **how: Any) -> int | None:
    with pytest.raises(gitlab.GitlabError) as caught:
        proposal.seen_by(who).approve(**how)
    return caught.value.response_code


def test_a_developer_approves_once_and_takes_it_back(proposal: Proposal) -> None:
    """lib/api/merge_request_approvals.rb: 201 for both; unapproving without an approval is a 404."""
    request = proposal.seen_by("mara")
    request.approve(sha=request.sha)
    assert [one["user"]["username"] for one in request.approvals.get().approved_by] == ["mara"]
    assert (request.approvals.get().user_has_approved, request.approvals.get().user_can_approve) == (True, False)
    assert refused(proposal, "mara") == 401
    request.unapprove()
    assert request.approvals.get().approved_by == []
    with pytest.raises(gitlab.GitlabMRApprovalError, match="404"):
        request.unapprove()
    assert actions(proposal)[-2:] == ["approved", "unapproved"]
    assert [one["user"]["username"] for one in proposal.hooks()[-2:]] == ["mara", "mara"]
    notes = proposal.seen_by().notes.list(get_all=True, activity_filter="only_activity", sort="asc")
    assert [note.body for note in notes] == ["approved this merge request", "unapproved this merge request"]


def test_another_head_than_the_one_that_was_seen_is_not_approved(proposal: Proposal) -> None:
    """lib/api/helpers.rb: `check_sha_param!` answers 409."""
    assert refused(proposal, "mara", sha="f" * 40) == 409


def test_who_is_no_developer_may_not_approve_and_gets_403(proposal: Proposal) -> None:
    """lib/api/helpers.rb: `find_merge_request_with_access(iid, :approve_merge_request)` authorizes first."""
    assert refused(proposal, "starter") == 403


def test_the_free_tier_needs_no_approval_and_calls_every_merge_request_approved(proposal: Proposal) -> None:
    """EE's ApprovalState without a licence: no rules, so `approved` holds for all of none; count `approved_by`."""
    found = proposal.seen_by().approvals.get()
    assert (found.approvals_required, found.approvals_left, found.approved, found.approved_by) == (0, 0, True, [])
    assert (found.has_approval_rules, found.merge_request_approvers_available) == (False, False)
    assert status(proposal) == "mergeable"
    assert proposal.seen_by().approval_state.get().rules == []
    with pytest.raises(gitlab.GitlabCreateError, match="404"):
        rule(proposal)


def test_the_community_edition_says_approved_when_there_is_an_approval(proposal: Proposal) -> None:
    """lib/api/entities/merge_request_approvals.rb: four fields, `approved` is `approvals.present?`."""
    tier(proposal, "community")
    found = proposal.seen_by().approvals.get()
    assert set(found.attributes) - {"project_id", "mr_iid"} == {
        "user_has_approved",
        "user_can_approve",
        "approved",
        "approved_by",
    }
    assert found.approved is False
    assert status(proposal) == "mergeable"
    proposal.seen_by("mara").approve()
    assert proposal.seen_by().approvals.get().approved is True


def test_an_author_may_approve_their_own_merge_request_in_the_free_tier_only(proposal: Proposal) -> None:
    """ApprovalState#eligible_for_approval_by?; "Prevent approval by the author" is Premium's, on by default."""
    proposal.seen_by("bot").approve()
    proposal.seen_by("bot").unapprove()
    tier(proposal, "premium")
    assert refused(proposal, "bot") == 401
    settings = proposal.project("mara").approvals.get()
    settings.merge_requests_author_approval = True
    settings.save()
    proposal.seen_by("bot").approve()


def test_who_committed_may_not_approve_where_the_project_says_so(proposal: Proposal) -> None:
    """ApprovalState: `merge_requests_disable_committers_approval?`, judged by the committers' addresses."""
    tier(proposal, "premium")
    proposal.commit(lines(l10="TEN"), who="tomas")
    settings = proposal.project("mara").approvals.get()
    settings.merge_requests_disable_committers_approval = True
    settings.save()
    assert refused(proposal, "tomas") == 401
    proposal.seen_by("mara").approve()


def test_rules_hold_the_merge_until_they_are_met(proposal: Proposal) -> None:
    """EE: CheckApprovedService says `not_approved`; webhook_events.md: `approval` for one, `approved` for the last."""
    tier(proposal, "premium")
    rule(proposal, required=2)
    assert status(proposal) == "not_approved"
    before = len(actions(proposal))
    proposal.seen_by("mara").approve()
    found = proposal.seen_by().approvals.get()
    assert (found.approved, found.approvals_required, found.approvals_left) == (False, 2, 1)
    assert status(proposal) == "not_approved"
    proposal.seen_by("tomas").approve()
    assert proposal.seen_by().approvals.get().approved is True
    assert status(proposal) == "mergeable"
    proposal.seen_by("tomas").unapprove()
    proposal.seen_by("mara").unapprove()
    assert actions(proposal)[before:] == ["approval", "approved", "unapproved", "unapproval"]


def test_a_rule_with_names_wants_those_and_is_told_apart(proposal: Proposal) -> None:
    """GET …/approval_state: `approved_by` of a rule are those who match it; `…/approvals` tells all."""
    tier(proposal, "premium")
    mara = proposal.emulated.state.user("mara")
    assert mara is not None
    rule(proposal, name="Owners", rule_type="regular", user_ids=[mara.id])
    proposal.seen_by("tomas").approve()
    assert status(proposal) == "not_approved"
    (owners,) = proposal.seen_by().approval_state.get().rules
    assert (owners["name"], owners["approved"], owners["approved_by"]) == ("Owners", False, [])
    assert [one["username"] for one in owners["eligible_approvers"]] == ["mara"]
    left = proposal.seen_by().approvals.get()
    assert [one["user"]["username"] for one in left.approved_by] == ["tomas"]
    assert ([one["name"] for one in left.approval_rules_left], left.suggested_approvers[0]["username"]) == (
        ["Owners"],
        "mara",
    )
    proposal.seen_by("mara").approve()
    assert status(proposal) == "mergeable"


def test_rules_are_changed_by_maintainers(proposal: Proposal) -> None:
    """doc/api/merge_request_approvals.md: project approval rules."""
    tier(proposal, "premium")
    made = rule(proposal)
    with pytest.raises(gitlab.GitlabCreateError, match="403"):
        proposal.project("tomas").approvalrules.create({"name": "Mine", "approvals_required": 0, "user_ids": [1]})
    made.approvals_required = 3
    made.save()
    (found,) = proposal.project("mara").approvalrules.list(get_all=True)
    assert (found.name, found.approvals_required) == ("Anybody", 3)
    found.delete()
    assert proposal.project("mara").approvalrules.list(get_all=True) == []


def test_a_push_takes_approvals_away_in_premium_and_says_that_the_system_did_it(proposal: Proposal) -> None:
    """EE's ResetApprovalsService; webhook_events.md: `system_action: approvals_reset_on_push`, the user pushed."""
    tier(proposal, "premium")
    rule(proposal)
    proposal.seen_by("mara").approve()
    proposal.commit(lines(l10="TEN"), who="tomas")
    assert proposal.seen_by().approvals.get().approved_by == []
    assert status(proposal) == "not_approved"
    told = proposal.hooks()[-1]
    attributes = told["object_attributes"]
    assert (attributes["action"], attributes["system"]) == ("unapproved", True)
    assert (attributes["system_action"], told["user"]["username"]) == ("approvals_reset_on_push", "tomas")
    assert "unapproved this merge request" not in [one.body for one in proposal.seen_by().notes.list(get_all=True)]


def test_until_approvals_have_been_reset_they_are_told_as_syncing(proposal: Proposal) -> None:
    """EE: `temporarily_unapprove!` at once, the reset ten seconds later; DetailedMergeStatusService."""
    tier(proposal, "premium")
    rule(proposal)
    proposal.seen_by("mara").approve()
    proposal.control("POST", "background/hold", step="approval_reset")
    proposal.commit(lines(l10="TEN"))
    assert [status(proposal), status(proposal)] == ["checking", "approvals_syncing"]
    found = proposal.seen_by().approvals.get()
    assert (found.approved, len(found.approved_by)) == (False, 1)
    proposal.control("POST", "background/release", step="approval_reset")
    assert status(proposal) == "not_approved"


def test_approvals_stay_where_the_project_does_not_reset_them_and_in_the_free_tier(proposal: Proposal) -> None:
    """`reset_approvals_on_push` is Premium's; the free tier keeps approvals of whatever was pushed later."""
    proposal.seen_by("mara").approve()
    proposal.commit(lines(l10="TEN"))
    tier(proposal, "premium")
    settings = proposal.project("mara").approvals.get()
    settings.reset_approvals_on_push = False
    settings.save()
    proposal.commit(lines(l10="Ten"))
    assert len(proposal.seen_by().approvals.get().approved_by) == 1


def test_a_push_that_only_moves_the_changes_onto_another_commit_keeps_approvals(proposal: Proposal) -> None:
    """EE's BaseService: `approvals.with_invalid_patch_id_sha(patch_id_sha)` are the ones that go."""
    tier(proposal, "premium")
    proposal.seen_by("mara").approve()
    before = proposal.seen_by().sha
    proposal.commit("x\n", who="mara", branch="main", path="other.txt", action="create")
    rebased = proposal.commit(lines(l10="ten"), start_branch="main", force=True)
    assert rebased.id != before
    assert proposal.seen_by().sha == rebased.id
    assert len(proposal.seen_by().approvals.get().approved_by) == 1
    one, other = proposal.seen_by().diffs.list(get_all=True)
    assert one.patch_id_sha == other.patch_id_sha


def test_the_free_tier_takes_one_reviewer_and_a_paid_one_all(proposal: Proposal) -> None:
    """doc/user/project/merge_requests/reviews/_index.md: several reviewers are Premium's."""
    ids = [one.id for one in proposal.emulated.client("root").users.list(get_all=True)][:3]

    def reviewers() -> list[int]:
        proposal.project().mergerequests.update(1, {"reviewer_ids": ids})
        return [one["id"] for one in proposal.seen_by().reviewers]

    assert reviewers() == ids[:1]
    tier(proposal, "premium")
    assert reviewers() == ids


def test_each_head_of_a_merge_request_is_listed_newest_first(proposal: Proposal) -> None:
    """OpenAPI: GET …/versions; API_Entities_MergeRequestDiff."""
    before = proposal.seen_by().sha
    pushed = proposal.commit(lines(l10="TEN"))
    versions = proposal.seen_by().diffs.list(get_all=True)
    assert [one.head_commit_sha for one in versions] == [pushed.id, before]
    assert versions[0].created_at > versions[1].created_at
