"""The command about remedies: how far each kind came."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import msgspec
from rich.table import Table

from receiver.cli import command as base
from receiver.cli.command import click, command
from receiver.insight.remedy_figures import RemedyFigures, figures
from receiver.insight.shares import Share
from receiver.store.run import remedy_counts


@click.command()
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True, help="Of how many days.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@command
async def remedies(days: int, as_json: bool) -> None:  # noqa: FBT001  # click passes flags so
    """Show how far remedies came: matched, verified, shown, accepted, rejected, reverted.

    Shares stand with their 95 % intervals: few remedies give wide ones. To make one stricter, or to take it off, write
    `healing` in bug-fix.yml.
    """
    since = datetime.now(UTC) - timedelta(days=days)
    async with base.database() as database, database.begin() as session:
        found = figures(await remedy_counts.by_state(session, since=since))
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n")
        return
    base.out.print(_table(found) if found else f"No failure had a remedy in the last {days} days.")


def _table(found: tuple[RemedyFigures, ...]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in (
        "remedy",
        "tier",
        "declared",
        "matched",
        "verified green",
        "shown",
        "accepted",
        "rejected",
        "reverted",
    ):
        table.add_column(name, overflow="fold")
    for one in found:
        table.add_row(
            one.remedy,
            str(one.tier),
            f"{one.confidence:.0%}",
            str(one.matched),
            in_words(one.verified),
            str(one.shown),
            in_words(one.accepted),
            str(one.rejected),
            in_words(one.reverted),
        )
    return table


def in_words(share: Share) -> str:
    """Return a share with its interval, `8 of 10, 49–94 %`."""
    if share.low is None or share.high is None:
        return "–"
    return f"{share.count} of {share.of}, {share.low:.0%}–{share.high:.0%}".replace("%–", "–").replace("%", " %")
