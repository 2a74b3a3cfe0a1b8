"""Print every row of a run's story: all events with their deliveries, all effects, all reports. For `explain --all`."""

from __future__ import annotations

from rich.console import Console

from receiver.cli.story_printer import finding, heading, plain, table
from receiver.store.story import Act, Story


def every_row(console: Console, told: Story) -> None:
    """Print what the story printer omits, with the names of logs and tables."""
    _moments(console, told)
    _effects(console, told.effects)
    _reports(console, told)


def _moments(console: Console, told: Story) -> None:
    heading(console, "Every event, and what was decided")
    made = table("at", "event", "decision", "why", "")
    for moment in told.moments:
        moved = moment.status_after != moment.status_before
        change = f"{moment.status_before} → {moment.status_after}" if moved else ""
        where = f"delivery {moment.delivery}" if moment.delivery else f"effect {moment.effect}" if moment.effect else ""
        what = f"{plain(moment.event)}\n[dim]{where}[/]"
        made.add_row(f"{moment.at:%H:%M:%S}", what, moment.verdict, plain(moment.reason), change)
    console.print(made)


def _effects(console: Console, effects: tuple[Act, ...]) -> None:
    heading(console, "Every effect")
    made = table("#", "effect", "state", "attempts", "at", "result")
    for act in effects:
        payload = ", ".join(f"{name}={value}" for name, value in act.payload.items())
        result = act.last_error or ", ".join(f"{name}={value}" for name, value in (act.result or {}).items())
        at = f"{act.performed_at:%H:%M:%S}" if act.performed_at else ""
        what = f"{plain(act.kind)}\n[dim]{plain(payload, limit=120)}[/]"
        made.add_row(str(act.id), what, act.state, str(act.attempts), at, plain(result, limit=200))
    console.print(made)


def _reports(console: Console, told: Story) -> None:
    heading(console, "Every report")
    made = table("job", "phase", "outcome", "counts", "finding", "files")
    for report in told.reports:
        where = f"{report.phase}\n[dim]{plain(report.repository or '')}[/]"
        files = ", ".join(sorted({file.kind for file in report.artifacts}))
        made.add_row(str(report.job), where, report.outcome, report.state, finding(report), files)
    console.print(made)
