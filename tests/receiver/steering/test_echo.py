"""The product never answers itself: not when its notes come back as a person's, and not for ever to anybody."""

import re
from typing import Any

import pytest

from receiver import limits
from receiver.workflow.commands import command_grammar
from receiver.workflow.commands.command_table import CommandWord
from tests.receiver.steering.conftest import Steered

pytestmark = [pytest.mark.integration, pytest.mark.anyio]


def of_bot(steered: Steered) -> list[Any]:
    notes = steered.as_("bot").mergerequests.get(steered.iid, lazy=True).notes.list(get_all=True, sort="asc")
    (bot,) = {note.author["id"] for note in notes if "bug-fix:run=" in note.body and note.author["username"] != "mara"}
    return [note for note in notes if note.author["id"] == bot]


async def test_each_of_our_notes_said_by_a_person_has_no_effect(steered: Steered) -> None:
    for word in CommandWord:
        await steered.say(
            "tomas", f"/bug-fix {word}" if word not in {"cancel", "escalate", "retry"} else "/bug-fix help"
        )
    ours = of_bot(steered)
    assert len(ours) >= len(CommandWord)
    before, commands = await steered.row(), len(await steered.commands())
    for note in ours:
        assert command_grammar.read_note(note.body) is None
        await steered.say("mara", note.body)
        await steered.say("mara", re.sub(r"(?s)<!--.*?-->\s*", "", note.body))
    after = await steered.row()
    assert (after.status, after.iteration) == (before.status, before.iteration)
    assert len(await steered.commands()) == commands
    assert len(of_bot(steered)) == len(ours)


async def test_who_answers_each_of_our_answers_with_a_command_is_left_alone_in_the_end(
    steered: Steered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ANSWERS_TO_ONE", 2)
    monkeypatch.setattr(limits, "COMMANDS_OF_ONE", 7)
    for _ in range(limits.ANSWERS_TO_ONE + 3):
        await steered.say("tomas", "/bug-fix reboot")
    answers = len(steered.answers())
    assert answers == limits.ANSWERS_TO_ONE + 3  # a developer is answered up to a higher bound
    for _ in range(limits.COMMANDS_OF_ONE):
        await steered.say("tomas", "/bug-fix status")
    assert len(steered.answers()) == limits.COMMANDS_OF_ONE
    decision = await steered.say("tomas", "/bug-fix cancel")
    assert decision.effects
    assert (await steered.row()).status == "in_review"
    await steered.say("mara", "/bug-fix cancel")
    assert (await steered.row()).status == "cancelled"
