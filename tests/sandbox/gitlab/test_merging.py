"""Merging and rebasing through the real python-gitlab client, each fact of GitLab's with its source."""

from typing import Any

import gitlab
import pytest

from tests.sandbox.gitlab.conftest import Proposal, lines

pytestmark = pytest.mark.integration


def refused(proposal: Proposal, who: str = "mara", **how: Any) -> tuple[int | None, str]:
    with pytest.raises(gitlab.GitlabError) as caught:
        proposal.seen_by(who).merge(**how)
    return caught.value.response_code, str(caught.value.error_message)


def set_up(proposal: Proposal, **settings: Any) -> None:
    project = proposal.project("mara")
    for name, value in settings.items():
        setattr(project, name, value)
    project.save()


def graph(proposal: Proposal, ref: str = "main") -> list[tuple[str, list[str]]]:
    """Give titles and parents of the newest commits."""
    found = proposal.project().commits.list(ref_name=ref, get_all=True)
    return [(one.title, one.parent_ids) for one in found]


def go_on(proposal: Proposal, content: str = "x\n") -> Any:
    """Commit something else to the target."""
    return proposal.commit(content, who="mara", branch="main", path="x.txt", action="create")


def rebase(proposal: Proposal, who: str = "bot", **how: Any) -> Any:
    return proposal.seen_by(who).rebase(**how)


def rebasing(proposal: Proposal) -> Any:
    return proposal.project().mergerequests.get(1, include_rebase_in_progress=True)


def test_a_developer_may_not_merge_into_a_protected_default_branch_and_gets_401(proposal: Proposal) -> None:
    """lib/api/merge_requests.rb: `unauthorized! unless merge_request.can_be_merged_by?(current_user)`."""
    assert refused(proposal, "bot") == (401, "401 Unauthorized")
    assert refused(proposal, "tomas")[0] == 401
    assert (proposal.seen_by("tomas").user["can_merge"], proposal.seen_by("mara").user["can_merge"]) == (False, True)


def test_another_head_than_the_one_that_was_seen_is_answered_with_409_before_anything_else(proposal: Proposal) -> None:
    """19.1: `build_merge_params` calls `check_sha_param!` before `execute_merge`."""
    request = proposal.seen_by("mara")
    request.title = "Draft: Fix ten"
    request.save()
    head = proposal.seen_by().sha
    assert refused(proposal, sha="0" * 40) == (409, f"SHA does not match HEAD of source branch: {head}")
    assert refused(proposal, sha=head)[0] == 405


def test_draft_conflict_rebase_threads_closed_and_merged_get_one_answer_405(proposal: Proposal) -> None:
    """19.1: `execute_merge` answers `not_allowed!` for whatever `mergeable?` refuses, and doesn't say why."""
    answer = (405, "405 Method Not Allowed")
    request = proposal.seen_by("mara")
    request.title = "Draft: Fix ten"
    request.save()
    assert refused(proposal) == answer
    request.title, request.state_event = "Fix ten", "close"
    request.save()
    assert refused(proposal) == answer
    request.state_event = "reopen"
    request.save()
    set_up(proposal, only_allow_merge_if_all_discussions_are_resolved=True)
    thread = proposal.seen_by().discussions.create({"body": "Why?"})
    assert refused(proposal) == answer
    thread.resolved = True
    thread.save()
    go_on(proposal)
    set_up(proposal, merge_method="ff")
    assert refused(proposal) == answer
    set_up(proposal, merge_method="merge")
    proposal.commit(lines(l10="zehn"), who="mara", branch="main")
    assert refused(proposal) == answer
    proposal.commit(lines(), who="mara", branch="main")
    proposal.seen_by("mara").merge()
    assert refused(proposal) == answer


def test_missing_approvals_and_pipelines_that_must_succeed_get_405_too(proposal: Proposal) -> None:
    """As above: the checks of DetailedMergeStatusService decide."""
    set_up(proposal, only_allow_merge_if_pipeline_succeeds=True)
    assert refused(proposal)[0] == 405
    set_up(proposal, only_allow_merge_if_pipeline_succeeds=False)
    proposal.control("PUT", "tier", tier="premium")
    rule = {"name": "Anybody", "rule_type": "any_approver", "approvals_required": 1}
    proposal.project("mara").approvalrules.create(rule)
    assert refused(proposal)[0] == 405
    proposal.seen_by("tomas").approve()
    proposal.seen_by("mara").merge()


def test_an_unknown_status_does_not_hinder_the_merge_it_is_looked_at_then(proposal: Proposal) -> None:
    """`mergeable?` checks at once (`sync_retry_lease`): a client need not wait for `checking` to end."""
    proposal.control("POST", "background/hold", step="merge_check")
    pushed = proposal.commit(lines(l10="TEN"))
    assert proposal.seen_by().detailed_merge_status == "checking"
    proposal.seen_by("mara").merge(sha=pushed.id)
    assert proposal.seen_by().state == "merged"


def test_a_merge_that_fails_when_it_has_begun_is_a_422_and_leaves_its_reason(proposal: Proposal) -> None:
    """19.1: `render_api_error!('Branch cannot be merged', 422) unless merge_request.merged?`; `merge_error`."""
    reason = "Something went wrong during merge pre-receive hook."
    proposal.control("PUT", "merge_requests/failure", project="payk12/contacts", iid=1, error=reason)
    assert refused(proposal) == (422, "Branch cannot be merged")
    found = proposal.seen_by()
    assert (found.state, found.merge_error, found.detailed_merge_status) == ("opened", reason, "mergeable")
    found = proposal.seen_by("mara")
    found.merge()
    assert (proposal.seen_by().state, proposal.seen_by().merge_error) == ("merged", None)


def test_merging_makes_a_merge_commit_with_gitlabs_message(proposal: Proposal) -> None:
    """app/models/merge_request.rb: `default_merge_commit_message`."""
    main, head = proposal.project().branches.get("main").commit["id"], proposal.seen_by().sha
    proposal.seen_by("mara").merge(sha=head)
    found = proposal.seen_by()
    commit = proposal.project().commits.get(found.merge_commit_sha)
    assert commit.parent_ids == [main, head]
    assert commit.message == "Merge branch 'fix' into 'main'\n\nFix ten\n\nSee merge request payk12/contacts!1"
    assert proposal.project().files.raw(proposal.file, ref="main").decode() == lines(l10="ten")
    assert (found.state, found.detailed_merge_status, found.merge_user["username"]) == ("merged", "not_open", "mara")


def test_a_merge_is_told_as_a_push_and_as_a_merge(proposal: Proposal) -> None:
    """webhook_events.md: action `merge`; `merged_at` since 19.1."""
    pushes = len(proposal.hooks("Push Hook"))
    proposal.seen_by("mara").merge()
    assert proposal.hooks("Push Hook")[pushes]["ref"] == "refs/heads/main"
    told = proposal.hooks()[-1]
    attributes = told["object_attributes"]
    assert (attributes["action"], attributes["state"], told["user"]["username"]) == ("merge", "merged", "mara")
    assert attributes["merge_commit_sha"] == proposal.seen_by().merge_commit_sha
    assert attributes["merged_at"].endswith(" UTC")


def test_a_fast_forward_makes_no_merge_commit(proposal: Proposal) -> None:
    """MergeStrategies::FromSourceBranch: `fast_forward!` gives no `merge_commit_sha`."""
    set_up(proposal, merge_method="ff")
    head = proposal.seen_by().sha
    proposal.seen_by("mara").merge()
    found = proposal.seen_by()
    assert (found.state, found.merge_commit_sha) == ("merged", None)
    assert proposal.project().branches.get("main").commit["id"] == head


def test_a_semi_linear_history_has_a_merge_commit_on_a_source_that_stands_on_the_target(proposal: Proposal) -> None:
    """Method `rebase_merge`: a merge commit, and `need_rebase` before."""
    set_up(proposal, merge_method="rebase_merge")
    go_on(proposal)
    assert refused(proposal)[0] == 405
    rebase(proposal)
    proposal.seen_by("mara").merge()
    titles = [(title, len(parents)) for title, parents in graph(proposal)]
    assert titles[:2] == [("Merge branch 'fix' into 'main'", 2), ("Change lines", 1)]


def test_merging_what_gitlab_knows_leaves_out_a_push_that_it_has_not_seen_yet(proposal: Proposal) -> None:
    """MergeService merges `diff_head_sha`: until the diff has reloaded, that is the old head, and `sha` is too."""
    old = proposal.seen_by().sha
    proposal.control("POST", "background/hold", step="diff_reload")
    pushed = proposal.commit(lines(l10="TEN"))
    assert refused(proposal, sha=pushed.id)[0] == 409
    proposal.seen_by("mara").merge(sha=old)
    assert proposal.project().files.raw(proposal.file, ref="main").decode() == lines(l10="ten")


def test_rebasing_answers_202_and_writes_the_commits_anew(proposal: Proposal) -> None:
    """doc/api/merge_requests.md: rebase is asynchronous; the SHAs are rewritten, authors stay."""
    main = go_on(proposal).id
    old = proposal.seen_by().sha
    updates, pushes = len(proposal.hooks()), len(proposal.hooks("Push Hook"))
    assert rebase(proposal, "tomas") == {"rebase_in_progress": True}
    found = rebasing(proposal)
    assert (found.rebase_in_progress, found.merge_error) == (False, None)
    assert found.sha != old
    commit = proposal.project().commits.get(found.sha)
    assert (commit.parent_ids, commit.author_name, commit.committer_name) == ([main], "Bug-Fix", "Tomás Ferreira")
    assert found.diff_refs["base_sha"] == main
    (pushed,) = proposal.hooks("Push Hook")[pushes:]
    assert (pushed["before"], pushed["after"]) == (old, found.sha)
    (told,) = proposal.hooks()[updates:]
    assert (told["object_attributes"]["oldrev"], told["user"]["username"]) == (old, "tomas")


def test_a_rebase_is_in_progress_until_it_is_done_and_is_not_begun_twice(proposal: Proposal) -> None:
    """`include_rebase_in_progress`; the field is not there without it."""
    go_on(proposal)
    proposal.control("POST", "background/hold", step="rebase")
    rebase(proposal)
    assert rebasing(proposal).rebase_in_progress is True
    assert not hasattr(proposal.seen_by(), "rebase_in_progress")
    with pytest.raises(gitlab.GitlabMRRebaseError, match="409"):
        rebase(proposal)
    proposal.control("POST", "background/release", step="rebase")
    assert rebasing(proposal).rebase_in_progress is False


def test_a_rebase_cannot_resolve_conflicts_and_says_so_in_merge_error(proposal: Proposal) -> None:
    """MergeRequests::RebaseService: REBASE_ERROR is kept on the merge request; a push to its source clears it."""
    proposal.commit(lines(l10="zehn"), who="mara", branch="main")
    old, told = proposal.seen_by().sha, len(proposal.hooks())
    assert rebase(proposal) == {"rebase_in_progress": True}
    found = rebasing(proposal)
    sentence = "Rebase failed: Rebase locally, resolve all conflicts, then push the branch."
    assert (found.merge_error, found.sha, found.rebase_in_progress) == (sentence, old, False)
    assert len(proposal.hooks()) == told
    proposal.commit("y\n", path="y.txt", action="create")
    assert proposal.seen_by().merge_error is None


def test_who_may_not_push_to_the_source_may_not_rebase_it(proposal: Proposal) -> None:
    """MergeRequests::RebaseService#validate: the sentences of a 403."""
    with pytest.raises(gitlab.GitlabMRRebaseError) as forbidden:
        rebase(proposal, "starter")
    assert forbidden.value.error_message == "403 Forbidden - Cannot push to source branch"
    proposal.emulated.state.project("payk12/contacts").protected_branches.add("fix")  # type: ignore[union-attr]
    with pytest.raises(gitlab.GitlabMRRebaseError, match="Source branch is protected from force push"):
        rebase(proposal, "mara")


def test_several_commits_are_rebased_in_their_order_and_one_that_is_there_already_is_left_out(
    proposal: Proposal,
) -> None:
    """As `git rebase` does it."""
    proposal.commit("a\n", path="a.txt", action="create", commit_message="Add a")
    proposal.commit("b\n", path="b.txt", action="create", commit_message="Add b")
    proposal.commit("a\n", who="mara", branch="main", path="a.txt", action="create", commit_message="Add a, too")
    rebase(proposal)
    assert [title for title, _ in graph(proposal, "fix")][:3] == ["Add b", "Change lines", "Add a, too"]
    assert proposal.seen_by().changes_count == "2"


def test_a_second_merge_request_of_the_branch_needs_another_target(proposal: Proposal) -> None:
    """app/models/merge_request.rb: `existing_mrs_targeting_same_branch` looks at both branches."""
    proposal.commit("x\n", branch="release", start_branch="main", path="x.txt", action="create")
    data = {"source_branch": "fix", "target_branch": "main", "title": "Again"}
    with pytest.raises(gitlab.GitlabCreateError, match="Another open merge request already exists"):
        proposal.project().mergerequests.create(data)
    assert proposal.project().mergerequests.create({**data, "target_branch": "release"}).iid == 2
    with pytest.raises(gitlab.GitlabCreateError) as same:
        proposal.project().mergerequests.create({**data, "target_branch": "fix"})
    assert same.value.response_code == 422
