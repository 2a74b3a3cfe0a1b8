import secrets
from typing import Any

import httpx2
import pytest
from msgspec.structs import replace

from pipelines.language import IssueKey, ProjectPath, RunId
from pipelines.language.catalogue import Catalogue
from receiver import limits
from receiver.outbound.effects.desk import Desk
from receiver.outbound.effects.performers import perform
from receiver.outbound.effects.tickets import choose
from receiver.outbound.errors import RefusedError, UnavailableError
from receiver.outbound.jira.jira_client import Transition
from receiver.store.effects import outbox
from receiver.store.postgres.database import Database
from receiver.store.run import runs
from receiver.workflow.effects import (
    AdmitTicket,
    CommentRefusal,
    LinkTicket,
    OfferTurn,
    TransitionIssue,
    UpdateTicketNote,
)
from receiver.workflow.events.run_events import TurnOffered
from receiver.workflow.events.ticket_events import TicketAdmitted, TicketRefused
from receiver.workflow.person import AccountId
from receiver.workflow.run import RunStatus

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

PL_479 = IssueKey("PL-479")
MARA, TOMAS, DANA = "5b10ac8d82e05b22cc7d4ef5", "5b109f2e9729b51b54dc274d", "5b10a2844c20165700ede21g"


async def admitted(desk: Desk, run: RunId, actor: str | None) -> Any:
    effect = AdmitTicket(issue_key=PL_479, actor=None if actor is None else AccountId(actor))
    (event,) = (await perform(desk, run, effect)).events
    return event


async def test_somebody_allowed_starts_a_run_with_the_ticket_and_the_heads(desk: Desk, run: RunId, world: Any) -> None:
    event = await admitted(desk, run, MARA)
    assert isinstance(event, TicketAdmitted)
    assert event.ticket.summary == "Contact creation fails for names with an apostrophe"
    assert event.base_shas == {"payk12/contacts": world.contacts.branches.get("main").commit["id"]}


async def test_a_repository_that_is_gone_is_left_out_and_stops_no_ticket(
    desk: Desk, run: RunId, catalogue: Catalogue
) -> None:
    gone = ProjectPath("payk12/old-portal")
    entries = {**catalogue.repositories, gone: next(iter(catalogue.repositories.values()))}
    wider = replace(desk, catalogue=lambda: replace(catalogue, repositories=entries))
    done = await perform(wider, run, AdmitTicket(issue_key=PL_479, actor=AccountId(MARA)))
    (event,) = done.events
    assert isinstance(event, TicketAdmitted)
    assert set(event.base_shas) == {"payk12/contacts"}
    assert "404" in (done.result or {})["repositories_left_out"][gone]


async def test_a_catalogue_of_which_nothing_can_be_read_starts_nothing(
    desk: Desk, run: RunId, catalogue: Catalogue
) -> None:
    (entry,) = catalogue.repositories.values()
    empty = replace(desk, catalogue=lambda: replace(catalogue, repositories={ProjectPath("payk12/gone"): entry}))
    with pytest.raises(RefusedError, match=r"No repository of bug-fix\.yml can be read\. GitLab answered 404"):
        await perform(empty, run, AdmitTicket(issue_key=PL_479, actor=AccountId(MARA)))


async def test_a_member_of_an_allowed_group_may_start_a_run_and_others_may_not(desk: Desk, run: RunId) -> None:
    assert isinstance(await admitted(desk, run, TOMAS), TicketAdmitted)
    refused = await admitted(desk, run, DANA)
    assert isinstance(refused, TicketRefused)
    assert "jira.start.allowed" in refused.reason


async def test_a_label_that_was_taken_off_in_the_meantime_starts_nothing(desk: Desk, run: RunId, world: Any) -> None:
    world.jira("PUT", "/rest/api/2/issue/PL-479", {"update": {"labels": [{"set": []}]}})
    refused = await admitted(desk, run, MARA)
    assert isinstance(refused, TicketRefused)
    assert "removed" in refused.reason


@pytest.mark.parametrize(
    ("actor", "labels", "said"),
    [
        (MARA, ["bug-fix"], None),
        (TOMAS, ["bug-fix"], None),
        (MARA, [], "removed"),
        (DANA, ["bug-fix"], "jira.start.allowed"),
        (None, [], None),
    ],
)
async def test_when_a_turn_comes_label_and_permission_are_asked_again(
    desk: Desk, run: RunId, database: Database, world: Any, actor: str | None, labels: list[str], said: str | None
) -> None:
    world.jira("PUT", "/rest/api/2/issue/PL-479", {"update": {"labels": [{"set": labels}]}})
    async with database.begin() as session:
        (await runs.find(session, run)).actor = actor
    (event,) = (await perform(desk, run, OfferTurn())).events
    if said is None:
        assert isinstance(event, TurnOffered)
    else:
        assert isinstance(event, TicketRefused)
        assert said in event.reason


async def test_an_operator_needs_neither_label_nor_permission(desk: Desk, run: RunId, world: Any) -> None:
    world.jira("PUT", "/rest/api/2/issue/PL-479", {"update": {"labels": [{"set": []}]}})
    assert isinstance(await admitted(desk, run, None), TicketAdmitted)


async def test_the_status_comment_is_edited_in_place_and_made_anew_when_deleted(
    desk: Desk, run: RunId, world: Any
) -> None:
    before = {comment["id"] for comment in world.comments()}
    first = (await perform(desk, run, UpdateTicketNote())).result
    again = (await perform(desk, run, UpdateTicketNote())).result
    assert first == again
    assert first is not None
    (ours,) = [comment for comment in world.comments() if comment["id"] not in before]
    assert ours["id"] == first["comment"]
    desk.jira._api.comment("PL-479", ours["id"]).delete()
    third = (await perform(desk, run, UpdateTicketNote())).result
    assert third is not None
    assert {comment["id"] for comment in world.comments()} - before == {third["comment"]}


async def test_a_comment_written_before_a_crash_is_found_again(desk: Desk, run: RunId, world: Any) -> None:
    before = {comment["id"] for comment in world.comments()}
    written = desk.jira.add_comment("PL-479", f"Bug fix: … {desk.notes.marker(run)}")
    await perform(desk, run, UpdateTicketNote())
    assert {comment["id"] for comment in world.comments()} - before == {written}


async def test_a_refusal_is_said_once(desk: Desk, run: RunId, world: Any) -> None:
    before = len(world.comments())
    effect = CommentRefusal(issue_key=PL_479, text="The person who set the label may not start bug fixes.")
    for _ in range(3):
        await perform(desk, run, effect)
    assert len(world.comments()) == before + 1


async def test_somebody_who_sets_the_label_again_and_again_is_not_answered_for_ever(
    desk: Desk, database: Database, world: Any
) -> None:
    before = len(world.comments())
    results = []
    for author in [DANA] * (limits.REFUSALS_TO_ONE + 2) + [TOMAS]:
        run, effect = RunId(secrets.token_hex(8)), AdmitTicket(issue_key=PL_479, actor=AccountId(author))
        async with database.begin() as session:
            status = RunStatus.REFUSED
            await runs.create(
                session, run, issue_key="PL-479", status=status, actor=None, name="Dana", now=desk.clock()
            )
        (refused,) = (await perform(desk, run, effect)).events if author == DANA else (TicketRefused(reason="No."),)
        assert isinstance(refused, TicketRefused)
        told = CommentRefusal(issue_key=PL_479, text=refused.reason, author=refused.actor or AccountId(author))
        async with database.begin() as session:
            (stored,) = await outbox.store(session, run, (told,), decision=None, origin="test", now=desk.clock())
        results.append((await perform(desk, run, told)).result or {})
        async with database.begin() as session:
            await outbox.finish(session, stored, state="done", now=desk.clock(), result=results[-1])
    assert len(world.comments()) == before + limits.REFUSALS_TO_ONE + 1
    assert [one["comment"] is None for one in results] == [False] * limits.REFUSALS_TO_ONE + [True, True, False]
    assert "was told 8 times on this ticket" in results[limits.REFUSALS_TO_ONE]["why"]


async def test_a_ticket_is_moved_by_the_transition_that_leads_to_the_status(desk: Desk, run: RunId) -> None:
    for status in ("In Progress", "In Review"):
        await perform(desk, run, TransitionIssue(to_status=status))
        assert desk.jira.issue(PL_479).status == status
    assert (await perform(desk, run, TransitionIssue(to_status="in review"))).result == {
        "moved": False,
        "to": "in review",
    }


async def test_a_status_that_is_not_offered_is_a_sentence_and_no_failure(desk: Desk, run: RunId) -> None:
    done = await perform(desk, run, TransitionIssue(to_status="Deployed on Mars"))
    assert done.result is not None
    assert "offers no transition to Deployed on Mars" in done.remark
    assert done.then == (UpdateTicketNote(),)


def test_a_transition_that_asks_for_fields_is_not_taken_and_one_that_does_not_is() -> None:
    asks = Transition(id="1", name="Done with reason", to_status="Done", required=("Resolution",))
    free = Transition(id="2", name="Done", to_status="Done", required=())
    assert choose([asks], "done") == (
        None,
        "The ticket was left as it is: the transition to done asks for Resolution.",
    )
    assert choose([asks, free], "done")[0] is free


async def test_a_link_with_the_same_id_is_replaced(desk: Desk, run: RunId, world: Any) -> None:
    for number in (1, 2):
        url = f"https://gitlab.example.com/{number}"
        await perform(desk, run, LinkTicket(global_id="bug-fix:x", url=url, title="Pipeline"))
    links = world.jira("GET", "/rest/api/2/issue/PL-479/remotelink")
    assert [link["object"]["url"] for link in links if link["globalId"] == "bug-fix:x"] == [
        "https://gitlab.example.com/2"
    ]


async def test_a_busy_jira_is_told_with_the_time_it_asks_for(desk: Desk, run: RunId, world: Any) -> None:
    desk.jira.issue(PL_479)
    fault = {"requests": [{"path": "/rest/api/2/issue/PL-479", "status": 429, "retry_after": 7, "times": 1}]}
    httpx2.post(f"{world.jira_url}/_sandbox/faults", json=fault, timeout=60).raise_for_status()
    with pytest.raises(UnavailableError) as raised:
        await perform(desk, run, AdmitTicket(issue_key=PL_479, actor=None))
    assert raised.value.retry_after is not None
    assert raised.value.retry_after.total_seconds() == 7
