"""Suggestions through the real python-gitlab client, each fact of GitLab's with its source."""

from typing import Any

import gitlab
import pytest

from tests.sandbox.gitlab.conftest import Proposal, lines

pytestmark = pytest.mark.integration


def suggest(
    proposal: Proposal, text: str, *, reach: str = "", who: str = "bot", **position: Any
) -> tuple[Any, dict[str, Any]]:
    """Suggest a text for a line of the diff (10, which the merge request adds); give the thread and the suggestion."""
    place = proposal.place(**(position or {"new_line": 10}))
    body = f"Better so:\n\n```suggestion{reach}\n{text}\n```\n"
    thread = proposal.seen_by(who).discussions.create({"body": body, "position": place})
    return thread, thread.attributes["notes"][0]["suggestions"][0]


def read(proposal: Proposal, thread: Any) -> dict[str, Any]:
    """Read the suggestion of a thread's first note again."""
    found: dict[str, Any] = proposal.seen_by().discussions.get(thread.id).attributes["notes"][0]["suggestions"][0]
    return found


def apply(proposal: Proposal, *ids: int, who: str = "mara", **more: Any) -> Any:
    client = proposal.emulated.client(who)
    if len(ids) == 1:
        return client.http_put(f"/suggestions/{ids[0]}/apply", post_data=more)
    return client.http_put("/suggestions/batch_apply", post_data={"ids": list(ids), **more})


def refused(proposal: Proposal, *ids: int, who: str = "mara") -> tuple[int | None, str]:
    with pytest.raises(gitlab.GitlabHttpError) as caught:
        apply(proposal, *ids, who=who)
    return caught.value.response_code, str(caught.value.error_message)


def content(proposal: Proposal) -> str:
    return str(proposal.project().files.raw(proposal.file, ref="fix").decode())


def test_a_block_in_a_note_on_the_diff_is_a_suggestion_for_the_lines_around_it(proposal: Proposal) -> None:
    """lib/gitlab/diff/suggestions_parser.rb and suggestion.rb; API_Entities_Suggestion."""
    _, one = suggest(proposal, "TEN")
    shape = {"from_line": 10, "to_line": 10, "appliable": True, "applied": False}
    assert one == {"id": one["id"], **shape, "from_content": "ten\n", "to_content": "TEN\n"}
    _, three = suggest(proposal, "nine\nTEN\neleven", reach=":-1+1")
    assert (three["from_line"], three["to_line"]) == (9, 11)
    assert three["from_content"] == "line 9\nten\nline 11\n"
    assert three["to_content"] == "nine\nTEN\neleven\n"
    _, empty = suggest(proposal, "")
    assert empty["to_content"] == ""


def test_only_notes_on_lines_that_are_still_there_have_suggestions(proposal: Proposal) -> None:
    """app/models/diff_note.rb: `supports_suggestion?`; Entities::Note shows them for notes on the diff only."""
    block = "```suggestion\nx\n```"
    removed = proposal.seen_by().discussions.create({"body": block, "position": proposal.place(old_line=10)})
    assert removed.attributes["notes"][0]["suggestions"] == []
    plain = proposal.seen_by().discussions.create({"body": block})
    assert "suggestions" not in plain.attributes["notes"][0]
    assert not hasattr(proposal.seen_by().notes.create({"body": block}), "suggestions")


def test_a_reply_on_the_diff_and_a_note_with_two_blocks_suggest_too(proposal: Proposal) -> None:
    """A reply takes over its thread's position (Discussion#reply_attributes); each block is one suggestion."""
    thread, _ = suggest(proposal, "TEN")
    body = "```suggestion\nX\n```\nor\n````suggestion:-1+0\nY\n````"
    reply = proposal.seen_by("mara").discussions.get(thread.id).notes.create({"body": body})
    shapes = [(one["from_line"], one["to_line"], one["to_content"]) for one in reply.suggestions]
    assert shapes == [(10, 10, "X\n"), (9, 10, "Y\n")]


def test_editing_a_note_makes_its_suggestions_anew_with_other_ids(proposal: Proposal) -> None:
    """app/services/notes/update_service.rb: `note.suggestions.delete_all`, then CreateService."""
    thread, old = suggest(proposal, "TEN")
    note = proposal.seen_by().notes.get(thread.attributes["notes"][0]["id"])
    note.body = "```suggestion\nTEN!\n```"
    note.save()
    new = read(proposal, thread)
    assert new["to_content"] == "TEN!\n"
    assert new["id"] != old["id"]
    assert refused(proposal, old["id"]) == (404, "Suggestion is not applicable as the suggestion was not found.")


def test_applying_commits_as_the_one_who_suggested_it(proposal: Proposal) -> None:
    """Suggestions::ApplyService: `author_name: author&.name`; lib/gitlab/suggestions/commit_message.rb."""
    thread, one = suggest(proposal, "TEN")
    apply(proposal, one["id"])
    assert content(proposal) == lines(l10="TEN")
    commit = proposal.project().commits.get(proposal.seen_by().sha)
    assert (
        commit.message.strip()
        == "Apply 1 suggestion(s) to 1 file(s)\n\nCo-authored-by: Bug-Fix <bug-fix-bot@sandbox.invalid>"
    )
    assert (commit.author_name, commit.committer_name) == ("Bug-Fix", "Mara Lindqvist")
    found = read(proposal, thread)
    assert (found["applied"], found["appliable"]) == (True, False)


def test_the_answer_to_applying_shows_the_suggestion_as_it_was_before(proposal: Proposal) -> None:
    """doc/api/suggestions.md, both examples: `"applied": false`; ApplyService updates rows and not the object."""
    _, one = suggest(proposal, "TEN")
    assert apply(proposal, one["id"]) == one


def test_applying_leaves_the_thread_open_where_the_project_does_not_resolve_outdated_ones(proposal: Proposal) -> None:
    """Suggestions::ApplyService resolves nothing: it is GitLab's page that resolves the thread."""
    thread, one = suggest(proposal, "TEN")
    apply(proposal, one["id"])
    assert proposal.seen_by().discussions.get(thread.id).attributes["notes"][0]["resolved"] is False


def test_applying_is_told_as_a_push_and_as_an_update_with_the_old_head(proposal: Proposal) -> None:
    """webhook_events.md: `oldrev` is there when new code is pushed, or a suggestion is applied."""
    _, one = suggest(proposal, "TEN")
    head = proposal.seen_by().sha
    pushes, updates = len(proposal.hooks("Push Hook")), len(proposal.hooks())
    apply(proposal, one["id"])
    assert len(proposal.hooks("Push Hook")) == pushes + 1
    (told,) = proposal.hooks()[updates:]
    assert (told["object_attributes"]["action"], told["object_attributes"]["oldrev"]) == ("update", head)
    assert told["user"]["username"] == "mara"


def test_several_are_applied_as_one_commit(proposal: Proposal) -> None:
    """PUT /suggestions/batch_apply; with more than one author the commit is by who applied."""
    one = suggest(proposal, "TEN\nten and a half")[1]
    two = suggest(proposal, "FIFTEEN", who="tomas", old_line=15, new_line=15)[1]
    before = len(list(proposal.seen_by().commits(get_all=True)))
    shapes = apply(proposal, one["id"], two["id"], commit_message="Take %{suggestions_count} of %{username}'s")
    assert [shape["id"] for shape in shapes] == [one["id"], two["id"]]
    assert content(proposal) == lines(l10="TEN\nten and a half", l15="FIFTEEN")
    commits = list(proposal.seen_by().commits(get_all=True))
    assert (len(commits), commits[0].message.strip()) == (before + 1, "Take 2 of mara's")
    assert commits[0].author_name == "Mara Lindqvist"


def test_one_that_cannot_be_applied_refuses_the_whole_batch(proposal: Proposal) -> None:
    """lib/gitlab/suggestions/suggestion_set.rb; lib/api/suggestions.rb for those that are not there."""
    one, two = suggest(proposal, "TEN")[1], suggest(proposal, "TEN!")[1]
    wide = suggest(proposal, "x", reach=":-0+3")[1]
    same = suggest(proposal, "ten")[1]
    overlap = (400, "Suggestions are not applicable as their lines cannot overlap.")
    assert refused(proposal, one["id"], two["id"]) == overlap
    assert refused(proposal, one["id"], wide["id"]) == overlap
    assert refused(proposal, one["id"], same["id"]) == (400, "This suggestion already matches its content.")
    missing = "Suggestions are not applicable as one or more suggestions were not found."
    assert refused(proposal, one["id"], 4711) == (404, missing)
    assert content(proposal) == lines(l10="ten")


def test_who_may_not_push_to_the_branch_gets_403(proposal: Proposal) -> None:
    """doc/api/suggestions.md: at least the Developer role; spec/requests/api/suggestions_spec.rb: 403 for reporters."""
    _, one = suggest(proposal, "TEN")
    assert refused(proposal, one["id"], who="starter") == (403, "403 Forbidden")
    with pytest.raises(gitlab.GitlabHttpError, match="id is invalid"):
        proposal.emulated.client("mara").http_put("/suggestions/foo-123/apply")


def test_a_push_that_leaves_the_line_alone_moves_the_suggestion_to_the_new_head(proposal: Proposal) -> None:
    """Discussions::UpdateDiffPositionService: GitLab does that by itself; nobody has to suggest again."""
    thread, _ = suggest(proposal, "TEN")
    proposal.commit(lines(l1=None, l10="ten"))
    found = read(proposal, thread)
    assert (found["from_line"], found["to_line"], found["appliable"]) == (9, 9, True)
    apply(proposal, found["id"])
    assert content(proposal) == lines(l1=None, l10="TEN")


def test_a_push_to_another_file_leaves_the_suggestion_appliable(proposal: Proposal) -> None:
    """As above: what counts are the lines, not the head at which it was suggested."""
    thread, _ = suggest(proposal, "TEN")
    proposal.commit("x\n", path="other.txt", action="create")
    found = read(proposal, thread)
    assert found["appliable"] is True
    apply(proposal, found["id"])


def test_a_push_that_changes_the_line_makes_the_suggestion_inapplicable(proposal: Proposal) -> None:
    """app/models/suggestion.rb: `!note.active?`, told as one line or as several."""
    (thread, one), (_, several) = suggest(proposal, "TEN"), suggest(proposal, "x", reach=":-1+0")
    proposal.commit(lines(l10="Ten"))
    assert read(proposal, thread)["appliable"] is False
    assert refused(proposal, one["id"]) == (400, "Can't apply as this line was changed in a more recent version.")
    assert refused(proposal, several["id"]) == (
        400,
        "Can't apply as these lines were changed in a more recent version.",
    )


def test_a_push_that_changes_a_line_beside_the_notes_own_outdates_a_suggestion_that_reaches_there(
    proposal: Proposal,
) -> None:
    """Suggestions::OutdateService: the note moves along, yet what the suggestion replaces is another text now."""
    (near, _), (far, several) = suggest(proposal, "TEN"), suggest(proposal, "x", reach=":-1+1")
    proposal.commit(lines(l9="nine", l10="ten"))
    assert read(proposal, near)["appliable"] is True
    assert read(proposal, far)["appliable"] is False
    assert refused(proposal, several["id"]) == (
        400,
        "Can't apply as these lines were changed in a more recent version.",
    )


def test_applying_one_of_two_for_the_same_line_outdates_the_other_and_moves_those_below(proposal: Proposal) -> None:
    """An applied suggestion is a push like any other."""
    (_, one), (other, two) = suggest(proposal, "TEN\nand more"), suggest(proposal, "TEN!")
    below, _ = suggest(proposal, "FIFTEEN", old_line=15, new_line=15)
    apply(proposal, one["id"])
    assert read(proposal, other)["appliable"] is False
    assert refused(proposal, two["id"])[0] == 400
    assert refused(proposal, one["id"]) == (400, "Can't apply this suggestion.")
    moved = read(proposal, below)
    assert (moved["from_line"], moved["appliable"]) == (16, True)
    apply(proposal, moved["id"])
    assert content(proposal) == lines(l10="TEN\nand more", l15="FIFTEEN")


def test_until_the_diff_has_reloaded_after_a_push_no_suggestion_can_be_applied(proposal: Proposal) -> None:
    """SuggestionSet#latest_source_head?: `A file has been changed.`; the reload comes a moment after the push."""
    thread, one = suggest(proposal, "TEN")
    old = proposal.seen_by().sha
    proposal.control("POST", "background/hold", step="diff_reload").raise_for_status()
    pushed = proposal.commit("x\n", path="other.txt", action="create")
    assert proposal.seen_by().sha == old
    assert read(proposal, thread)["appliable"] is True  # as far as GitLab knows by now
    assert refused(proposal, one["id"]) == (400, "A file has been changed.")
    released = proposal.control("POST", "background/release", step="diff_reload")
    assert released.json() == {"held": [], "waiting": []}
    assert proposal.seen_by().sha == pushed.id
    apply(proposal, one["id"])
    assert content(proposal) == lines(l10="TEN")


def test_a_step_that_the_emulator_does_not_know_cannot_be_held(proposal: Proposal) -> None:
    """The emulator's own switch, loud as the others."""
    answer = proposal.control("POST", "background/hold", step="lunch")
    assert (answer.status_code, "'lunch'" in answer.text, "diff_reload" in answer.text) == (400, True, True)


def test_suggestions_of_a_closed_and_of_a_merged_request_cannot_be_applied(proposal: Proposal) -> None:
    """app/models/suggestion.rb: the sentences of `inapplicable_reason`."""
    thread, one = suggest(proposal, "TEN")
    request = proposal.seen_by("mara")
    request.state_event = "close"
    request.save()
    edit = "To apply this suggestion, edit this file directly."
    assert read(proposal, thread)["appliable"] is False
    assert refused(proposal, one["id"]) == (400, f"This merge request is closed. {edit}")
    request.state_event = "reopen"
    request.save()
    assert read(proposal, thread)["appliable"] is True
    proposal.seen_by("mara").merge()
    assert refused(proposal, one["id"]) == (400, f"This merge request was merged. {edit}")


def test_the_hook_of_an_edited_note_names_its_author_and_not_who_edited_it(proposal: Proposal) -> None:
    """app/services/notes/update_service.rb: `Gitlab::DataBuilder::Note.build(note, note.author, :update)`."""
    note = proposal.seen_by("tomas").notes.create({"body": "mine"})
    edited = proposal.seen_by("mara").notes.get(note.id)
    edited.body = "/bug-fix cancel"
    edited.save()
    told = proposal.hooks("Note Hook")[-1]
    assert (told["object_attributes"]["action"], told["user"]["username"]) == ("update", "tomas")
