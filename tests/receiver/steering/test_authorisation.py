"""Who is heard on a merge request: each mechanism once, on the emulated GitLab. The table is in tests of the core."""

from collections.abc import Iterator
from typing import Any

import pytest

from receiver import limits
from receiver.store.schema import EffectRow
from tests.receiver.steering.conftest import Steered

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

CANCEL = "/bug-fix cancel"


async def is_untouched(steered: Steered) -> bool:
    row = await steered.row()
    done = {one.kind for one in await steered.effects()}
    return (row.status, row.iteration) == ("in_review", 1) and done <= {"ReactToNote", "ReadNote", "AnswerNote"}


@pytest.fixture
def roles(world: Any) -> Iterator[Any]:
    """Return a function that changes Tomás' access level in the project; it is as it was after the test."""
    (tomas,) = world.admin.users.list(username="tomas")
    member = world.contacts.members.get(tomas.id)

    def become(level: int) -> None:
        member.access_level = level
        member.save()

    yield become
    become(30)


async def test_a_developer_cancels_and_somebody_with_less_does_not(steered: Steered, roles: Any) -> None:
    roles(20)
    await steered.say("tomas", CANCEL)
    assert await is_untouched(steered)
    assert "You may not say `/bug-fix cancel`" in steered.answers()[-1]
    roles(30)
    await steered.say("tomas", CANCEL)
    assert (await steered.row()).status == "cancelled"
    assert [one.is_obeyed for one in await steered.commands()] == [False, True]


async def test_rights_count_at_the_moment_when_the_note_is_read(steered: Steered, roles: Any) -> None:
    note = steered.note("tomas", CANCEL)
    await steered.hear(note)
    roles(20)
    await steered.settle()
    assert await is_untouched(steered)


@pytest.mark.parametrize(
    "body",
    [
        "> /bug-fix cancel",
        "```\n/bug-fix cancel\n```",
        "`/bug-fix cancel`",
        "* /bug-fix cancel",
        ">>>\n/bug-fix cancel\n>>>",
        "please /bug-fix cancel",
    ],
)
async def test_what_is_quoted_code_or_prose_is_not_even_read(steered: Steered, body: str) -> None:
    await steered.say("mara", body)
    assert await steered.effects() == []


async def test_a_note_that_was_edited_before_it_was_read_counts_for_nothing(steered: Steered) -> None:
    note = steered.note("mara", "/bug-fix status")
    note.body = CANCEL
    note.save()
    await steered.hear(note, note="/bug-fix status")
    await steered.settle()
    assert await is_untouched(steered)
    assert steered.answers() == []
    edited = await steered.hear(note, action="update")
    assert "was edited" in edited.reason


async def test_a_note_that_only_some_see_counts_for_nothing(steered: Steered) -> None:
    decision = await steered.say("mara", CANCEL, internal=True)
    assert "confidential" in decision.reason
    note = steered.note("mara", CANCEL, internal=True)
    await steered.hear(note, internal=False)  # whatever a hook says of it
    await steered.settle()
    assert await is_untouched(steered)


async def test_a_note_that_was_deleted_counts_for_nothing(steered: Steered) -> None:
    note = steered.note("mara", CANCEL)
    note.delete()
    await steered.hear(note)
    await steered.settle()
    assert await is_untouched(steered)


async def test_our_own_notes_and_those_of_other_bots_count_for_nothing(steered: Steered, world: Any) -> None:
    own = steered.note("bot", CANCEL)
    decision = await steered.hear(own)
    assert decision.reason == "The note is our own."
    await steered.hear(own, author_id=steered.note("mara", "hello").author["id"])  # whatever a hook says of it
    await steered.settle()
    assert await is_untouched(steered)
    (starter,) = world.admin.users.list(username="bug-fix-starter")
    assert starter.bot


async def test_a_blocked_user_counts_for_nothing(steered: Steered, world: Any) -> None:
    note = steered.note("tomas", CANCEL)
    (tomas,) = world.admin.users.list(username="tomas")
    tomas.block()
    try:
        await steered.hear(note)
        await steered.settle()
    finally:
        tomas.unblock()
    assert await is_untouched(steered)
    assert steered.answers() == []


async def test_on_a_closed_merge_request_nothing_is_commanded_and_it_is_said(steered: Steered) -> None:
    note = steered.note("mara", CANCEL)
    request = steered.as_("mara").mergerequests.get(steered.iid)
    request.state_event = "close"
    request.save()
    await steered.hear(note)
    await steered.settle()
    assert await is_untouched(steered)
    assert "not open any more" in steered.answers()[-1]


async def test_a_note_on_another_merge_request_is_nobodys(steered: Steered) -> None:
    note = steered.note("mara", CANCEL)
    steered.iid += 500
    decision = await steered.hear(note)
    assert "is not a run's merge request" in decision.reason


async def test_a_403_on_the_look_up_of_a_member_denies_with_the_reason(steered: Steered, world: Any) -> None:
    steered.break_requests(world.gitlab_url, f"/api/v4/projects/{steered.project_id}/members/all/*", 403)
    await steered.say("mara", CANCEL)
    assert await is_untouched(steered)
    assert "It could not be checked whether you may do that" in steered.answers()[-1]
    assert "403" in steered.answers()[-1]


async def test_who_is_no_member_is_denied(steered: Steered, world: Any) -> None:
    steered.break_requests(world.gitlab_url, f"/api/v4/projects/{steered.project_id}/members/all/*", 404)
    await steered.say("mara", CANCEL)
    assert await is_untouched(steered)
    assert "You may not say" in steered.answers()[-1]


@pytest.mark.parametrize("status", [429, 500])
async def test_a_gitlab_that_recovers_is_asked_again_and_one_that_does_not_denies_with_the_reason(
    steered: Steered, world: Any, status: int
) -> None:
    path = f"/api/v4/projects/{steered.project_id}/members/all/*"
    steered.break_requests(world.gitlab_url, path, status, times=1)
    await steered.say("tomas", "/bug-fix status")
    assert "bug fix **waiting for review**" in steered.answers()[-1]
    steered.break_requests(world.gitlab_url, path, status, times=1)
    await steered.hear(steered.note("mara", CANCEL))
    async with steered.workshop.database.begin() as session:
        (wanted,) = [one for one in await steered.effects("ReadNote") if one.state == "pending"]
        row = await session.get_one(EffectRow, wanted.id)
        row.first_attempt_at = steered.workshop.setting.clock() - limits.EFFECT_GIVE_UP
    await steered.settle()
    assert await is_untouched(steered)
    assert f"{status}" in steered.answers()[-1]
    assert "nothing was done" in steered.answers()[-1]
