"""One command from the note to its answer, on merge requests and on tickets."""

from typing import Any

import pytest

from tests.receiver.steering.conftest import Steered

pytestmark = [pytest.mark.integration, pytest.mark.anyio]


async def test_a_note_on_a_merge_request_is_answered_once_however_often_it_is_told(steered: Steered) -> None:
    note = steered.note("tomas", "/bug-fix status")
    for _ in range(3):
        await steered.hear(note)
        await steered.settle()
    (answer,) = steered.answers()
    assert "**Tomás Ferreira:** bug fix **waiting for review**" in answer
    assert f"/-/merge_requests/{steered.iid})" in answer
    (command,) = await steered.commands()
    assert (command.venue, command.place) == ("merge request", f"{steered.project_id}!{steered.iid}")
    assert (command.word, command.author_name, command.is_obeyed) == ("status", "Tomás Ferreira", True)
    assert len(await steered.effects("ReactToNote")) == 1
    assert (await steered.row()).status == "in_review"


async def test_a_comment_on_the_ticket_is_answered_once(steered: Steered, world: Any) -> None:
    before = len(world.comments())
    comment = world.say("dana", "/bug-fix status")
    for _ in range(2):
        await steered.hear_comment(comment)
        await steered.settle()
    said = [one["body"] for one in world.comments()[before:] if "Dana Whitfield:" in one["body"]]
    assert len(said) == 1
    assert "*Dana Whitfield:* bug fix *waiting for review*" in said[0]
