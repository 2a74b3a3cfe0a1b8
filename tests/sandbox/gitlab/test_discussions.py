"""Threads of merge requests through the real python-gitlab client, each fact of GitLab's with its source."""

import hashlib
from typing import Any

import gitlab
import httpx2
import pytest

from tests.sandbox.gitlab.conftest import Proposal, lines

pytestmark = pytest.mark.integration
NO_LINE = '400 Bad request - Note {:line_code=>["can\'t be blank", "must be a valid line code"]}'


def thread(proposal: Proposal, body: str = "Why?", *, who: str = "mara", **position: Any) -> Any:
    """Start a thread; with numbers of lines, one on the diff."""
    data: dict[str, Any] = {"body": body}
    if position:
        data["position"] = proposal.place(**position)
    return proposal.seen_by(who).discussions.create(data)


def first(proposal: Proposal, of: Any) -> dict[str, Any]:
    """Read the first note of a thread again."""
    found: dict[str, Any] = proposal.seen_by().discussions.get(of.id).attributes["notes"][0]
    return found


def refused(proposal: Proposal, **position: Any) -> str:
    with pytest.raises(gitlab.GitlabCreateError) as caught:
        thread(proposal, **position)
    assert caught.value.response_code == 400
    return str(caught.value.error_message)


def test_a_thread_holds_its_notes_and_a_note_on_its_own_becomes_one_by_a_reply(proposal: Proposal) -> None:
    """doc/api/discussions.md; `individual_note`, and Notes::BuildService: `discussion.convert_to_discussion!`."""
    alone = proposal.seen_by("tomas").notes.create({"body": "Alone"})
    made = thread(proposal)
    reply = proposal.seen_by("bot").discussions.get(made.id).notes.create({"body": "Because."})
    assert (alone.type, reply.type) == (None, "DiscussionNote")
    found = proposal.seen_by().discussions.list(get_all=True)
    shapes = [(one.attributes["individual_note"], [note["body"] for note in one.attributes["notes"]]) for one in found]
    assert shapes == [(True, ["Alone"]), (False, ["Why?", "Because."])]
    proposal.seen_by().discussions.get(found[0].id).notes.create({"body": "No more"})
    again = proposal.seen_by().discussions.get(found[0].id).attributes
    assert [(note["body"], note["type"]) for note in again["notes"]] == [
        ("Alone", "DiscussionNote"),
        ("No more", "DiscussionNote"),
    ]
    assert again["individual_note"] is False


def test_a_system_note_cannot_be_replied_to(proposal: Proposal) -> None:
    """lib/api/discussions.rb: replies to system notes are a bad request."""
    request = proposal.seen_by()
    request.state_event = "close"
    request.save()
    (closed,) = request.discussions.list(get_all=True)
    with pytest.raises(gitlab.GitlabCreateError, match="Replies to system notes are not allowed"):
        request.discussions.get(closed.id).notes.create({"body": "Why?"})
    with pytest.raises(gitlab.GitlabGetError, match="404 Discussion Not Found"):
        request.discussions.get("0" * 40)


def test_only_notes_of_threads_are_resolvable_and_say_whether_they_are_resolved(proposal: Proposal) -> None:
    """app/models/concerns/resolvable_note.rb: types DiffNote and DiscussionNote, no system notes."""
    alone = proposal.seen_by().notes.create({"body": "Alone"})
    assert alone.resolvable is False
    assert not hasattr(alone, "resolved")
    made = thread(proposal)
    note = first(proposal, made)
    assert (note["resolvable"], note["resolved"], note["resolved_by"], note["resolved_at"]) == (True, False, None, None)
    made.resolved = True
    made.save()
    note = first(proposal, made)
    assert (note["resolved"], note["resolved_by"]["username"]) == (True, "mara")
    made.resolved = False
    made.save()
    assert first(proposal, made)["resolved"] is False


def test_developers_and_the_author_of_the_merge_request_resolve_a_thread_the_others_get_403(proposal: Proposal) -> None:
    """lib/api/helpers/notes_helpers.rb: `forbidden! unless discussion.can_resolve?`; NotePolicy of GitLab."""
    made = thread(proposal, who="starter")
    theirs = proposal.seen_by("starter").discussions.get(made.id)
    theirs.resolved = True
    with pytest.raises(gitlab.GitlabUpdateError) as forbidden:
        theirs.save()
    assert forbidden.value.response_code == 403
    for who in ("bot", "tomas"):
        mine = proposal.seen_by(who).discussions.get(made.id)
        mine.resolved = True
        mine.save()
    proposal.seen_by().notes.create({"body": "Alone"})
    alone = proposal.seen_by().discussions.list(get_all=True)[-1]
    alone.resolved = True
    with pytest.raises(gitlab.GitlabUpdateError, match="403"):
        alone.save()


def test_one_note_of_a_thread_is_edited_or_resolved_never_both(proposal: Proposal) -> None:
    """lib/api/discussions.rb: `exactly_one_of :body, :resolved`."""
    made = thread(proposal)
    url = (
        f"/projects/payk12%2Fcontacts/merge_requests/1/discussions/{made.id}/notes/{made.attributes['notes'][0]['id']}"
    )
    client = proposal.emulated.client("mara")
    assert client.http_put(url, post_data={"resolved": True})["resolved"] is True
    assert client.http_put(url, post_data={"body": "How?"})["body"] == "How?"
    for data, sentence in (({}, "exactly one parameter"), ({"body": "x", "resolved": True}, "mutually exclusive")):
        with pytest.raises(gitlab.GitlabHttpError, match=sentence):
            client.http_put(url, post_data=data)


def test_open_threads_block_nothing_and_are_told_as_resolved_unless_the_project_asks_for_it(proposal: Proposal) -> None:
    """app/models/merge_request.rb: `mergeable_discussions_state?` is true without the project's setting."""
    thread(proposal)
    assert proposal.seen_by().blocking_discussions_resolved is True
    project = proposal.project("mara")
    project.only_allow_merge_if_all_discussions_are_resolved = True
    project.save()
    assert proposal.seen_by().blocking_discussions_resolved is False
    (made,) = proposal.seen_by().discussions.list(get_all=True)
    made.resolved = True
    made.save()
    assert proposal.seen_by().blocking_discussions_resolved is True


def test_when_the_last_open_thread_is_resolved_a_system_note_and_an_update_hook_say_so(proposal: Proposal) -> None:
    """MergeRequests::ResolvedDiscussionNotificationService; webhook_events.md: "All threads are resolved"."""
    two = [thread(proposal), thread(proposal)]
    told = len(proposal.hooks())
    for made in two:
        made.resolved = True
        made.save()
    hooks = proposal.hooks()[told:]
    assert [(one["object_attributes"]["action"], one["changes"]) for one in hooks] == [("update", {})]
    notes = proposal.seen_by().notes.list(get_all=True, activity_filter="only_activity")
    assert [note.body for note in notes] == ["resolved all threads"]
    two[0].resolved = False
    two[0].save()
    assert len(proposal.hooks()) == told + 1  # opening a thread again tells nobody


def test_a_reply_to_a_resolved_thread_leaves_it_resolved(proposal: Proposal) -> None:
    """app/services/notes/build_service.rb: `should_resolve = discussion.resolved?`."""
    made = thread(proposal)
    made.resolved = True
    made.save()
    reply = proposal.seen_by("tomas").discussions.get(made.id).notes.create({"body": "Thanks"})
    assert (reply.resolved, reply.resolved_by["username"]) == (True, "tomas")


def test_a_note_on_the_diff_needs_the_numbers_that_its_line_has(proposal: Proposal) -> None:
    """doc/api/discussions.md: added by `new_line` alone, removed by `old_line` alone, unchanged by both."""
    for numbers in ({"new_line": 10}, {"old_line": 10}, {"old_line": 9, "new_line": 9}):
        note = thread(proposal, **numbers).attributes["notes"][0]
        given = {key: value for key, value in note["position"].items() if value is not None and key.endswith("_line")}
        assert (note["type"], given) == ("DiffNote", numbers)
    assert refused(proposal, new_line=9) == NO_LINE
    assert refused(proposal, old_line=10, new_line=10) == NO_LINE
    assert refused(proposal, new_line=21) == NO_LINE


def test_each_line_of_a_changed_file_can_be_commented_on_and_none_of_an_unchanged_one(proposal: Proposal) -> None:
    """lib/gitlab/diff/position.rb unfolds the lines around a position; a file without changes is not in the diff."""
    assert thread(proposal, old_line=1, new_line=1).attributes["notes"][0]["type"] == "DiffNote"
    other = {"old_path": "src/contacts.py", "new_path": "src/contacts.py"}
    assert refused(proposal, old_line=1, new_line=1, **other) == NO_LINE


def test_a_position_of_commits_that_are_not_there_is_refused_with_the_same_sentence(proposal: Proposal) -> None:
    """Issue gitlab#296829, as doc/api/discussions.md names it."""
    assert refused(proposal, new_line=10, head_sha="f" * 40) == NO_LINE


def test_a_position_as_a_form_is_refused_by_name_instead_of_making_a_plain_thread(proposal: Proposal) -> None:
    """The emulator's own limit: GitLab takes `position[new_line]` in forms, too."""
    url = f"{proposal.emulated.url}/api/v4/projects/payk12%2Fcontacts/merge_requests/1/discussions"
    data = {"body": "x", "position[new_line]": "10"}
    answer = httpx2.post(url, data=data, headers={"private-token": proposal.emulated.token("bot")}, timeout=60)
    assert (answer.status_code, "position[new_line]" in answer.text) == (400, True)


def test_a_note_hook_tells_thread_position_and_line_code(proposal: Proposal) -> None:
    """lib/gitlab/hook_data/note_builder.rb; line code: doc/api/discussions.md#line-code."""
    made = thread(proposal, new_line=10)
    proposal.seen_by("tomas").discussions.get(made.id).notes.create({"body": "Because."})
    asked, answered = (one["object_attributes"] for one in proposal.hooks("Note Hook"))
    assert (asked["type"], asked["discussion_id"], answered["discussion_id"]) == ("DiffNote", made.id, made.id)
    path = hashlib.sha1(b"src/lines.txt", usedforsecurity=False).hexdigest()
    assert asked["line_code"] == f"{path}_11_10"
    place = {**proposal.place(new_line=10), "old_line": None, "line_range": None, "ignore_whitespace_change": False}
    assert asked["position"] == asked["original_position"] == answered["position"] == place
    assert (asked["change_position"], asked["resolved_at"], asked["resolved_by_id"]) == (None, None, None)


def test_a_push_moves_the_note_of_a_line_that_it_leaves_alone_to_the_new_head(proposal: Proposal) -> None:
    """Discussions::UpdateDiffPositionService; Gitlab::Diff::PositionTracer::LineStrategy."""
    added, unchanged = thread(proposal, new_line=10), thread(proposal, old_line=15, new_line=15)
    told = len(proposal.hooks("Note Hook"))
    pushed = proposal.commit(lines(l1=None, l10="ten"))
    note = first(proposal, added)
    assert (note["position"]["new_line"], note["position"]["head_sha"]) == (9, pushed.id)
    place = first(proposal, unchanged)["position"]
    assert (place["old_line"], place["new_line"], place["head_sha"]) == (15, 14, pushed.id)
    assert len(proposal.hooks("Note Hook")) == told


def test_a_push_that_changes_the_line_leaves_the_note_on_the_old_head_and_says_so_in_the_thread(
    proposal: Proposal,
) -> None:
    """UpdateDiffPositionService: `change_position`; SystemNotes: `changed this line in [version 2 of the diff]`."""
    made = thread(proposal, new_line=10)
    before = proposal.seen_by().sha
    told = len(proposal.hooks("Note Hook"))
    proposal.commit(lines(l10="TEN"))
    notes = proposal.seen_by().discussions.get(made.id).attributes["notes"]
    assert notes[0]["position"]["head_sha"] == before
    assert notes[0]["resolved"] is False
    assert notes[1]["system"] is True
    assert notes[1]["body"].startswith(
        "changed this line in [version 2 of the diff](/payk12/contacts/-/merge_requests/1"
    )
    assert len(proposal.hooks("Note Hook")) == told


def test_a_push_resolves_the_threads_that_it_outdates_only_where_the_project_wants_it(proposal: Proposal) -> None:
    """UpdateDiffPositionService: `project.resolve_outdated_diff_discussions?`."""
    project = proposal.project("mara")
    project.resolve_outdated_diff_discussions = True
    project.save()
    made = thread(proposal, new_line=10)
    proposal.commit(lines(l10="TEN"))
    note = first(proposal, made)
    assert (note["resolved"], note["resolved_by"]["username"]) == (True, "bug-fix-bot")
    assert "resolved all threads" in [one.body for one in proposal.seen_by().notes.list(get_all=True)]


def test_a_note_put_on_an_older_diff_is_brought_to_the_newest(proposal: Proposal) -> None:
    """app/models/concerns/diff_positionable_note.rb: `update_position` before creation."""
    old = proposal.place(new_line=10)
    pushed = proposal.commit(lines(l1=None, l10="ten"))
    made = proposal.seen_by("mara").discussions.create({"body": "Late", "position": old})
    place = made.attributes["notes"][0]["position"]
    assert (place["new_line"], place["head_sha"]) == (9, pushed.id)


def test_the_diff_of_a_merge_request_keeps_where_its_target_stood(proposal: Proposal) -> None:
    """MergeRequestDiff: `start_commit_sha` is the target's head when the diff was made, `base_commit_sha` the fork."""
    base = proposal.seen_by().diff_refs["base_sha"]
    main = proposal.commit("x\n", who="mara", branch="main", path="other.txt", action="create").id
    assert proposal.seen_by().diff_refs["start_sha"] == base  # a push to the target makes no new diff
    pushed = proposal.commit(lines(l10="TEN"))
    assert proposal.seen_by().diff_refs == {"base_sha": base, "start_sha": main, "head_sha": pushed.id}
    versions = proposal.seen_by().diffs.list(get_all=True)
    assert [one.start_commit_sha for one in versions] == [main, base]


def test_a_merge_request_whose_source_branch_is_deleted_is_closed(proposal: Proposal) -> None:
    """MergeRequests::RefreshService: `close_upon_missing_source_branch_ref`."""
    proposal.project().branches.delete("fix")
    assert proposal.seen_by().state == "closed"
    assert proposal.hooks()[-1]["object_attributes"]["action"] == "close"


def test_a_merge_request_whose_head_comes_into_its_target_by_a_push_is_merged(proposal: Proposal) -> None:
    """MergeRequests::RefreshService: `post_merge_manually_merged`."""
    head = proposal.seen_by().sha
    proposal.commit("x\n", who="mara", branch="main", path="x.txt", action="create", start_sha=head, force=True)
    found = proposal.seen_by()
    assert (found.state, found.merged_by["username"]) == ("merged", "mara")
    assert proposal.hooks()[-1]["object_attributes"]["action"] == "merge"
