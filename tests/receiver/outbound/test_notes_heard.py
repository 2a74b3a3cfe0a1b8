"""Which notes on a merge request are heard when GitLab is asked for them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pipelines.language import ProjectPath
from receiver.hooks.gitlab import NOTE_MARKER
from receiver.outbound.effects.desk import Desk
from receiver.outbound.effects.merge_request_polling import unheard_notes
from receiver.outbound.gitlab.notes_api import Note
from receiver.workflow.run import MergeRequestView

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
BOT = 7


class Noted:
    """A GitLab with notes."""

    bot = BOT

    def __init__(self, *notes: Note) -> None:
        self.there = list(notes)

    @property
    def notes(self) -> "Noted":
        return self

    def since(self, _project: int, _iid: int, *, since: datetime) -> list[Note]:
        return [one for one in self.there if one.created_at >= since]


def note(number: int, *, author: int = 3, body: str = "/bug-fix retry", is_internal: bool = False) -> Note:
    return Note(id=number, author_id=author, body=body, is_internal=is_internal, created_at=NOW)


async def test_a_person_who_quotes_our_marker_is_heard_and_we_are_not() -> None:
    quoted = f"> {NOTE_MARKER}0123456789abcdef -->\n\n/bug-fix retry"
    there: Any = Noted(note(1), note(2, body=quoted), note(3, author=BOT), note(4, is_internal=True), note(5))
    desk = Desk(**dict.fromkeys(Desk.__struct_fields__) | {"repositories": there})
    known = MergeRequestView(repository=ProjectPath("payk12/contacts"), project_id=2, iid=1, state="opened")
    heard = await unheard_notes(desk, known, frozenset({5}), since=NOW)
    assert [(one.note, one.is_addressed) for one in heard] == [(1, True), (2, True)]  # type: ignore[union-attr]  # notes
