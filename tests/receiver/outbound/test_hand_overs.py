"""The hand-over as people see it in Jira and GitLab: complete, once, edited in place, and taken back."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from pipelines.language import Diagnosis, DiagnosisKind, Phase, ProjectPath, RunId
from pipelines.language.catalogue import Catalogue
from pipelines.language.repository import Commands
from receiver.outbound.effects.desk import Desk
from receiver.outbound.effects.performers import perform
from receiver.store.run import iterations, runs
from receiver.store.run.fold import Reader, fold
from receiver.store.schema import NoteRow, PipelineRow, UsageRow
from receiver.workflow.effects import HandOver, OpenMergeRequest, RemindTicket
from receiver.workflow.end_codes import EndCode
from receiver.workflow.run import Attempt, Cause, RunStatus
from tests.changes import file_change

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

CONTACTS = ProjectPath("payk12/contacts")
MARA = "5b10ac8d82e05b22cc7d4ef5"
LABEL = "bug-fix-escalated"


def failing(attempt: int, message: str) -> Diagnosis:
    return Diagnosis(
        kind=DiagnosisKind.FAILING_TESTS,
        phase=Phase.TESTING,
        repository=CONTACTS,
        tests=("tests/test_store.py::test_quotes",),
        messages=(message,),
        attempt=attempt,
    )


@pytest.fixture
def catalogue(catalogue: Catalogue) -> Catalogue:
    """Return the catalogue with commands, as a team has them."""
    commands = Commands(install="pip install -e .", test="python -m pytest")
    known = catalogue.repositories[CONTACTS]
    changed = replace(known, stack=replace(known.stack, commands=commands))
    return replace(catalogue, repositories={CONTACTS: changed})


async def escalate(desk: Desk, run: RunId, *, confidential: bool = False) -> None:
    """Let a run have ended after two attempts that failed."""
    now = datetime.now(UTC)
    async with desk.database.begin() as session:
        row = await runs.hold(session, run)
        first = failing(1, "expected O'Brien, got OBrien")
        await iterations.begin(session, row, Attempt(number=2, cause=Cause.FAILED, diagnoses=(first,)), now=now)
        row.status, row.status_at, row.actor = RunStatus.ESCALATED, now, MARA
        row.reason, row.reason_code = "Two tests still fail.", EndCode.FAILING_TESTS
        row.diagnosis = msgspec.to_builtins(failing(2, "expected two rows, got one"))
        row.confidential = confidential
        url = "https://gitlab.example/payk12/bug-fix/-/pipelines/100"
        facts = {"run_id": run, "status": "failed", "url": url, "seen_at": now}
        session.add(PipelineRow(id=100, project_id=1, iteration=2, **facts))
        for number, cost in ((1, "0.40"), (2, "0.25")):
            session.add(
                UsageRow(
                    call_id=f"{run}-{number}",
                    run_id=run,
                    iteration=number,
                    phase="implementation",
                    repository=CONTACTS,
                    purpose="work",
                    model="m",
                    state="settled",
                    reserved_usd=Decimal(1),
                    cost_usd=Decimal(cost),
                    reserved_at=now,
                )
            )


def comments(desk: Desk, run: RunId) -> list[str]:
    """Return the texts of our hand-overs on the ticket, without what no reader sees."""
    marker = desk.notes.marker(run, "hand_over")
    found = [one.text for one in desk.jira.comments("PL-479")]
    return [text.replace("\u2060", "") for text in found if text.rstrip().endswith(marker)]


def labels(desk: Desk) -> tuple[str, ...]:
    return desk.jira.issue("PL-479").ticket.labels  # type: ignore[arg-type]  # a key is a string


async def test_it_holds_all_that_people_need(desk: Desk, run: RunId) -> None:
    await escalate(desk, run)
    await perform(desk, run, HandOver())
    (text,) = comments(desk, run)
    for part in (
        "handed over to people",
        "The question:* Is what the failing tests expect right",
        "Two tests still fail.",
        "/bug-fix retry \\-\\- hint",
        "Attempt 1",
        "expected O'Brien, got OBrien",
        "$0.40",
        "Attempt 2",
        "expected two rows, got one",
        "$0.25",
        "$0.65 of $6.00",
        "nothing was committed",
    ):
        assert part in text, part


async def test_the_ticket_gets_a_label_and_stays_with_whom_it_was_assigned_to(desk: Desk, run: RunId) -> None:
    before = desk.jira.assignee("PL-479")
    await escalate(desk, run)
    await perform(desk, run, HandOver())
    assert LABEL in labels(desk)
    assert desk.jira.assignee("PL-479") == before != ""


async def test_a_ticket_of_nobody_is_assigned_to_who_asked_for_the_fix(desk: Desk, run: RunId, world: Any) -> None:
    world.as_person("mara", "PUT", "", {"fields": {"assignee": None}})
    assert desk.jira.assignee("PL-479") == ""
    await escalate(desk, run)
    await perform(desk, run, HandOver())
    assert desk.jira.assignee("PL-479") == MARA


async def test_who_is_unknown_to_jira_is_no_reason_to_hand_nothing_over(desk: Desk, run: RunId, world: Any) -> None:
    world.as_person("mara", "PUT", "", {"fields": {"assignee": None}})
    await escalate(desk, run)
    async with desk.database.begin() as session:
        (await runs.hold(session, run)).actor = "nobody-of-this-name"
    done = await perform(desk, run, HandOver())
    assert "could not be assigned" in done.remark
    assert len(comments(desk, run)) == 1


async def test_it_is_one_comment_that_says_so_when_somebody_goes_on(desk: Desk, run: RunId) -> None:
    await escalate(desk, run)
    await perform(desk, run, HandOver())
    await perform(desk, run, HandOver())
    async with desk.database.begin() as session:
        (await runs.hold(session, run)).status = RunStatus.STARTING
    await perform(desk, run, HandOver())
    (text,) = comments(desk, run)
    assert "taken up again" in text
    assert "What you can answer" not in text
    assert LABEL not in labels(desk)


async def test_a_later_run_takes_the_label_away_and_says_nothing(desk: Desk, run: RunId) -> None:
    desk.jira.mark("PL-479", label=LABEL, is_set=True)
    await perform(desk, run, HandOver())
    assert comments(desk, run) == []
    assert LABEL not in labels(desk)


async def test_of_a_confidential_run_only_the_label_is_seen(desk: Desk, run: RunId) -> None:
    await escalate(desk, run, confidential=True)
    await perform(desk, run, HandOver())
    assert comments(desk, run) == []
    assert LABEL in labels(desk)


async def test_the_reminder_is_a_comment_of_its_own(desk: Desk, run: RunId) -> None:
    await escalate(desk, run)
    before = len(desk.jira.comments("PL-479"))
    reminder = RemindTicket(text="The bug fix waits for an answer.", since=datetime.now(UTC))
    for _ in range(2):
        await perform(desk, run, reminder)
    assert len(desk.jira.comments("PL-479")) == before + 1


async def test_it_stands_on_the_merge_request_with_the_commands_and_is_taken_back_there(
    desk: Desk, run: RunId, world: Any, submit: Any
) -> None:
    await submit(run, file_change("fixed.txt", None, "x\n"))
    (event,) = (await perform(desk, run, OpenMergeRequest(iteration=1, repository=CONTACTS))).events
    async with desk.database.begin() as session:
        row = await runs.hold(session, run)
        await fold(session, event, row, reader=Reader(catalogue=desk.catalogue(), bot=None, now=datetime.now(UTC)))
    await escalate(desk, run)
    for _ in range(2):
        await perform(desk, run, HandOver())
    notes = [note.body for note in world.contacts.mergerequests.get(event.iid).notes.list(get_all=True)]
    (note,) = [one for one in notes if "handed over to people" in one]
    branch = f"bug-fix/PL-479-{run}"
    assert (
        "```\ngit clone https://gitlab.example/payk12/contacts.git && cd contacts\n"
        f"git checkout {branch}\npip install -e . && python -m pytest\n```"
    ) in note
    (text,) = comments(desk, run)
    assert f"git checkout {branch}" in text
    async with desk.database.begin() as session:
        assert await session.get(NoteRow, (run, f"hand_over:{CONTACTS}")) is not None
        (await runs.hold(session, run)).confidential = True
    await perform(desk, run, HandOver())
    (withheld,) = comments(desk, run)
    notes = [note.body for note in world.contacts.mergerequests.get(event.iid).notes.list(get_all=True)]
    assert not [text for text in (withheld, *notes) if "expected two rows" in text]
    assert len([one for one in notes if "has become confidential" in one]) == 1
