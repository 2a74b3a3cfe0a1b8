"""Print a run's story on a terminal. Untrusted text is printed as text: no markup, no control characters.

`receiver.cli.all_rows` prints the rest.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from decimal import Decimal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.language import Plan
from receiver.notes import review_state
from receiver.store.money.spending import Cost
from receiver.store.story import Moment, Pipeline, Report, Story, turning_points
from receiver.workflow import event_names
from receiver.workflow.stages.target_pipeline_status import TargetPipelineStatus

LONGEST = 400
"""Characters of one text."""


def plain(text: str, *, limit: int = LONGEST) -> str:
    """Return text without terminal control characters."""
    kept = "".join(c if c == "\n" or unicodedata.category(c)[0] != "C" else " " for c in text[: 2 * limit])
    return escape(kept if len(kept) <= limit else kept[:limit] + "…")


def money(value: Decimal | None, known: Decimal) -> str:
    """Return dollars; an unknown amount says so, with its known part."""
    return f"${known:.4f} and an unknown part" if value is None else f"${value:.4f}"


def story(console: Console, told: Story) -> None:
    """Print a run's status, plan, turning points, findings and cost."""
    _head(console, told)
    if told.plan is not None:
        _plan(console, told.plan)
    heading(console, "Turning points")
    console.print(moments(turning_points(told)))
    for pipeline in told.pipelines:
        _pipeline(console, pipeline, told.reports)
    _merge_requests(console, told)
    _undone(console, told)
    _indicators(console, told)
    _costs(console, told)


def _head(console: Console, told: Story) -> None:
    run = told.run
    console.print(f"[bold]{run.issue_key}[/]  {plain(run.summary, limit=200)}")
    state = run.place or run.status.replace("_", " ")
    console.print(f"run {run.id} · [bold]{state}[/] · iteration {run.iteration} · branch {plain(run.branch) or '—'}")
    if not run.audience.is_public:
        console.print(f"[bold]confidential[/] ({run.audience}): nothing of what was found is told in public")
    console.print(plain(run.reason))
    if run.reason_code is not None:
        kind = "" if run.failure_class is None else f" ({run.failure_class})"
        console.print(f"[dim]code[/] {run.reason_code}{kind}")
    for one in told.iterations:
        if one.kind == "infrastructure":
            console.print(f"iteration {one.number} was interrupted and counts as no attempt")
        if one.kind == "analysis":
            asked = one.plan.question if one.plan is not None else ""
            what = f"asked: {plain(asked)}" if asked else "its plan waited for approval"
            console.print(f"iteration {one.number} ended in waiting; {what}")
        if one.approved_by:
            who = plain(one.approver or one.approved_by)
            console.print(f"iteration {one.number} carries out the plan that {who} approved")
        if one.reuses:
            kept = [report.phase for report in told.reports if report.job in one.reuses]
            console.print(
                f"iteration {one.number} ({one.cause.replace('_', ' ')}) reuses {', '.join(kept)} of earlier ones"
            )


def heading(console: Console, text: str) -> None:
    """Print a heading."""
    console.print(f"\n[bold underline]{text}[/]")


def table(*names: str) -> Table:
    """Return a table without borders."""
    made = Table(box=None, pad_edge=False, header_style="dim")
    for name in names:
        made.add_column(name, overflow="fold")
    return made


def _plan(console: Console, plan: Plan) -> None:
    heading(console, "Plan")
    console.print(f"[bold]{plain(plan.title or plan.summary)}[/]")
    outcome = plan.outcome.replace("_", " ")
    pattern = f" · deployment {plan.deploy_pattern.replace('_', ' ')}" if plan.repositories else ""
    console.print(f"{outcome} · {plan.complexity} · risk {plan.risk}{pattern}")
    console.print(plain(plan.reason, limit=1000))
    where = f"{plan.location.file}:{plan.location.line}: " if plan.location else ""
    if plan.root_cause:
        console.print(f"[dim]cause[/] {plain(where + plan.root_cause, limit=1000)}")
    for requirement in plan.requirements:
        console.print(f"[dim]requirement[/] {plain(requirement)}")
    for entry in plan.repositories:
        sure = f"{100 * entry.confidence:.0f} % sure"
        console.print(f"[bold]{plain(entry.repository)}[/] by {plain(entry.agent)}, {sure}: {plain(entry.approach)}")
        for test in entry.tests:
            console.print(f"  [dim]test to write[/] {plain(test)}")


def moments(rows: Iterable[Moment]) -> Table:
    """Return turning points as a table, each with the run's new status."""
    made = table("at", "what happened", "what was found or decided", "now")
    for moment in rows:
        moved = moment.status_after is not None and moment.status_after != moment.status_before
        status = (moment.status_after or "").replace("_", " ") if moved else ""
        made.add_row(f"{moment.at:%H:%M:%S}", plain(event_names.event(moment.event)), plain(moment.reason), status)
    return made


def _pipeline(console: Console, pipeline: Pipeline, reports: Iterable[Report]) -> None:
    above = f", child of {pipeline.parent}" if pipeline.parent else ""
    heading(console, f"Pipeline {pipeline.id} (iteration {pipeline.iteration}{above}): {pipeline.status}")
    console.print(plain(pipeline.url), style="dim")
    found = {report.job: report for report in reports}
    made = table("job", "status", "seconds", "agent", "what it found")
    for job in pipeline.jobs:
        seconds = "" if job.duration_s is None else f"{job.duration_s:.1f}"
        told = finding(found[job.id]) if job.id in found else plain(job.failure_reason or "")
        made.add_row(plain(job.name), job.status, seconds, plain(job.agent or ""), told)
    console.print(made)


def finding(report: Report) -> str:
    """Return a job's finding, whether it counts, and remarks for people."""
    said = report.reason if not report.why_discarded else f"{report.reason} — {report.why_discarded}"
    return plain(said) + "".join(f"\n[dim]{remark}[/]" for remark in report.remarks)


def _merge_requests(console: Console, told: Story) -> None:
    if not told.merge_requests and not told.interventions:
        return
    heading(console, "Merge requests")
    for one in told.merge_requests:
        console.print(f"{plain(one.repository)}!{one.iid} {one.state}  {plain(one.url)}")
        own, url = review_state.target_pipeline(told, one)
        if own is not TargetPipelineStatus.UNKNOWN:
            console.print(f"  its own pipeline {OWN[own]}  {plain(url)}".rstrip(), highlight=False)
        if one.state == "opened" and one.has_reviewer is False:
            console.print("  when it was opened, nobody was found to review it")
    for outcome in told.outcomes:
        for what, at in (("taken back", outcome.reverted_at), ("its ticket opened again", outcome.reopened_at)):
            if at is not None:
                console.print(f"{plain(outcome.repository)}: {what} on {at:%Y-%m-%d %H:%M}")
    for act in told.interventions:
        console.print(
            f"{act.at:%Y-%m-%d %H:%M} intervention: {act.kind} by {plain(act.actor) or '—'}: {plain(act.detail)}"
        )


OWN = {
    TargetPipelineStatus.WAITS: "waits for approval",
    TargetPipelineStatus.WORKING: "is at work",
    TargetPipelineStatus.PASSED: "passed",
    TargetPipelineStatus.FAILED: "[bold red]failed[/]",
}
"""Words for the status of a target pipeline."""


def _undone(console: Console, told: Story) -> None:
    """Print the effects that failed or carry a remark; the others are omitted."""
    made = table("to do", "state", "attempts", "why")
    for act in told.effects:
        remark = act.last_error or act.remark
        if act.state in {"pending", "given_up"} or remark:
            state = act.state.replace("_", " ")
            made.add_row(plain(act.name), state, str(act.attempts), plain(remark))
    if made.row_count:
        heading(console, "Not done, or done with a remark")
        console.print(made)


def _indicators(console: Console, told: Story) -> None:
    heading(console, "Success")
    made = table("", "", "why")
    for one in told.indicators:
        made.add_row(one.name.replace("_", " "), one.answer, plain(one.reason))
    console.print(made)


def _costs(console: Console, told: Story) -> None:
    heading(console, "Tokens and cost")
    made = table("phase", "calls", "uncached", "cache read", "write 5 min", "write 1 h", "output", "cost")
    for name, cost in [*told.costs.by_phase.items(), ("in all", told.costs.total)]:
        made.add_row(name, *_figures(cost))
    console.print(made)
    if told.costs.total.unpriced:
        held = f"${told.costs.total.held_usd:.4f}"
        console.print(f"{told.costs.total.unpriced} calls have no known cost; {held} is held for them.")
    if told.costs.budget_usd is not None:
        console.print(f"Budget of the run: ${told.costs.budget_usd:.2f}.")


def _figures(cost: Cost) -> list[str]:
    counts = (cost.calls, cost.uncached, cost.cache_read, cost.cache_write_5m, cost.cache_write_1h, cost.output)
    return [*(f"{count:,}" for count in counts), money(cost.cost_usd, cost.known_usd)]
