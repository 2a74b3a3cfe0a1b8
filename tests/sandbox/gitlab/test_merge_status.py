"""`detailed_merge_status` through the real python-gitlab client, each fact of GitLab's with its source."""

from typing import Any

import gitlab
import pytest

from sandbox.gitlab.merge_request_model import MergeRequest
from sandbox.gitlab.model import Project
from tests.sandbox.gitlab.conftest import Proposal, lines

pytestmark = pytest.mark.integration


class Pipelines:
    """Stands where the CI engine does: a head's pipelines are what a test says (tests of the engine are in `ci`)."""

    def __init__(self, **by_sha: str) -> None:
        self.by_sha = by_sha

    def of_head(self, _project: Project, mr: MergeRequest) -> dict[str, Any] | None:
        found = list(self.by_sha).index(mr.sha) + 1 if mr.sha in self.by_sha else None
        return None if found is None else self.get(found)

    def get(self, pipeline_id: int) -> dict[str, Any] | None:
        sha, status = list(self.by_sha.items())[pipeline_id - 1]
        return {"id": pipeline_id, "sha": sha, "status": status}


def status(proposal: Proposal) -> str:
    return str(proposal.seen_by().detailed_merge_status)


def settle(proposal: Proposal) -> Any:
    """Read a merge request so often that GitLab has looked whether it merges."""
    proposal.seen_by()
    return proposal.seen_by()


def set_up(proposal: Proposal, **settings: Any) -> None:
    project = proposal.project("mara")
    for name, value in settings.items():
        setattr(project, name, value)
    project.save()


def hold(proposal: Proposal, step: str) -> None:
    proposal.control("POST", "background/hold", step=step).raise_for_status()


def release(proposal: Proposal, step: str) -> None:
    proposal.control("POST", "background/release", step=step).raise_for_status()


def test_a_new_merge_request_is_preparing_and_has_no_diff_yet(proposal: Proposal) -> None:
    """doc/api/merge_requests.md, `prepared_at`; MergeRequest: `skip_ensure_merge_request_diff` when created."""
    proposal.commit(lines(l3="three"), branch="other", start_branch="main")
    told = len(proposal.hooks())
    data = {"source_branch": "other", "target_branch": "main", "title": "Three"}
    answer = proposal.project().mergerequests.create(data)
    assert (answer.detailed_merge_status, answer.merge_status, answer.prepared_at) == ("preparing", "checking", None)
    assert (answer.diff_refs, answer.changes_count) == (None, None)
    assert answer.sha == proposal.project().branches.get("other").commit["id"]
    found = proposal.project().mergerequests.get(answer.iid)
    assert (found.detailed_merge_status, found.changes_count) == ("mergeable", "1")
    assert found.prepared_at is not None
    (hook,) = proposal.hooks()[told:]
    assert (hook["object_attributes"]["action"], hook["object_attributes"]["merge_status"]) == ("open", "checking")
    assert hook["changes"]["merge_status"] == {"previous": "preparing", "current": "checking"}


def test_while_it_is_preparing_nothing_is_told_and_nothing_can_be_merged(proposal: Proposal) -> None:
    """The state machine of app/models/merge_request.rb: `preparing` is neither mergeable nor to be checked."""
    hold(proposal, "preparation")
    proposal.commit(lines(l3="three"), branch="other", start_branch="main")
    told = len(proposal.hooks())
    data = {"source_branch": "other", "target_branch": "main", "title": "Three"}
    request = proposal.project("mara").mergerequests.create(data)
    assert proposal.project().mergerequests.get(request.iid).detailed_merge_status == "preparing"
    assert len(proposal.hooks()) == told
    assert request.diffs.list(get_all=True) == []
    with pytest.raises(gitlab.GitlabError, match="405"):
        request.merge()
    release(proposal, "preparation")
    assert proposal.project().mergerequests.get(request.iid).detailed_merge_status == "mergeable"
    assert len(proposal.hooks()) == told + 1


def test_after_a_push_the_first_reading_says_checking_and_the_next_one_knows(proposal: Proposal) -> None:
    """lib/api/entities/merge_request_basic.rb: reading calls `check_mergeability(async: true)`; poll, the page says."""
    proposal.commit(lines(l10="TEN"))
    listed = proposal.project().mergerequests.list(get_all=True)[0]
    assert (listed.detailed_merge_status, listed.merge_status) == ("unchecked", "unchecked")  # a list looks at nothing
    first = proposal.seen_by()
    assert (first.detailed_merge_status, first.merge_status, first.has_conflicts) == ("checking", "checking", False)
    known = proposal.seen_by()
    assert (known.detailed_merge_status, known.merge_status) == ("mergeable", "can_be_merged")


def test_a_check_can_take_its_time(proposal: Proposal) -> None:
    """MergeabilityCheckService is a job of its own; meanwhile the status stays `checking`."""
    hold(proposal, "merge_check")
    proposal.commit(lines(l10="TEN"))
    assert [status(proposal) for _ in range(3)] == ["checking"] * 3
    release(proposal, "merge_check")
    assert status(proposal) == "mergeable"


def test_a_push_to_the_target_makes_the_status_unknown_too(proposal: Proposal) -> None:
    """MergeRequests::RefreshService: merge requests by source or target branch are marked as unchecked."""
    assert status(proposal) == "mergeable"
    proposal.commit("x\n", who="mara", branch="main", path="x.txt", action="create")
    assert [status(proposal), status(proposal)] == ["checking", "mergeable"]


def test_a_conflict_is_told_once_it_is_known(proposal: Proposal) -> None:
    """CheckConflictStatusService; `has_conflicts` is false unless the status is `cannot_be_merged`."""
    proposal.commit(lines(l10="zehn"), who="mara", branch="main")
    assert proposal.seen_by().has_conflicts is False
    found = proposal.seen_by()
    known = (found.detailed_merge_status, found.merge_status, found.has_conflicts)
    assert known == ("conflict", "cannot_be_merged", True)
    proposal.commit("x\n", path="x.txt", action="create")
    listed = proposal.project().mergerequests.list(get_all=True)[0]
    assert listed.merge_status == "cannot_be_merged_recheck"
    assert (listed.detailed_merge_status, listed.has_conflicts) == ("conflict", False)
    assert [status(proposal), status(proposal)] == ["checking", "conflict"]


def test_a_closed_one_is_not_open_and_a_draft_says_so_whatever_else_there_is(proposal: Proposal) -> None:
    """MergeRequest.mergeable_state_checks_by_tier of 19.1: open and draft are looked at first."""
    set_up(proposal, only_allow_merge_if_all_discussions_are_resolved=True)
    proposal.seen_by().discussions.create({"body": "Why?"})
    assert settle(proposal).detailed_merge_status == "discussions_not_resolved"
    request = proposal.seen_by()
    request.title = "Draft: Fix ten"
    request.save()
    assert (request.draft, status(proposal)) == (True, "draft_status")
    request.state_event = "close"
    request.save()
    assert status(proposal) == "not_open"


def test_becoming_a_draft_and_ready_is_noted_and_told(proposal: Proposal) -> None:
    """SystemNotes::MergeRequestsService#handle_merge_request_draft; webhook_events.md: `changes.draft`."""
    request = proposal.seen_by()
    for title in ("Draft: Fix ten", "Fix ten"):
        request.title = title
        request.save()
    drafts = [one["changes"]["draft"] for one in proposal.hooks() if "draft" in one["changes"]]
    assert drafts == [{"previous": False, "current": True}, {"previous": True, "current": False}]
    notes = request.notes.list(get_all=True, sort="asc", activity_filter="only_activity")
    assert [note.body for note in notes] == [
        "marked this merge request as **draft**",
        "marked this merge request as **ready**",
    ]


def test_without_commits_there_is_nothing_to_merge(proposal: Proposal) -> None:
    """doc/api/merge_requests.md: `commits_status`, the source branch must exist and contain commits."""
    proposal.commit(lines(l10="ten"), who="mara", branch="main")
    proposal.seen_by().rebase()
    found = settle(proposal)
    assert found.sha == proposal.project().branches.get("main").commit["id"]
    assert (found.state, found.detailed_merge_status, found.has_conflicts) == ("opened", "commits_status", True)
    with pytest.raises(gitlab.GitlabError, match="405"):
        proposal.seen_by("mara").merge()
    proposal.commit("x\n", path="x.txt", action="create")
    assert settle(proposal).detailed_merge_status == "mergeable"


def test_where_merging_needs_a_fast_forward_a_target_that_went_on_asks_for_a_rebase(proposal: Proposal) -> None:
    """CheckRebaseStatusService: `ff_merge_must_be_possible?`, for the methods `ff` and `rebase_merge`."""
    proposal.commit("x\n", who="mara", branch="main", path="x.txt", action="create")
    assert settle(proposal).detailed_merge_status == "mergeable"
    for method in ("ff", "rebase_merge"):
        set_up(proposal, merge_method=method)
        assert settle(proposal).detailed_merge_status == "need_rebase"
    set_up(proposal, merge_method="merge")
    assert settle(proposal).detailed_merge_status == "mergeable"


def test_pipelines_hinder_nothing_unless_the_project_says_that_they_must_succeed(proposal: Proposal) -> None:
    """CheckCiStatusService: inactive unless `only_allow_merge_if_pipeline_succeeds`; a failed one is `mergeable`."""
    sha = proposal.seen_by().sha
    for told in ("failed", "running"):
        proposal.emulated.state.pipelines = Pipelines(**{sha: told})
        assert status(proposal) == "mergeable"
    set_up(proposal, only_allow_merge_if_pipeline_succeeds=True)
    words = {
        "created": "ci_still_running",
        "running": "ci_still_running",
        "manual": "ci_still_running",
        "failed": "ci_must_pass",
        "canceled": "ci_must_pass",
        "skipped": "ci_must_pass",
        "success": "mergeable",
    }
    told = {}
    for word in words:
        proposal.emulated.state.pipelines = Pipelines(**{sha: word})
        told[word] = status(proposal)
    assert told == words
    proposal.emulated.state.pipelines = Pipelines()
    proposal.emulated.state.project("payk12/contacts").merge_requests[1].head_pipeline_id = None  # type: ignore[union-attr]
    assert status(proposal) == "ci_must_pass"


def test_skipped_pipelines_count_where_the_project_lets_them(proposal: Proposal) -> None:
    """CheckCiStatusService: `allow_merge_on_skipped_pipeline?`."""
    set_up(proposal, only_allow_merge_if_pipeline_succeeds=True, allow_merge_on_skipped_pipeline=True)
    proposal.emulated.state.pipelines = Pipelines(**{proposal.seen_by().sha: "skipped"})
    assert status(proposal) == "mergeable"


def test_the_head_pipeline_goes_stale_when_a_new_head_gets_none_and_does_not_count_then(proposal: Proposal) -> None:
    """app/models/merge_request.rb: `update_head_pipeline` keeps the old one; `diff_head_pipeline` compares the SHA."""
    old = proposal.seen_by().sha
    proposal.emulated.state.pipelines = Pipelines(**{old: "success"})
    set_up(proposal, only_allow_merge_if_pipeline_succeeds=True)
    assert (proposal.seen_by().head_pipeline["sha"], status(proposal)) == (old, "mergeable")
    pushed = proposal.commit(lines(l10="TEN"))
    found = settle(proposal)
    assert (found.sha, found.head_pipeline["sha"], found.head_pipeline["status"]) == (pushed.id, old, "success")
    assert found.detailed_merge_status == "ci_must_pass"


def test_the_head_pipeline_can_lag_behind(proposal: Proposal) -> None:
    """UpdateHeadPipelineForMergeRequestWorker is a job of its own."""
    old = proposal.seen_by().sha
    pipelines = proposal.emulated.state.pipelines = Pipelines(**{old: "success"})
    assert proposal.seen_by().head_pipeline["sha"] == old
    hold(proposal, "head_pipeline")
    pushed = proposal.commit(lines(l10="TEN"))
    pipelines.by_sha[pushed.id] = "running"
    assert proposal.seen_by().head_pipeline["sha"] == old
    release(proposal, "head_pipeline")
    assert proposal.seen_by().head_pipeline["sha"] == pushed.id


def test_any_status_can_be_told_for_a_test(proposal: Proposal) -> None:
    """doc/api/merge_requests.md lists more than the emulator computes; one that is not in the list comes some day."""
    for word in ("merge_time", "locked_paths", "a_word_of_tomorrow"):
        proposal.control("PUT", "merge_requests/status", project="payk12/contacts", iid=1, status=word)
        assert status(proposal) == word
    proposal.control("PUT", "merge_requests/status", project="payk12/contacts", iid=1, status=None)
    assert status(proposal) == "mergeable"
    missing = proposal.control("PUT", "merge_requests/status", project="payk12/contacts", iid=9, status=None)
    assert (missing.status_code, "payk12/contacts!9" in missing.text) == (404, True)
