"""What people do in GitLab's pages: the acts of the demo's actors, and that GitLab's rules hold for them too."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.gitlab.people.acts import ACTS
from tests.sandbox.gitlab.conftest import Proposal, lines

pytestmark = pytest.mark.integration


def does(proposal: Proposal, who: str, act: str, **fields: Any) -> Any:
    answer = proposal.control("POST", f"people/{who}/{act}", **{"project": "payk12/contacts", **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(proposal: Proposal, who: str, act: str, **fields: Any) -> tuple[int, str]:
    answer = proposal.control("POST", f"people/{who}/{act}", **{"project": "payk12/contacts", **fields})
    assert answer.status_code >= 400
    return answer.status_code, answer.text


def thread_of(proposal: Proposal, note: int) -> Any:
    found = proposal.seen_by().discussions.list(get_all=True)
    return next(one for one in found if note in [each["id"] for each in one.attributes["notes"]])


def test_somebody_approves_and_takes_it_back_with_their_own_rights(proposal: Proposal) -> None:
    does(proposal, "mara", "approve", iid=1)
    approved_by = proposal.seen_by().approvals.get().approved_by
    assert [one["user"]["username"] for one in approved_by] == ["mara"]
    does(proposal, "mara", "unapprove", iid=1)
    assert proposal.seen_by().approvals.get().approved_by == []
    assert refused(proposal, "gwen", "approve", iid=1)[0] == 403


def test_somebody_says_something_on_its_own_in_a_thread_or_on_a_line(proposal: Proposal) -> None:
    plain = does(proposal, "tomas", "comment", iid=1, body="Hm.")
    assert (plain["type"], plain["author"]["username"]) == (None, "tomas")
    thread = does(proposal, "tomas", "comment", iid=1, body="Why?", thread=True)
    assert thread["notes"][0]["type"] == "DiscussionNote"
    for line, lines_of in ((10, (None, 10)), (3, (3, 3))):  # the first is added, the other unchanged
        on_line = does(proposal, "tomas", "comment", iid=1, body="Here.", path=proposal.file, line=line)
        position = on_line["notes"][0]["position"]
        assert (position["old_line"], position["new_line"]) == lines_of
    removed = does(proposal, "tomas", "comment", iid=1, body="Gone?", path=proposal.file, old_line=10)
    assert removed["notes"][0]["position"]["new_line"] is None


def test_somebody_answers_edits_and_settles_a_thread(proposal: Proposal) -> None:
    note = proposal.seen_by().discussions.create({"body": "Is it so?"}).attributes["notes"][0]["id"]
    reply = does(proposal, "mara", "answer", iid=1, note=note, body="Yes")
    does(proposal, "mara", "edit", iid=1, note=reply["id"], body="Yes.")
    assert [one["body"] for one in thread_of(proposal, note).attributes["notes"]] == ["Is it so?", "Yes."]
    does(proposal, "mara", "resolve", iid=1, note=reply["id"])
    assert all(one["resolved"] for one in thread_of(proposal, note).attributes["notes"])
    does(proposal, "mara", "unresolve", iid=1, note=note)
    assert not any(one["resolved"] for one in thread_of(proposal, note).attributes["notes"])
    does(proposal, "mara", "delete", iid=1, note=reply["id"])
    assert len(thread_of(proposal, note).attributes["notes"]) == 1


def test_an_answer_to_a_note_on_its_own_makes_a_thread_of_it(proposal: Proposal) -> None:
    note = proposal.seen_by().notes.create({"body": "Done."})
    does(proposal, "mara", "answer", iid=1, note=note.id, body="/bug-fix retry")
    (told,) = [one for one in proposal.hooks("Note Hook") if one["object_attributes"]["note"] == "/bug-fix retry"]
    assert told["object_attributes"]["discussion_id"] == thread_of(proposal, note.id).id


def test_somebody_reacts_and_takes_it_back(proposal: Proposal) -> None:
    note = proposal.seen_by().notes.create({"body": "Done."})
    does(proposal, "mara", "react", iid=1, note=note.id, emoji="thumbsup")
    does(proposal, "mara", "react", iid=1, emoji="tada")
    (award,) = proposal.seen_by().notes.get(note.id).awardemojis.list(get_all=True)
    assert (award.name, award.user["username"]) == ("thumbsup", "mara")
    does(proposal, "mara", "unreact", iid=1, note=note.id, emoji="thumbsup")
    assert proposal.seen_by().notes.get(note.id).awardemojis.list(get_all=True) == []
    assert refused(proposal, "mara", "unreact", iid=1, note=note.id, emoji="thumbsup")[0] == 404


def test_an_applied_suggestion_leaves_its_thread_resolved_as_the_page_does_it(proposal: Proposal) -> None:
    """The page resolves the thread after it has applied (app/assets/javascripts/notes, `submitSuggestion`)."""
    made = does(proposal, "bug-fix-bot", "suggest", iid=1, path=proposal.file, line=10, text="TEN", body="Louder:")
    note = made["notes"][0]
    does(proposal, "mara", "apply", iid=1, suggestions=[note["suggestions"][0]["id"]])
    assert proposal.project().files.raw(proposal.file, ref="fix").decode() == lines(l10="TEN")
    found = thread_of(proposal, note["id"]).attributes["notes"][0]
    assert (found["suggestions"][0]["applied"], found["resolved"]) == (True, True)
    assert found["resolved_by"]["username"] == "mara"


def test_a_dismissed_suggestion_is_a_resolved_thread_and_is_not_applied(proposal: Proposal) -> None:
    """GitLab has no such button: people resolve the thread."""
    made = does(proposal, "bug-fix-bot", "suggest", iid=1, path=proposal.file, line=10, text="TEN", lines_above=1)
    note = made["notes"][0]
    does(proposal, "mara", "dismiss", iid=1, note=note["id"])
    found = thread_of(proposal, note["id"]).attributes["notes"][0]
    assert (found["suggestions"][0]["applied"], found["resolved"]) == (False, True)
    assert found["suggestions"][0]["from_line"] == 9


def test_requested_changes_block_in_premium_until_the_same_person_approves(proposal: Proposal) -> None:
    """EE's CheckRequestedChangesService; UpdateReviewerStateService: `approved` takes the request away."""
    proposal.control("PUT", "tier", tier="premium")
    request = proposal.seen_by("mara")
    people = {one.username: one.id for one in proposal.project().members.list(get_all=True)}
    request.reviewer_ids = [people["mara"], people["tomas"]]
    request.save()
    does(proposal, "mara", "approve", iid=1)
    told = len(proposal.hooks())
    does(proposal, "mara", "review", iid=1, verdict="request_changes", body="Please not so loud.")
    assert proposal.seen_by().detailed_merge_status == "requested_changes"
    assert proposal.seen_by().approvals.get().approved_by == []
    states = {one.user["username"]: one.state for one in proposal.seen_by().reviewer_details.list(get_all=True)}
    assert states == {"mara": "requested_changes", "tomas": "unreviewed"}
    (hook,) = proposal.hooks()[told:]  # that the approval is gone: the review itself tells nobody
    assert hook["object_attributes"]["action"] == "unapproved"
    assert {one["username"]: one["state"] for one in hook["reviewers"]} == states
    does(proposal, "tomas", "review", iid=1, verdict="approve")
    assert proposal.seen_by().detailed_merge_status == "requested_changes"
    does(proposal, "mara", "review", iid=1, verdict="approve")
    assert proposal.seen_by().detailed_merge_status == "mergeable"


def test_requested_changes_block_nothing_in_the_free_tier(proposal: Proposal) -> None:
    """doc/user/project/merge_requests/reviews: to prevent the merge is Premium's."""
    does(proposal, "mara", "review", iid=1, verdict="request_changes")
    does(proposal, "tomas", "review", iid=1, verdict="comment", body="Fine with me.")
    assert proposal.seen_by().detailed_merge_status == "mergeable"
    noted = [one.body for one in proposal.seen_by().notes.list(get_all=True, activity_filter="only_activity")]
    assert "requested changes" in noted


def test_somebody_pushes_onto_the_branch_and_the_merge_request_follows(proposal: Proposal) -> None:
    made = does(proposal, "tomas", "push", iid=1, files={proposal.file: lines(l10="TEN"), "new.txt": "x\n"})
    found = proposal.seen_by()
    assert (found.sha, made["author_name"]) == (made["id"], "Tomás Ferreira")
    does(proposal, "tomas", "push", branch="other", files={"new.txt": "x\n"}, message="Begin")
    does(proposal, "tomas", "push", branch="other", files={"new.txt": None}, message="End")
    commits = proposal.project().commits.list(ref_name="other", get_all=True)
    assert [one.title for one in commits][:2] == ["End", "Begin"]
    assert refused(proposal, "tomas", "push", branch="main", files={"new.txt": "x\n"})[0] == 403


def test_somebody_makes_it_a_draft_closes_reopens_rebases_and_merges(proposal: Proposal) -> None:
    does(proposal, "tomas", "draft", iid=1)
    assert refused(proposal, "mara", "merge", iid=1)[0] == 405
    does(proposal, "tomas", "ready", iid=1)
    assert proposal.seen_by().title == "Fix ten"
    does(proposal, "tomas", "close", iid=1)
    does(proposal, "tomas", "reopen", iid=1)
    assert does(proposal, "tomas", "rebase", iid=1) == {"rebase_in_progress": True}
    assert refused(proposal, "tomas", "merge", iid=1)[0] == 401
    does(proposal, "mara", "merge", iid=1, sha=proposal.seen_by().sha)
    assert proposal.seen_by().merge_user["username"] == "mara"


def test_a_merge_is_reverted_by_a_merge_request_with_gitlabs_branch_title_and_description(proposal: Proposal) -> None:
    """Projects::CommitController#revert, `revert_branch_name`; the new page takes the one commit's title and text."""
    does(proposal, "mara", "merge", iid=1)
    sha = proposal.seen_by().merge_commit_sha
    made = does(proposal, "tomas", "revert", iid=1)
    found = proposal.project().mergerequests.get(made["iid"])
    assert (found.source_branch, found.target_branch) == (f"revert-{sha[:8]}", "main")
    assert (found.title, found.description) == (
        "Revert \"Merge branch 'fix' into 'main'\"",
        "This reverts merge request !1",
    )
    (commit,) = found.commits(get_all=True)
    assert (commit.title, commit.author_name) == (found.title, "Tomás Ferreira")
    does(proposal, "mara", "merge", iid=made["iid"])
    assert proposal.project().files.raw(proposal.file, ref="main").decode() == lines()


def test_a_merge_and_a_commit_are_reverted_by_a_commit(proposal: Proposal) -> None:
    does(proposal, "mara", "merge", iid=1)
    assert refused(proposal, "tomas", "revert", iid=1, by="commit")[0] == 403
    does(proposal, "mara", "revert", iid=1, by="commit")
    commit = does(proposal, "mara", "push", branch="main", files={"x.txt": "x\n"})
    made = does(proposal, "mara", "revert", sha=commit["id"], by="commit")
    assert made["message"].endswith(f"This reverts commit {commit['id']}")


def test_what_is_unknown_is_refused_by_name(proposal: Proposal) -> None:
    assert "there is no user ghost" in refused(proposal, "ghost", "approve", iid=1)[1]
    status, text = refused(proposal, "mara", "applaud", iid=1)
    assert (status, "applaud" in text, "approve" in text) == (400, True, True)
    status, text = refused(proposal, "mara", "approve", iid=1, loudly=True)
    assert (status, "loudly" in text, "project, iid" in text) == (400, True, True)
    assert refused(proposal, "mara", "resolve", iid=1, note=99)[0] == 404


def test_every_act_is_in_the_documentation() -> None:
    text = (Path(__file__).parents[3] / "docs" / "sandbox-gitlab.md").read_text(encoding="utf-8")
    assert [act for act in ACTS if f"`{act}`" not in text] == []
