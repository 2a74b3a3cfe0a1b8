"""Print a run's story on a terminal. Untrusted text is printed as text: no markup, no controls."""

from __future__ import annotations

import unicodedata
from decimal import Decimal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from receiver.store.spending import Cost
from receiver.store.story import Act, Pipeline, Story

LONGEST = 400
"""Characters of one text."""


def plain(text: str, *, limit: int = LONGEST) -> str:
    """Return text that can't do anything to a terminal."""
    kept = "".join(c if c == "\n" or unicodedata.category(c)[0] != "C" else " " for c in text[: 2 * limit])
    return escape(kept if len(kept) <= limit else kept[:limit] + "…")


def money(value: Decimal | None, known: Decimal) -> str:
    """Return dollars; what is unknown says so, with the part that is known."""
    return f"${known:.4f} and an unknown part" if value is None else f"${value:.4f}"


def story(console: Console, told: Story) -> None:
    """Print the whole story."""
    run = told.run
    console.print(f"[bold]{run.issue_key}[/]  {plain(run.summary, limit=200)}")
    console.print(
        f"run {run.id} · [bold]{run.status}[/] · iteration {run.iteration} · branch {plain(run.branch) or '—'}"
    )
    if run.confidential:
        console.print("[bold]confidential[/]: nothing of what was found is told in public")
    console.print(plain(run.reason))
    _iterations(console, told)
    if told.plan is not None:
        console.print(
            f"plan: {told.plan.outcome}, {plain(told.plan.title)} ({told.plan.complexity}, risk {told.plan.risk})"
        )
        console.print(f"why: {plain(told.plan.reason, limit=1000)}")
    _moments(console, told)
    _effects(console, told.effects)
    for pipeline in told.pipelines:
        _pipeline(console, pipeline)
    _reports(console, told)
    _merge_requests(console, told)
    _indicators(console, told)
    _costs(console, told)


def _iterations(console: Console, told: Story) -> None:
    """Tell of iterations that ended in waiting for people, and of those that carry out what these approved."""
    for one in told.iterations:
        if one.kind == "analysis":
            asked = one.plan.question if one.plan is not None else ""
            what = f"asked: {plain(asked)}" if asked else "its plan waited for approval"
            console.print(f"iteration {one.number} ended in waiting; {what}")
        if one.approved_by:
            console.print(f"iteration {one.number} carries out the plan that {plain(one.approved_by)} approved")


def heading(console: Console, text: str) -> None:
    """Print a heading."""
    console.print(f"\n[bold underline]{text}[/]")


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def _moments(console: Console, told: Story) -> None:
    heading(console, "What happened, and what was decided")
    table = _table("at", "event", "decision", "why", "")
    for moment in told.moments:
        moved = moment.status_after != moment.status_before
        change = f"{moment.status_before} → {moment.status_after}" if moved else ""
        where = f"delivery {moment.delivery}" if moment.delivery else f"effect {moment.effect}" if moment.effect else ""
        at = f"{moment.at:%H:%M:%S}"
        table.add_row(at, f"{moment.event}\n[dim]{where}[/]", moment.verdict, plain(moment.reason), change)
    console.print(table)


def _effects(console: Console, effects: tuple[Act, ...]) -> None:
    heading(console, "What was done")
    table = _table("#", "effect", "state", "attempts", "at", "result")
    for act in effects:
        payload = ", ".join(f"{name}={value}" for name, value in act.payload.items())
        result = act.last_error or ", ".join(f"{name}={value}" for name, value in (act.result or {}).items())
        at = f"{act.performed_at:%H:%M:%S}" if act.performed_at else ""
        what = f"{act.kind}\n[dim]{plain(payload, limit=120)}[/]"
        table.add_row(str(act.id), what, act.state, str(act.attempts), at, plain(result, limit=200))
    console.print(table)


def _pipeline(console: Console, pipeline: Pipeline) -> None:
    above = f", child of {pipeline.parent}" if pipeline.parent else ""
    heading(console, f"Pipeline {pipeline.id} (iteration {pipeline.iteration}{above}): {pipeline.status}")
    console.print(plain(pipeline.url), style="dim")
    table = _table("job", "name", "status", "seconds", "agent", "why")
    for job in pipeline.jobs:
        seconds = "" if job.duration_s is None else f"{job.duration_s:.1f}"
        table.add_row(
            str(job.id), plain(job.name), job.status, seconds, plain(job.agent or ""), plain(job.failure_reason or "")
        )
    console.print(table)


def _reports(console: Console, told: Story) -> None:
    heading(console, "Reports of jobs")
    table = _table("job", "phase", "outcome", "counts", "finding", "files")
    for report in told.reports:
        where = f"{report.phase}\n[dim]{plain(report.repository or '')}[/]"
        files = ", ".join(sorted({file.kind for file in report.artifacts}))
        finding = report.reason if not report.why_discarded else f"{report.reason} — {report.why_discarded}"
        remarks = "".join(f"\n[dim]{remark}[/]" for remark in report.remarks)
        table.add_row(str(report.job), where, report.outcome, report.state, plain(finding) + remarks, files)
    console.print(table)


def _merge_requests(console: Console, told: Story) -> None:
    if not told.merge_requests and not told.interventions:
        return
    heading(console, "Merge requests")
    for one in told.merge_requests:
        console.print(f"{plain(one.repository)}!{one.iid} {one.state}  {plain(one.url)}")
    for own in told.target_pipelines:
        console.print(f"{plain(own.repository)}'s own pipeline {own.id} for {own.sha[:12]}: {own.status}")
    for act in told.interventions:
        console.print(
            f"{act.at:%Y-%m-%d %H:%M} intervention: {act.kind} by {plain(act.actor) or '—'}: {plain(act.detail)}"
        )


def _indicators(console: Console, told: Story) -> None:
    heading(console, "Success")
    table = _table("", "", "why")
    for one in told.indicators:
        table.add_row(one.name.replace("_", " "), one.answer, plain(one.reason))
    console.print(table)


def _costs(console: Console, told: Story) -> None:
    heading(console, "Tokens and cost")
    table = _table("phase", "calls", "uncached", "cache read", "write 5 min", "write 1 h", "output", "cost")
    for name, cost in [*told.costs.by_phase.items(), ("in all", told.costs.total)]:
        table.add_row(name, *_figures(cost))
    console.print(table)
    if told.costs.total.unsettled:
        held = f"${told.costs.total.held_usd:.4f}"
        console.print(f"{told.costs.total.unsettled} calls are not settled; {held} is held for them.")
    if told.costs.budget_usd is not None:
        console.print(f"Budget of the run: ${told.costs.budget_usd:.2f}.")


def _figures(cost: Cost) -> list[str]:
    counts = (cost.calls, cost.uncached, cost.cache_read, cost.cache_write_5m, cost.cache_write_1h, cost.output)
    return [*(f"{count:,}" for count in counts), money(cost.cost_usd, cost.known_usd)]
