"""The command remedies: how far each came, in all runs."""

from __future__ import annotations

import sys

import msgspec
from rich.table import Table

from receiver.cli import command as base
from receiver.cli.command import click, command
from receiver.insight.remedy_figures import Share, figures
from receiver.store.run import remedy_counts


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@command
async def remedies(as_json: bool) -> None:  # noqa: FBT001  # click passes flags so
    """Show how far each remedy came, with intervals.

    Shares have Wilson's 95 % interval; few cases make it wide. Which remedy is to be stricter is for people to decide:
    `healing` in bug-fix.yml.
    """
    async with base.database() as database, database.begin() as session:
        found = figures(await remedy_counts.by_state(session))
    if as_json:
        sys.stdout.write(f"{msgspec.json.format(msgspec.json.encode(found)).decode()}\n")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("remedy", "matched", "verified", "shown", "accepted", "rejected", "reverted"):
        table.add_column(name, overflow="fold")
    for one in found:
        table.add_row(
            one.remedy,
            str(one.matched),
            _share(one.verified),
            str(one.shown),
            _share(one.accepted),
            str(one.rejected),
            _share(one.reverted),
        )
    base.out.print(table if found else "No remedy was matched yet.")


def _share(one: Share) -> str:
    if one.low is None or one.high is None:
        return "none yet"
    return f"{one.count} of {one.of} ({one.low:.0%} to {one.high:.0%})"
