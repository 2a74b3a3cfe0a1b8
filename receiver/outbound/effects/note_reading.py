"""Effects of people's notes on a merge request: show that one was seen, read it again, answer it.

Only what stands there now, who wrote it and what they may do now count; nothing is believed of what a hook said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from msgspec.structs import replace

from pipelines.language import RunId
from receiver import limits
from receiver.outbound.effects import rights
from receiver.outbound.effects.desk import Desk, Performed
from receiver.outbound.effects.status_notes import NoteLocation, keep_note
from receiver.outbound.gitlab.members import User
from receiver.outbound.gitlab.notes_api import Note
from receiver.outbound.gitlab.repositories_api import MergeRequest
from receiver.store.effects import note_locations
from receiver.store.effects.note_locations import ANSWER
from receiver.store.run import given_commands, runs
from receiver.store.story import rows
from receiver.workflow.commands import command_grammar, command_table
from receiver.workflow.commands.command_table import RULES
from receiver.workflow.effects import AnswerNote, ReactToNote, ReadNote
from receiver.workflow.events.message_events import NoteRead

SEEN = "eyes"


async def react(desk: Desk, _run: RunId, effect: ReactToNote) -> Performed:
    """Show the note's author that it was seen. A GitLab without reactions, or a note that is gone, costs nothing."""
    seen = await asyncio.to_thread(desk.repositories.notes.react, effect.project_id, effect.iid, effect.note, SEEN)
    return Performed(result={"reacted": seen})


async def read(desk: Desk, _run: RunId, effect: ReadNote) -> Performed:
    """Fetch a note again, its author by id, and what the author may do in the project."""
    event = await asyncio.to_thread(_read, desk, effect)
    author, command = event.author, event.command
    return Performed(
        events=(event,),
        result={"ignored": event.ignored, "level": author and author.level, "command": command and command.word},
    )


def _read(desk: Desk, effect: ReadNote) -> NoteRead:
    repositories, message = desk.repositories, effect.message
    note = repositories.notes.get(effect.project_id, effect.iid, effect.note)
    if note is None:
        return NoteRead(message=message, ignored="The note was deleted before it was read.")
    user = repositories.users.user(note.author_id)
    why = _why_ignored(note, user, effect, bot=repositories.bot)
    if why or user is None:
        return NoteRead(message=message, ignored=why)
    command = command_grammar.read_note(note.body)
    there = repositories.merge_request(effect.project_id, effect.iid)
    if there.source_project_id != there.project_id:
        return NoteRead(message=message, ignored="The merge request comes from a fork.")
    word = None if command is None else command_table.word_of(command)
    is_pinned = word is not None and RULES[word].is_pinned
    thread = repositories.notes.thread_of(effect.project_id, effect.iid, note.id) if note.is_in_thread else ""
    return NoteRead(
        message=replace(message, discussion=message.discussion or thread),
        author=rights.in_project(repositories.users, user.id, name=user.name, project_id=effect.project_id),
        command=command,
        is_open=there.state == "opened",
        head_sha=_seen_head(desk, there, note) if is_pinned else "",
    )


def _why_ignored(note: Note, user: User | None, effect: ReadNote, *, bot: int) -> str:
    """Return why a note commands nothing whatever it says, empty when it may."""
    told = effect.text_sha256
    is_edited = command_grammar.fingerprint(note.body) != told if told else note.is_changed
    reasons = (
        (note.author_id == bot, "The note is our own."),
        (note.is_system, "The note was written by GitLab itself."),
        (note.is_internal, "The note is confidential: what it says stays where it is."),
        (is_edited, "The note was edited before it was read; a new one counts."),
        (user is None, "GitLab does not show us who wrote the note."),
        (user is not None and user.is_bot, "A bot wrote the note: only people command."),
        (user is not None and user.state != "active", f"Who wrote the note is {user and user.state} in GitLab."),
    )
    return next((sentence for holds, sentence in reasons if holds), "")


def _seen_head(desk: Desk, there: MergeRequest, note: Note) -> str:
    """Return the head if it was pushed before the note was written."""
    pushed = desk.repositories.pushed_at(there.project_id, there.iid, head=there.sha)
    return there.sha if pushed is not None and pushed < note.created_at else ""


async def answer(desk: Desk, run: RunId, effect: AnswerNote) -> Performed:
    """Answer a command, once, in the thread that it was said in."""
    target = f"{ANSWER}:{effect.project_id}:{effect.note}"
    async with desk.database.begin() as session:
        story = await rows.story(session, await runs.find(session, run))
        known = await note_locations.known(session, run, target) is not None
        why = "" if known else enough(await given_commands.answers(session, run, AnswerNote, "note"), effect)
    if why:
        return Performed(result={"note": None, "why": why})
    notes, project, iid = desk.repositories.notes, effect.project_id, effect.iid
    place = NoteLocation(
        target=target,
        find=lambda: [str(one) for one in notes.with_marker(project, iid, f"{desk.notes.marker(run, target)} -->")],
        edit=lambda note, body: notes.edit(project, iid, int(note), body),
        add=lambda body: str(notes.add(project, iid, body, discussion=effect.discussion)),
    )
    body = desk.notes.note_answer(story, effect, target)
    return Performed(result={"note": await keep_note(desk, run, place, body, point="AnswerNote")})


def enough(answered: Iterable[AnswerNote], wanted: AnswerNote) -> str:
    """Return why a note gets no answer after those that did, empty when it gets one."""
    answered = tuple(answered)
    most = limits.COMMANDS_OF_ONE if wanted.may_steer else limits.ANSWERS_TO_ONE
    if sum(one.author == wanted.author for one in answered) >= most:
        return f"{most} notes of this author were answered already."
    others = sum(not one.may_steer for one in answered)
    is_over = not wanted.may_steer and others >= limits.ANSWERS
    return f"{limits.ANSWERS} notes were answered already." if is_over else ""
