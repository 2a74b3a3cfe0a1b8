"""Emoji on merge requests and on notes: what the real python-gitlab client gets, each fact with its source."""

import gitlab
import pytest

from sandbox.gitlab.hook_model import Event
from tests.sandbox.gitlab.conftest import Proposal

pytestmark = pytest.mark.integration


def test_a_note_and_a_merge_request_take_emoji_and_give_them_back(proposal: Proposal) -> None:
    """OpenAPI: GET, POST, DELETE …/award_emoji of merge requests and of notes; entity API_Entities_AwardEmoji."""
    request = proposal.seen_by("tomas")
    note = request.notes.create({"body": "Look"})
    for awarded, kind in ((note, "Note"), (request, "MergeRequest")):
        made = awarded.awardemojis.create({"name": "eyes"})
        assert (made.name, made.user["username"], made.awardable_type) == ("eyes", "tomas", kind)
        assert made.awardable_id == awarded.id
        assert awarded.awardemojis.get(made.id).created_at == made.created_at
        assert [one.id for one in awarded.awardemojis.list(get_all=True)] == [made.id]
        made.delete()
        assert awarded.awardemojis.list(get_all=True) == []


def test_the_same_emoji_of_the_same_user_again_is_answered_with_404(proposal: Proposal) -> None:
    """lib/api/award_emoji.rb: `not_found!("Award Emoji #{message}")`; AwardEmoji validates that the name is unique."""
    note = proposal.seen_by("tomas").notes.create({"body": "Look"})
    note.awardemojis.create({"name": "thumbsup"})
    with pytest.raises(gitlab.GitlabCreateError) as refused:
        note.awardemojis.create({"name": "+1"})  # an alias of the same one
    message = "404 Award Emoji Name has already been taken Not Found"
    assert (refused.value.response_code, refused.value.error_message) == (404, message)
    theirs = proposal.seen_by("mara").notes.get(note.id)
    assert theirs.awardemojis.create({"name": "thumbsup"}).user["username"] == "mara"


def test_a_name_that_is_no_emojis_is_answered_with_404_and_one_that_the_emulator_does_not_know_by_name(
    proposal: Proposal,
) -> None:
    """app/models/award_emoji.rb: `Name is not a valid emoji name`; the emulator's own list is short, and loud."""
    request = proposal.seen_by()
    with pytest.raises(gitlab.GitlabCreateError, match="404 Award Emoji Name is not a valid emoji name"):
        request.awardemojis.create({"name": ":eyes:"})
    with pytest.raises(gitlab.GitlabCreateError, match="does not know the emoji pizza"):
        request.awardemojis.create({"name": "pizza"})


def test_a_system_note_takes_no_emoji(proposal: Proposal) -> None:
    """app/services/award_emojis/add_service.rb: `Awardable cannot be awarded emoji`."""
    request = proposal.seen_by()
    request.state_event = "close"
    request.save()
    (note,) = request.notes.list(get_all=True, activity_filter="only_activity")
    with pytest.raises(gitlab.GitlabCreateError, match="404 Award Emoji Awardable cannot be awarded emoji"):
        note.awardemojis.create({"name": "eyes"})


def test_only_who_awarded_an_emoji_and_administrators_take_it_back_the_others_get_401(proposal: Proposal) -> None:
    """lib/api/award_emoji.rb: `unauthorized! unless award.user == current_user || current_user.admin?`."""
    note = proposal.seen_by("tomas").notes.create({"body": "Look"})
    mine, other = (note.awardemojis.create({"name": name}) for name in ("eyes", "heart"))
    for who in ("mara", "bot"):
        with pytest.raises(gitlab.GitlabAuthenticationError):
            proposal.seen_by(who).notes.get(note.id).awardemojis.delete(mine.id)
    proposal.seen_by("root").notes.get(note.id).awardemojis.delete(mine.id)
    assert [one.id for one in note.awardemojis.list(get_all=True)] == [other.id]


def test_thumbs_on_a_merge_request_are_its_upvotes_and_downvotes(proposal: Proposal) -> None:
    """OpenAPI: `upvotes` and `downvotes` of API_Entities_MergeRequestBasic."""
    for who, name in (("mara", "thumbsup"), ("tomas", "+1"), ("bot", "thumbsdown"), ("bot", "eyes")):
        proposal.seen_by(who).awardemojis.create({"name": name})
    found = proposal.seen_by()
    assert (found.upvotes, found.downvotes) == (2, 1)


def test_a_hook_that_wants_emoji_is_told_of_award_and_revoke(proposal: Proposal) -> None:
    """doc/user/project/integrations/webhook_events.md, Emoji events; lib/gitlab/data_builder/emoji.rb."""
    (hook,) = proposal.emulated.state.project("payk12/contacts").hooks.values()
    note = proposal.seen_by("tomas").notes.create({"body": "Look"})
    note.awardemojis.create({"name": "eyes"})
    assert proposal.hooks("Emoji Hook") == []
    hook.events.add(Event.EMOJI)
    made = note.awardemojis.create({"name": "heart"})
    made.delete()
    proposal.seen_by("mara").awardemojis.create({"name": "tada"})
    told = proposal.hooks("Emoji Hook")
    attributes = [one["object_attributes"] for one in told]
    assert [(one["action"], one["name"]) for one in attributes] == [
        ("award", "heart"),
        ("revoke", "heart"),
        ("award", "tada"),
    ]
    assert [one["event_type"] for one in told] == ["award", "revoke", "award"]
    assert told[0]["object_kind"] == "emoji"
    assert (told[0]["note"]["id"], told[0]["merge_request"]["iid"]) == (note.id, 1)
    assert told[0]["object_attributes"]["awarded_on_url"].endswith(f"/-/merge_requests/1#note_{note.id}")
    assert "note" not in told[2]
    assert (attributes[2]["awardable_type"], attributes[2]["awardable_id"]) == ("MergeRequest", proposal.seen_by().id)
