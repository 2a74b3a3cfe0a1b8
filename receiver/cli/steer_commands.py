"""The commands that steer a run, as comments do: retry, cancel, pause, and so on. One for each word at a terminal."""

from __future__ import annotations

import asyncio
import getpass
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from pipelines.language import IssueKey, RunId
from receiver import limits
from receiver.cli import command as base
from receiver.cli import story_printer
from receiver.cli.command import click, command
from receiver.comments.command_line import Command
from receiver.hooks.delivery import Delivery, Interests
from receiver.hooks.delivery_reader import read
from receiver.store.deliveries import stored_deliveries
from receiver.store.deliveries.inbox import Incoming, accept
from receiver.store.postgres.database import Database
from receiver.store.run import given_commands
from receiver.store.run.runs import find
from receiver.workflow.commands.command_table import RULES, CommandWord
from receiver.workflow.events.message_events import CommandTyped
from receiver.workflow.messages import TerminalMessage

_RUN = click.argument("run", metavar="RUN|PL-479", help="A run's id, or a ticket's key for its newest run.")
LOOK_AGAIN_S: Final = 0.1


def summary(word: CommandWord) -> str:
    """Return the first sentence of a command's help."""
    text = RULES[word].help
    return f"{text[0].upper()}{text[1:]}."


def _command(word: CommandWord) -> click.Command:
    """Return the command of a word, with the arguments that it takes in a comment."""
    rule = RULES[word]

    @command
    async def steer(run: str, words: tuple[str, ...] = (), hint: str | None = None, name: str | None = None) -> None:
        await _give(run, Command(word=word, arguments=words, hint=hint or ""), name=name or getpass.getuser())

    options: list[Callable[[Any], Any]] = [_RUN]
    if rule.most:
        shown = rule.arguments.partition(" [--")[0].partition("--")[0].strip()
        options.append(click.argument("words", nargs=-1, metavar=shown, help="As in a comment."))
    if rule.takes_hint:
        options.append(click.option("--hint", help="What a comment says after `--`, in free words."))
    options.append(click.option("--as", "name", help="Who asks; shown in the run's story. [default: you]"))
    decorated: Any = steer
    for option in reversed(options):
        decorated = option(decorated)
    help_text = f"{summary(word)}\n\nAccess to the database is the permission. A worker has to be running."
    made: click.Command = click.command(name=word, help=help_text)(decorated)
    return made


async def _give(name_of_run: str, said: Command, *, name: str) -> None:
    async with base.database() as database:
        async with database.begin() as session:
            row = await find(session, name_of_run)
        request = secrets.token_hex(8)
        typed = CommandTyped(
            run=RunId(row.id), issue_key=IssueKey(row.issue_key), command=said, actor_name=name, request=request
        )
        delivery = Delivery.asked_by_operator(typed, request_id=request, now=datetime.now(UTC))
        reading = read(delivery, interests=Interests(label="", jira_project=""))
        accepted = await accept(
            database,
            Incoming(
                source=delivery.source,
                key=reading.delivery_key,
                ordering_key=reading.ordering_key,
                kind=reading.kind,
                headers=delivery.headers,
                body=delivery.body,
                received_at=delivery.received_at,
            ),
        )
        await _tell(database, accepted.id, TerminalMessage(request=request), run=row.id)


async def _tell(database: Database, delivery: int, message: TerminalMessage, *, run: str) -> None:
    """Print what became of a command; exit with 1 if it is not obeyed."""
    for _ in range(round(limits.COMMAND_AWAITED_S / LOOK_AGAIN_S)):
        async with database.begin() as session:
            verdict = await stored_deliveries.verdict_of(session, delivery)
            outcome = await given_commands.outcome(session, message)
        if verdict is not None:
            text = story_printer.plain(outcome.text if outcome else verdict[1])
            if outcome is None or not outcome.is_obeyed:
                base.stop(text, code=base.CANNOT)
            base.out.print(text, markup=False, highlight=False, soft_wrap=True)
            return
        await asyncio.sleep(LOOK_AGAIN_S)
    base.out.print(f"Asked for (delivery {delivery}); no worker has taken it yet. `bug-fix explain {run}` tells.")


retry = _command(CommandWord.RETRY)
escalate = _command(CommandWord.ESCALATE)
cancel = _command(CommandWord.CANCEL)
approve = _command(CommandWord.APPROVE)
reject = _command(CommandWord.REJECT)
pause = _command(CommandWord.PAUSE)
resume = _command(CommandWord.RESUME)
budget = _command(CommandWord.BUDGET)
