"""Commands that people gave: taken in once each, counted by author, with what became of them."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar, assert_never

import msgspec
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from receiver.comments.command_line import Command
from receiver.store.postgres.json_text import storable
from receiver.store.schema import CommandRow, EffectRow, RunRow
from receiver.workflow.effects import Effect
from receiver.workflow.messages import Message, NoteMessage, TerminalMessage, TicketMessage
from receiver.workflow.person import Person
from receiver.workflow.run import Answered


def _place(message: Message, run: RunRow) -> tuple[str, str]:
    """Return where something was said and its id there; both together are unique within a venue."""
    match message:
        case TicketMessage():
            return run.issue_key, message.comment
        case NoteMessage():
            return f"{message.project_id}!{message.iid}", str(message.note)
        case TerminalMessage():
            return run.id, message.request
        case never:
            assert_never(never)


async def take(
    session: AsyncSession, run: RunRow, message: Message, command: Command, author: Person, *, now: datetime
) -> bool:
    """Note that a command is taken in; False when it was before."""
    place, number = _place(message, run)
    row = insert(CommandRow).values(
        run_id=run.id,
        venue=message.venue,
        place=place,
        message=number,
        word=storable(command.word),
        arguments=storable(list(command.arguments)),
        hint=storable(command.hint),
        directory=author.directory,
        author=storable(author.account),
        author_name=storable(author.name),
        at=now,
    )
    return await session.scalar(row.on_conflict_do_nothing().returning(CommandRow.id)) is not None


async def before(session: AsyncSession, run: RunRow, message: Message, author: Person) -> int:
    """Return how many other commands of an author a run took in."""
    place, number = _place(message, run)
    theirs = select(func.count()).where(
        CommandRow.run_id == run.id,
        CommandRow.directory == author.directory,
        CommandRow.author == author.account,
        ~((CommandRow.venue == message.venue) & (CommandRow.place == place) & (CommandRow.message == number)),
    )
    return await session.scalar(theirs) or 0


async def conclude(session: AsyncSession, run: RunRow, message: Message, answered: Answered) -> None:
    """Note what became of a command."""
    place, number = _place(message, run)
    this = update(CommandRow).where(
        CommandRow.venue == message.venue, CommandRow.place == place, CommandRow.message == number
    )
    await session.execute(this.values(is_obeyed=answered.is_obeyed, answer=storable(answered.text)))


async def outcome(session: AsyncSession, message: TerminalMessage) -> Answered | None:
    """Return what became of a command at a terminal; None: it is not decided on."""
    this = select(CommandRow).where(CommandRow.venue == message.venue, CommandRow.message == message.request)
    row = await session.scalar(this)
    if row is None or row.is_obeyed is None:
        return None
    return Answered(is_obeyed=row.is_obeyed, text=row.answer)


E = TypeVar("E", bound=Effect)


async def answers(session: AsyncSession, run: str, kind: type[E], result: str) -> list[E]:
    """Return the answers of a run that stand where people can read them. `result` names the id that they got there."""
    wanted = select(EffectRow.payload).where(
        EffectRow.run_id == run,
        EffectRow.kind == kind.__name__,
        EffectRow.state == "done",
        EffectRow.result[result].astext.is_not(None),
    )
    return [msgspec.convert(payload, kind) for payload in await session.scalars(wanted)]
