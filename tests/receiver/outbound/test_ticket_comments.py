"""What a comment means is asked of Jira when it is acted on: what stands there, who wrote it, what they may."""

from datetime import UTC, datetime
from typing import Any

import httpx2
import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import select

from pipelines.language import IssueKey, RunId
from pipelines.language.catalogue import Confidential
from receiver import limits
from receiver.comments.command_line import Command
from receiver.outbound.effects.desk import Desk
from receiver.outbound.effects.performers import perform
from receiver.outbound.effects.ticket_comments import enough
from receiver.outbound.errors import UnavailableError
from receiver.store.effects import note_locations, outbox
from receiver.store.postgres.database import Database
from receiver.store.run import iterations, runs
from receiver.store.schema import PlanRow, ReportRow
from receiver.workflow.effects import (
    AnswerComment,
    CommentRefusal,
    PollTicket,
    PostPlan,
    ReadComment,
    RefreshTicket,
    UpdateTicketNote,
)
from receiver.workflow.events.message_events import CommentRead
from receiver.workflow.events.ticket_events import TicketRefreshed, TicketRefused
from receiver.workflow.person import AccountId, Directory, Person, Right
from receiver.workflow.run import RunStatus
from tests.changes import file_change
from tests.plans import a_plan
from tests.receiver.outbound.test_merge_requests import readme

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

MARA, TOMAS, DANA = "5b10ac8d82e05b22cc7d4ef5", "5b109f2e9729b51b54dc274d", "5b10a2844c20165700ede21g"
APPROVE = "/bug-fix approve"


@pytest.fixture
def asked(run: RunId) -> RunId:
    """Return a run whose ticket Dana reported, as Jira says."""
    return run


async def change(database: Database, run: RunId, **ticket: Any) -> None:
    async with database.begin() as session:
        row = await runs.hold(session, run)
        row.ticket = {**(row.ticket or {}), **ticket}
        row.confidential = bool(ticket.get("security_level"))


async def read(desk: Desk, run: RunId, comment: str) -> CommentRead:
    (event,) = (await perform(desk, run, ReadComment(comment=comment))).events
    assert isinstance(event, CommentRead)
    return event


def author_of(event: CommentRead) -> Person:
    assert event.author is not None
    return event.author


@pytest.mark.parametrize(("who", "right"), [("mara", Right.START), ("tomas", Right.START), ("dana", Right.REPORTER)])
async def test_who_wrote_a_command_may_what_the_catalogue_says(
    desk: Desk, asked: RunId, world: Any, who: str, right: Right
) -> None:
    event = await read(desk, asked, world.say(who, f"Right.\n\n{APPROVE}"))
    assert (event.ignored, event.command, author_of(event).rights) == ("", Command(word="approve"), (right,))


@pytest.mark.parametrize("said", [APPROVE, "It is O'Brien."])
async def test_the_reporter_is_whom_jira_names_now_and_not_whom_the_run_s_ticket_names(
    desk: Desk, asked: RunId, database: Database, world: Any, said: str
) -> None:
    comment = world.say("dana", said)
    await change(database, asked, reporter_account=TOMAS)
    assert author_of(await read(desk, asked, comment)).rights == (Right.REPORTER,)
    world.report(TOMAS)
    await change(database, asked, reporter_account=DANA)
    assert author_of(await read(desk, asked, comment)).rights == ()


async def test_the_author_counts_and_not_who_the_hook_names(desk: Desk, asked: RunId, world: Any) -> None:
    author = author_of(await read(desk, asked, world.say("dana", APPROVE)))
    assert (author.directory, author.account, author.name) == (Directory.JIRA, DANA, "Dana Whitfield")


@pytest.mark.parametrize(
    "quoted", ["{quote}\n/bug-fix approve\n{quote}", "{code}/bug-fix approve{code}", "bq. " + APPROVE]
)
async def test_what_is_quoted_or_code_commands_nothing(desk: Desk, asked: RunId, world: Any, quoted: str) -> None:
    assert (await read(desk, asked, world.say("mara", quoted))).command is None


async def test_an_edited_comment_counts_for_nothing(desk: Desk, asked: RunId, world: Any) -> None:
    comment = world.say("mara", "Let me see.")
    world.as_person("mara", "PUT", f"/comment/{comment}", {"body": APPROVE})
    assert "edited" in (await read(desk, asked, comment)).ignored


async def test_a_deleted_comment_counts_for_nothing(desk: Desk, asked: RunId, world: Any) -> None:
    comment = world.say("mara", APPROVE)
    world.as_person("mara", "DELETE", f"/comment/{comment}")
    assert "deleted" in (await read(desk, asked, comment)).ignored


async def test_our_own_comment_counts_for_nothing_whatever_it_says(desk: Desk, asked: RunId, world: Any) -> None:
    assert "our own" in (await read(desk, asked, world.say("bug-fix-bot", APPROVE))).ignored


INTERNAL = [{"key": "sd.public.comment", "value": {"internal": True}}]


@pytest.mark.parametrize(
    ("only", "readers", "is_internal"),
    [
        ({"visibility": {"type": "group", "value": "payk12-support"}}, Confidential(group="payk12-support"), False),
        ({"properties": INTERNAL}, None, True),
    ],
)
async def test_who_alone_reads_a_comment_is_told_and_none_of_its_words(
    desk: Desk,
    asked: RunId,
    world: Any,
    only: dict[str, Any],
    readers: Confidential | None,
    is_internal: bool,  # noqa: FBT001  # a table's column
) -> None:
    event = await read(desk, asked, world.say("dana", "It is her salary.", **only))
    assert (event.ignored, event.readers, event.is_internal) == ("", readers, is_internal)
    assert b"salary" not in msgspec.json.encode(event)


async def test_who_can_not_be_checked_may_nothing_and_the_reason_is_told(desk: Desk, asked: RunId, world: Any) -> None:
    comment = world.say("tomas", APPROVE)
    world_fault(world, path="/rest/api/2/user", status=403, times=5)
    author = author_of(await read(desk, asked, comment))
    assert (author.rights, author.has_any(Right)) == ((), False)
    assert "403" in author.unknown_because


@pytest.mark.parametrize("path", ["/rest/api/2/user", "/rest/api/2/issue/PL-479/comment/*"])
async def test_a_jira_that_breaks_is_asked_again_before_anything_is_decided(
    desk: Desk, asked: RunId, world: Any, path: str
) -> None:
    comment = world.say("tomas", APPROVE)
    desk.jira.account()
    world_fault(world, path=path, status=500, times=1)
    with pytest.raises(UnavailableError):
        await perform(desk, asked, ReadComment(comment=comment))
    assert author_of(await read(desk, asked, comment)).rights == (Right.START,)


async def test_the_reporters_answer_needs_no_permission_to_be_looked_up(desk: Desk, asked: RunId, world: Any) -> None:
    comment = world.say("dana", "In Firefox.")
    world_fault(world, path="/rest/api/2/user", status=403, times=5)
    assert author_of(await read(desk, asked, comment)).rights == (Right.REPORTER,)


def world_fault(world: Any, **switch: object) -> None:
    httpx2.post(f"{world.jira_url}/_sandbox/faults", json={"requests": [switch]}, timeout=60).raise_for_status()


async def test_an_answer_is_said_once_and_not_for_ever(desk: Desk, asked: RunId, world: Any) -> None:
    before = len(world.comments())
    for _ in range(3):
        await perform(desk, asked, AnswerComment(comment="77", text="Write `/bug-fix approve` alone on its line."))
    said = world.comments()[before:]
    assert [one["body"].splitlines()[0] for one in said] == ["Write {{/bug-fix approve}} alone on its line."]


def to(author: str, comment: int, *, may_start: bool = False) -> AnswerComment:
    return AnswerComment(comment=str(comment), text="No.", author=AccountId(author), may_start=may_start)


NOISE = [to("noisy", number) for number in range(limits.ANSWERS_TO_ONE)]
CROWD = [to(f"one-of-many-{number}", number) for number in range(limits.ANSWERS)]
CHATTY = [to("mara", number, may_start=True) for number in range(limits.COMMANDS_OF_ONE)]


@pytest.mark.parametrize(
    ("answered", "wanted", "is_enough"),
    [
        ([], to("dana", 99), False),
        (NOISE[1:], to("noisy", 99), False),
        (NOISE, to("noisy", 99), True),
        (NOISE, to("dana", 99), False),
        (NOISE, to("mara", 99, may_start=True), False),
        (CROWD[1:], to("dana", 99), False),
        (CROWD, to("dana", 99), True),
        (CROWD, to("mara", 99, may_start=True), False),
        (CHATTY, to("mara", 99, may_start=True), True),
        (CHATTY, to("tomas", 99, may_start=True), False),
        ([*CHATTY, *CROWD[1:]], to("dana", 99), False),
    ],
)
async def test_nobodys_nonsense_silences_somebody_else(
    answered: list[AnswerComment],
    wanted: AnswerComment,
    is_enough: bool,  # noqa: FBT001  # a table's column
) -> None:
    assert bool(enough(answered, wanted)) == is_enough


async def test_answers_are_counted_as_they_stand_on_the_ticket(
    desk: Desk, asked: RunId, database: Database, world: Any
) -> None:
    before = len(world.comments())
    for effect in (*(to("noisy", 100 + number) for number in range(limits.ANSWERS_TO_ONE + 2)), to("dana", 200)):
        async with database.begin() as session:
            (stored,) = await outbox.store(session, asked, (effect,), decision=None, origin="test", now=desk.clock())
        result = (await perform(desk, asked, effect)).result
        async with database.begin() as session:
            await outbox.finish(session, stored, state="done", now=desk.clock(), result=result)
    assert len(world.comments()) == before + limits.ANSWERS_TO_ONE + 1


async def test_comments_that_no_hook_told_of_are_found_and_only_those(
    desk: Desk, asked: RunId, database: Database, world: Any
) -> None:
    world.say("mara", "Before the question.")
    question = world.say("bug-fix-bot", "Which name?")
    async with database.begin() as session:
        await note_locations.keep(session, asked, "question:1", note_id=question, sha256="0" * 64, now=desk.clock())
        (await runs.hold(session, asked)).status = RunStatus.NEEDS_INFORMATION
    answer, command = world.say("dana", "O'Brien."), world.say("mara", APPROVE)
    found = (await perform(desk, asked, PollTicket())).events
    assert [(one.comment, one.is_addressed) for one in found] == [(answer, False), (command, True)]  # type: ignore[union-attr]  # all are IssueCommented


async def test_an_approval_is_of_the_plan_that_stood_there_before_it(
    desk: Desk, asked: RunId, database: Database, world: Any
) -> None:
    early = world.say("mara", APPROVE)
    assert (await read(desk, asked, early)).plan is None  # no plan was shown at all
    shown = world.say("bug-fix-bot", "Fix the apostrophe.")
    async with database.begin() as session:
        await note_locations.keep(session, asked, "plan:1", note_id=shown, sha256="0" * 64, now=desk.clock())
    assert (await read(desk, asked, early)).plan is None
    assert (await read(desk, asked, world.say("mara", APPROVE))).plan == 1


async def test_a_plan_that_may_not_stand_on_the_ticket_is_approved_after_it_began_to_wait(
    desk: Desk, asked: RunId, database: Database, world: Any
) -> None:
    early = world.say("mara", APPROVE)
    async with database.begin() as session:
        row = await runs.hold(session, asked)
        row.confidential = True
        await iterations.wait_for_people(session, row, now=datetime.now(UTC))
    assert (await read(desk, asked, early)).plan is None
    assert (await read(desk, asked, world.say("mara", APPROVE))).plan == 1


async def test_a_refreshed_ticket_has_the_answer_and_new_heads_but_none_of_our_words(
    desk: Desk, asked: RunId, world: Any
) -> None:
    await perform(desk, asked, UpdateTicketNote())
    world.say("dana", "It is O'Brien.")
    world.say("dana", "Her phone is 555.", visibility={"type": "group", "value": "payk12-support"})
    world.say("dana", "Her fax is 555.", properties=INTERNAL)
    (event,) = (await perform(desk, asked, refresh(None))).events
    assert isinstance(event, TicketRefreshed)
    said = [one.body for one in event.ticket.comments]
    assert said[-1] == "It is O'Brien."
    assert not [body for body in said if "bug-fix:run=" in body or "555" in body]
    assert event.base_shas == {"payk12/contacts": world.contacts.branches.get("main").commit["id"]}


def refresh(actor: str | None) -> RefreshTicket:
    return RefreshTicket(iteration=2, actor=None if actor is None else AccountId(actor), because="Dana answered.")


async def test_the_label_set_again_is_taken_from_the_reporter_and_from_those_who_may_start(
    desk: Desk, asked: RunId
) -> None:
    for actor in (MARA, DANA):
        assert isinstance((await perform(desk, asked, refresh(actor))).events[0], TicketRefreshed)
    (refused,) = (await perform(desk, asked, refresh("5b10ffffffffffffffffffff"))).events
    assert isinstance(refused, TicketRefused)
    assert "has to answer the question" in refused.reason


async def test_after_many_plans_the_label_is_taken_from_those_who_may_start_only(
    desk: Desk, asked: RunId, world: Any
) -> None:
    effect = replace(refresh(MARA), is_for_starters=True)
    assert isinstance((await perform(desk, asked, effect)).events[0], TicketRefreshed)
    (refused,) = (await perform(desk, asked, replace(effect, actor=AccountId(DANA)))).events
    assert isinstance(refused, TicketRefused)
    assert "waited for people 4 times" in refused.reason
    before = len(world.comments())
    for _ in range(2):
        await perform(desk, asked, CommentRefusal(issue_key=IssueKey("PL-479"), text=refused.reason))
    assert len(world.comments()) == before + 1


async def test_what_is_confidential_stands_in_a_restricted_comment_beside_the_neutral_one(
    desk: Desk, asked: RunId, database: Database, world: Any
) -> None:
    await change(database, asked, security_level="Internal")
    catalogue = desk.catalogue()
    jira = replace(catalogue.jira, confidential=Confidential(group="payk12-security"))
    async with database.begin() as session:
        row = await runs.hold(session, asked)
        row.reason = "Passwords are stored as they are typed."
        row.catalogue, row.names_readers = msgspec.to_builtins(replace(catalogue, jira=jira)), True
    before = {one["id"] for one in world.comments()}
    for _ in range(2):
        await perform(desk, asked, UpdateTicketNote())
    new = [one for one in world.comments() if one["id"] not in before]
    public = [one["body"] for one in new if "visibility" not in one]
    hidden = [one for one in new if "visibility" in one]
    assert [len(public), len(hidden)] == [1, 1]
    assert "Passwords" not in public[0]
    assert "Passwords are stored as they are typed." in hidden[0]["body"]
    assert hidden[0]["visibility"] == {"type": "group", "value": "payk12-security"}


async def test_where_nobody_is_named_nothing_but_the_neutral_comment_is_written(
    desk: Desk, asked: RunId, database: Database, world: Any
) -> None:
    await change(database, asked, security_level="Internal")
    before = len(world.comments())
    await perform(desk, asked, UpdateTicketNote())
    assert len(world.comments()) == before + 1


@pytest.fixture
async def planned(database: Database, asked: RunId, submit: Any, world: Any) -> RunId:
    """Give a run whose plan, about tokens, waits for approval."""
    await submit(asked, file_change("README.md", readme(world), readme(world) + "\nFixed.\n"))
    async with database.begin() as session:
        report = await session.scalar(select(ReportRow.id).limit(1))
        kept = msgspec.to_builtins(a_plan(title="Keep tokens out", location=None, repositories=[]))
        plan = PlanRow(run_id=asked, iteration=1, report_id=report, plan=kept, accepted_at=datetime.now(UTC))
        session.add(plan)
        await session.flush()
        row = await runs.hold(session, asked)
        row.status = "awaiting_approval"
        await iterations.wait_for_people(session, row, now=datetime.now(UTC))
    return asked


def plans(world: Any, run: RunId) -> list[str]:
    return [one["body"] for one in world.comments() if f"{run};plan:1" in one["body"]]


async def test_a_plan_is_for_nobody_once_the_level_was_taken_off(
    desk: Desk, planned: RunId, database: Database, world: Any
) -> None:
    await change(database, planned, security_level="Internal")  # as it was admitted; Jira has none now
    assert (await perform(desk, planned, PostPlan(iteration=1))).result == {
        "comment": None,
        "why": "It is confidential; the run's story has it.",
    }
    assert plans(world, planned) == []


async def test_a_plan_that_was_shown_is_taken_back_when_it_becomes_confidential(
    desk: Desk, planned: RunId, database: Database, world: Any
) -> None:
    await perform(desk, planned, PostPlan(iteration=1))
    (before,) = plans(world, planned)
    await change(database, planned, security_level="Internal")
    for _ in range(2):
        await perform(desk, planned, PostPlan(iteration=1))
    (after,) = plans(world, planned)
    assert after != before
    assert after.startswith("This bug fix has become confidential.")


async def test_a_comment_into_which_somebody_pasted_our_marker_is_not_edited(
    desk: Desk, planned: RunId, world: Any
) -> None:
    pasted = f"Mine. {desk.notes.marker(planned, 'plan:1')}"
    theirs = world.say("mara", pasted)
    done = await perform(desk, planned, PostPlan(iteration=1))
    assert done.result is not None
    assert done.result["comment"] != theirs
    assert sorted(one == pasted for one in plans(world, planned)) == [False, True]


async def test_a_plan_is_shown_where_jira_says_that_the_ticket_is_restricted(
    desk: Desk, planned: RunId, database: Database, world: Any
) -> None:
    await change(database, planned, security_level="Internal")
    world.restrict()
    try:
        await perform(desk, planned, PostPlan(iteration=1))
    finally:
        world.jira("PUT", "/rest/api/2/issue/PL-479", {"fields": {"security": None}})
    assert len(plans(world, planned)) == 1
