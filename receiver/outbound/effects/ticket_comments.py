"""Effects of people's comments on a ticket: read one again, answer it, ask the reporter, show a plan."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from pipelines.language import RunId
from receiver import limits
from receiver.outbound.effects import rights
from receiver.outbound.effects.desk import Desk, Performed
from receiver.outbound.effects.status_notes import NoteLocation, keep_note, on_ticket
from receiver.outbound.jira.issues import Comment
from receiver.store.effects import note_locations
from receiver.store.effects.note_locations import ANSWER, PLAN, QUESTION
from receiver.store.run import given_commands, iterations, runs
from receiver.store.run.runs import RunFacts
from receiver.store.schema import NoteRow
from receiver.store.story import Story, rows
from receiver.workflow.audience import Audience, Readers, may_read
from receiver.workflow.effects import AnswerComment, AskReporter, PostPlan, ReadComment
from receiver.workflow.events.message_events import CommentRead
from receiver.workflow.person import Directory, Person, Right


async def read(desk: Desk, run: RunId, effect: ReadComment) -> Performed:
    """Fetch a comment again and ask what its author may do; only what stands there now, and who wrote it, counts."""
    async with desk.database.begin() as session:
        facts = await runs.facts(session, run)
        shown = await note_locations.known(session, run, f"{PLAN}:{facts.iteration}")
        since = await iterations.waits_since(session, run, facts.iteration)
    found = await asyncio.to_thread(desk.jira.comment, facts.issue_key, effect.comment)
    if found is None:
        return _ignored(effect, "The comment was deleted before it was read.")
    if found.author == await asyncio.to_thread(desk.jira.account):
        return _ignored(effect, "The comment is our own.")
    if found.is_edited:
        return _ignored(effect, f"{found.author_name}'s comment was edited before it was read; a new one counts.")
    if found.command is not None and not found.is_of_person:
        return _ignored(
            effect, f"{found.author_name} is an app or a customer of the service desk: only people command."
        )
    # not the reporter of the ticket that the run keeps: people correct who reported it
    author = await _author(desk, found, reporter=await asyncio.to_thread(desk.jira.reporter, facts.issue_key))
    is_for_nobody = shown is None and not await _is_told(desk, facts)
    event = CommentRead(
        comment=effect.comment,
        author=author,
        command=found.command,
        seems_meant=found.seems_meant,
        plan=facts.iteration if _has_seen_plan(found, shown, since if is_for_nobody else None) else None,
        readers=found.readers,
        is_internal=found.is_internal,
    )
    return Performed(events=(event,), result={"rights": author.rights, "command": found.command and found.command.word})


async def _author(desk: Desk, comment: Comment, *, reporter: str) -> Person:
    """Return who wrote a comment; the reporter's answer needs no other right, so none is asked for."""
    if comment.command is None and comment.author == reporter and reporter:
        return Person(
            directory=Directory.JIRA, account=comment.author, name=comment.author_name, rights=(Right.REPORTER,)
        )
    return await rights.on_ticket(desk, comment.author, name=comment.author_name, reporter=reporter)


def _has_seen_plan(comment: Comment, shown: NoteRow | None, since: datetime | None) -> bool:
    """Say whether a comment is younger than the plan; `since`: when one that is shown in the run's story only waited.

    False in doubt: approving again costs a minute. Jira's comment ids increase.
    """
    if shown is not None:
        return comment.id.isdecimal() and shown.note_id.isdecimal() and int(comment.id) > int(shown.note_id)
    try:
        return since is not None and datetime.fromisoformat(comment.created) > since
    except (ValueError, TypeError):  # no time, or none with an offset
        return False


def _ignored(effect: ReadComment, why: str) -> Performed:
    return Performed(events=(CommentRead(comment=effect.comment, ignored=why),), result={"ignored": why})


async def answer(desk: Desk, run: RunId, effect: AnswerComment) -> Performed:
    """Say one sentence to a person's command, once."""
    async with desk.database.begin() as session:
        facts = await runs.facts(session, run)
        story = await rows.story(session, await runs.find(session, run))
        target = f"{ANSWER}:{effect.comment}"
        known = await note_locations.known(session, run, target) is not None
        why = "" if known else enough(await given_commands.answers(session, run, AnswerComment, "comment"), effect)
    if why:
        return Performed(result={"comment": None, "why": why})
    body = desk.notes.ticket_answer(story, effect, target)
    place = on_ticket(desk, run, facts.issue_key, target, visibility=effect.readers, is_internal=effect.is_internal)
    return Performed(result={"comment": await keep_note(desk, run, place, body, point="AnswerComment")})


def enough(answered: Iterable[AnswerComment], wanted: AnswerComment) -> str:
    """Return why a comment gets no answer after those that did, empty when it gets one."""
    answered = tuple(answered)
    most = limits.COMMANDS_OF_ONE if wanted.may_start else limits.ANSWERS_TO_ONE
    if sum(one.author == wanted.author for one in answered) >= most:
        return f"{most} comments of this author were answered already."
    others = sum(not one.may_start for one in answered)
    return (
        f"{limits.ANSWERS} comments were answered already." if not wanted.may_start and others >= limits.ANSWERS else ""
    )


async def ask(desk: Desk, run: RunId, effect: AskReporter) -> Performed:
    """Ask the plan's question on the ticket."""
    return await say(desk, run, f"{QUESTION}:{effect.iteration}", desk.notes.question, point="AskReporter")


async def post_plan(desk: Desk, run: RunId, effect: PostPlan) -> Performed:
    """Show the plan that waits on the ticket, and what became of it."""

    def write(story: Story, target: str, *, readers: Readers) -> str:
        return desk.notes.plan(story, target, iteration=effect.iteration, readers=readers)

    return await say(desk, run, f"{PLAN}:{effect.iteration}", write, point="PostPlan")


class Write(Protocol):
    """Writes a comment that tells what was found."""

    def __call__(self, story: Story, target: str, *, readers: Readers) -> str:
        """Return its text for these readers."""


async def say(desk: Desk, run: RunId, target: str, write: Write, *, point: str) -> Performed:
    """Post a comment that shows what was found: to everybody, to those who may know, or to nobody."""
    async with desk.database.begin() as session:
        story = await rows.story(session, await runs.find(session, run))
        facts = await runs.facts(session, run)
    named = facts.catalogue.jira.confidential if facts.catalogue else None
    readers = await _readers(desk, facts)
    place = on_ticket(desk, run, facts.issue_key, target, visibility=named if readers is Readers.NAMED else None)
    if readers is None or not may_read(readers, facts.audience):
        # on a ticket that is not shown to us nothing can be written
        kept = None if readers is None else await _taken_back(desk, run, place, point=point)
        return Performed(result={"comment": kept, "why": "It is confidential; the run's story has it."})
    body = write(story, target, readers=readers)
    return Performed(result={"comment": await keep_note(desk, run, place, body, point=point)})


async def _taken_back(desk: Desk, run: RunId, place: NoteLocation, *, point: str) -> str | None:
    """Replace an existing comment's text by a neutral one. Returns the comment's id; None if there is no comment."""
    async with desk.database.begin() as session:
        known = await note_locations.known(session, run, place.target)
    if known is None and not await asyncio.to_thread(place.find):
        return None
    body = desk.notes.answer(WITHHELD, to="", run=run, target=place.target)
    return await keep_note(desk, run, place, body, point=point)


WITHHELD = "This bug fix has become confidential. What stood here is told in the run's story."


async def _readers(desk: Desk, facts: RunFacts) -> Readers | None:
    """Return who would read a comment about what was found; None: the ticket is not shown to us.

    The level that a ticket had when it was read may have been taken off since, so Jira is asked.
    """
    match facts.audience:
        case Audience.PUBLIC:
            return Readers.EVERYBODY
        case Audience.RESTRICTED:
            return Readers.NAMED
        case Audience.WITHHELD:
            level = await asyncio.to_thread(desk.jira.security_level, facts.issue_key)
            return None if level is None else Readers.RESTRICTED_TICKET if level else Readers.EVERYBODY


async def _is_told(desk: Desk, facts: RunFacts) -> bool:
    readers = await _readers(desk, facts)
    return readers is not None and may_read(readers, facts.audience)
