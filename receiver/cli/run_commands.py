"""The commands about runs: runs, explain, session, start."""

from __future__ import annotations

import getpass
import re
import secrets
import sys
from datetime import UTC, datetime

import msgspec
from rich.table import Table

from pipelines.language import IssueKey
from receiver.cli import all_rows, story_printer, transcript_printer
from receiver.cli import command as base
from receiver.cli.command import click, command
from receiver.hooks.delivery import Delivery, Interests
from receiver.hooks.delivery_reader import read
from receiver.store.deliveries.inbox import Incoming, accept
from receiver.store.jobs import transcripts
from receiver.store.run.runs import find
from receiver.store.story import overview, rows
from receiver.workflow.events.ticket_events import StartRequested

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
_RUN = click.argument("run", metavar="RUN|PL-479", help="A run's id, or a ticket's key for its newest run.")
_KEY = re.compile(r"[A-Z][A-Z0-9_]+-[1-9][0-9]*")


@click.command()
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many.")
@_JSON
@command
async def runs(limit: int, as_json: bool) -> None:  # noqa: FBT001  # click passes flags so
    """List runs, the newest first."""
    async with base.database() as database, database.begin() as session:
        seen = await overview.glance(session, limit=limit)
    if as_json:
        _print_json([one.run for one in seen])
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("run", "ticket", "status", "iteration", "started", "code", "why"):
        table.add_column(name, overflow="fold")
    for glance in seen:
        one, why = glance.run, " ".join([glance.run.reason, *glance.trouble])
        started = f"{one.created_at:%Y-%m-%d %H:%M}"
        table.add_row(
            one.id,
            one.issue_key,
            one.place or one.status,
            str(one.iteration),
            started,
            " ".join(part for part in (one.reason_code, one.failure_class and f"({one.failure_class})") if part),
            story_printer.plain(why),
        )
    base.out.print(table if seen else "There are no runs yet. Set the start label on a ticket, or `bug-fix start`.")


@click.command()
@_RUN
@click.option("--all", "whole", is_flag=True, help="Every event, effect and report too, also those that moved nothing.")
@_JSON
@command
async def explain(run: str, whole: bool, as_json: bool) -> None:  # noqa: FBT001  # click passes flags so
    """Explain a run: its plan, its decisions and their reasons, findings of jobs, effects, cost.

    JSON always holds everything.
    """
    async with base.database() as database, database.begin() as session:
        story = await rows.story(session, await find(session, run))
    if as_json:
        _print_json(story)
    else:
        story_printer.story(base.out, story)
        if whole:
            all_rows.every_row(base.out, story)
        else:
            base.out.print(
                f"\n{len(story.moments):,} events and {len(story.effects):,} effects in all; `--all` prints them."
            )


@click.command()
@_RUN
@click.option("--phase", help="Only this phase, for example `implementation`.")
@click.option("--all", "whole", is_flag=True, help="Every prompt and every answer of a tool in full.")
@_JSON
@command
async def session(run: str, phase: str | None, whole: bool, as_json: bool) -> None:  # noqa: FBT001  # click passes flags so
    """Show the transcripts of a run's agents, turn by turn.

    Prompts and tool results are folded to one line with their length, and paths are relative to the job's work
    folder. JSON has every line as the job wrote it.
    """
    async with base.database() as database, database.begin() as opened:
        row = await find(opened, run)
        found = await transcripts.of_run(opened, row.id, phase=phase)
    if as_json:
        for one in found:
            sys.stdout.write(one.lines.decode("utf-8", "replace"))
        return
    if not found:
        base.stop(f"Run {row.id} has no transcripts: none were made yet, or their time is over.", code=base.CANNOT)
    for one in found:
        transcript_printer.transcript(base.out, one, whole=whole)


@click.command()
@click.argument("issue_key", metavar="PL-479", help="The ticket's key.")
@click.option("--as", "name", help="Who asks; shown in the run's story. [default: you]")
@command
async def start(issue_key: str, name: str | None) -> None:
    """Start a run for a ticket, as setting the label does.

    Access to the database is the permission. A worker has to be running.
    """
    key = issue_key.upper()
    if not _KEY.fullmatch(key):
        base.stop(f"{issue_key} is not an issue key; one looks like PL-479.", code=base.USAGE)
    request = StartRequested(issue_key=IssueKey(key), actor_name=name or getpass.getuser())
    delivery = Delivery.asked_by_operator(request, request_id=secrets.token_hex(8), now=datetime.now(UTC))
    reading = read(delivery, interests=Interests(label="", jira_project=""))
    async with base.database() as database:
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
    base.out.print(f"Asked for (delivery {accepted.id}). `bug-fix explain {key}` tells what became of it.")


def _print_json(value: object) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")
