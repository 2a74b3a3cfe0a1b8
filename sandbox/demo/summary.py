"""What a demo found, for programs: the document behind `--json`. Reads the story and the emulators' books."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import msgspec

from sandbox.demo.story import Cost, MergeRequest, Remedy, Story
from sandbox.demo.world import World

KEPT = {
    "generate": frozenset({"child_pipeline"}),
    "reproduction": frozenset({"screenshot", "trace", "reproduction_test"}),
    "implementation": frozenset({"patch"}),
}
"""Artifacts that are kept for people, by phase."""

CLASSES = {"failed": "code", "healed": "code", "sent_back": "code", "interrupted": "infrastructure"}
"""Class of the failure that an attempt follows, by its cause; no failure precedes others."""


def keep_artifacts(world: World, story: Story, folder: Path) -> dict[str, Path]:
    """Fetch what people want to look at from GitLab's job artifacts; return it by artifact kind."""
    if world.vendors is None:
        return {}
    gitlab = world.vendors.gitlab
    wanted = [
        (report, artifact)
        for report in story.reports
        for artifact in report.artifacts
        if artifact.kind in KEPT.get(report.phase, frozenset())
    ]
    projects = {job.id: pipeline.project_id for pipeline in story.pipelines for job in pipeline.jobs}
    kept: dict[str, Path] = {}
    with httpx2.Client(
        base_url=f"{gitlab['url']}/api/v4",
        headers={"PRIVATE-TOKEN": gitlab["token"]},
        timeout=60,
        follow_redirects=True,
    ) as client:
        for report, artifact in wanted:
            if report.job not in projects:
                continue
            answer = client.get(f"/projects/{projects[report.job]}/jobs/{report.job}/artifacts/{artifact.path}")
            if answer.status_code == 200:
                target = folder / Path(artifact.path).name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(answer.content)
                kept[artifact.kind] = target
    return kept


def books(world: World) -> dict[str, Any]:
    """Return the Anthropic emulator's own books."""
    if world.vendors is None:
        return {}
    answer = httpx2.get(f"{world.vendors.anthropic['url']}/_sandbox/books", timeout=60)
    told: dict[str, Any] = answer.raise_for_status().json()
    return told


def openings(world: World) -> list[dict[str, Any]]:
    """Return what the Anthropic emulator received at the beginning of each conversation."""
    if world.vendors is None:
        return []
    answer = httpx2.get(f"{world.vendors.anthropic['url']}/_sandbox/received", timeout=60)
    told: list[dict[str, Any]] = answer.raise_for_status().json()
    return told


def books_equal(part: Cost, told: dict[str, Any]) -> bool:
    """Whether the ledger says the same as the provider's books: dollars exactly, tokens in each bucket."""
    totals = told["totals"]
    return (
        part.cost_usd is not None
        and part.cost_usd == Decimal(str(totals["cost_usd"]))
        and part.calls == totals["billed_requests"]
        and part.uncached == totals["input_tokens"]
        and part.cache_read == totals["cache_read_input_tokens"]
        and part.cache_write_5m == totals["ephemeral_5m_input_tokens"]
        and part.cache_write_1h == totals["ephemeral_1h_input_tokens"]
        and part.output == totals["output_tokens"]
    )


def caching(told: dict[str, Any]) -> dict[str, Any]:
    """Return how much of all input was read from the provider's cache, and what the run had cost without one."""
    totals = told["totals"]
    read = totals["cache_read_input_tokens"]
    written = totals["ephemeral_5m_input_tokens"] + totals["ephemeral_1h_input_tokens"]
    prompt = totals["input_tokens"] + read + written
    return {
        "input_tokens": prompt,
        "read_tokens": read,
        "read_share": round(read / prompt, 4) if prompt else None,
        "cost_usd": totals["cost_usd"],
        "cost_without_cache_usd": totals["cost_without_cache_usd"],
        "models": sorted(told["by_model"]),
        "prefixes": len({row["prefix"] for row in told["rows"] if row["prefix"]}),
    }


def reproduction(story: Story, kept: dict[str, Path]) -> dict[str, str | None]:
    """Return what the reproduction said before and after the patch, and where its evidence is."""
    before = _result(story, "reproduction")
    after = _result(story, "testing")
    return {
        "before": None if before is None else ("failed" if before.get("reproduced") else "passed"),
        "after": None if after is None else ("passed" if after.get("reproduction_after_passed") else "failed"),
        "screenshot": str(kept["screenshot"]) if "screenshot" in kept else None,
        "trace": str(kept["trace"]) if "trace" in kept else None,
    }


def _result(story: Story, phase: str) -> dict[str, Any] | None:
    found = [report for report in story.reports if report.phase == phase and report.result is not None]
    return found[-1].result if found else None


def summary(
    story: Story,
    *,
    handed_over: Story | None = None,
    equal: bool,
    deliveries: dict[str, int],
    kept: dict[str, Path],
    duration_s: float,
) -> dict[str, Any]:
    """Return the document that `--json` writes. `handed_over`: the story as it was when people last got the run."""
    parts = story.costs.by_phase | {"total": story.costs.total}
    return {
        "outcome": story.run.status,
        "reason": story.reason,
        "run": {
            "id": story.run.id,
            "issue_key": story.run.issue_key,
            "status": story.run.status,
            "iterations": story.run.iteration,
        },
        "pipelines": [
            {
                "id": pipeline.id,
                "kind": pipeline.kind,
                "status": pipeline.status,
                "jobs": [
                    {
                        "name": job.name,
                        "phase": job.phase,
                        "repository": job.repository,
                        "status": job.status,
                        "start": job.started_at,
                        "end": job.finished_at,
                    }
                    for job in pipeline.jobs
                ],
            }
            for pipeline in story.pipelines
        ],
        "merge_requests": [
            {
                "repository": request.repository,
                "iid": request.iid,
                "url": request.url,
                "source_branch": request.source_branch,
                "state": request.state,
            }
            for request in story.merge_requests
        ],
        "own_pipelines": {
            repository: {"status": one.status, "url": one.url} for repository, one in story.own_pipelines().items()
        },
        "reproduction": reproduction(story, kept),
        "readiness": {
            "asked": story.run.asked,
            "saved_usd": None if story.run.saved_usd is None else str(story.run.saved_usd),
        },
        "commands": [
            {"word": one.word, "by": one.by, "allowed": one.allowed, "answer": one.answer} for one in story.commands
        ],
        "attempts": list(_attempts(story)),
        "remedies": [_remedy(one) for one in story.remedies],
        "escalation": _escalation(handed_over or story),
        "merge": {one.repository: _merge(one, story) for one in story.merge_requests},
        "indicators": {one.name: {"answer": one.answer, "reason": one.reason} for one in story.indicators},
        "usage": {phase: _tokens(part) for phase, part in parts.items()},
        "cost": {phase: None if part.cost_usd is None else str(part.cost_usd) for phase, part in parts.items()},
        "books_equal": equal,
        "deliveries": deliveries,
        "generated": str(kept["child_pipeline"]) if "child_pipeline" in kept else None,
        "duration_s": round(duration_s, 2),
    }


def _attempts(story: Story) -> Iterator[dict[str, Any]]:
    """Yield each attempt: why it began, the class of the failure before it, the jobs that it reuses, its cost."""
    names = {job.id: job.name for job in story.jobs()}
    for one in story.iterations:
        cost = story.costs.of_iteration(one.number)
        yield {
            "number": one.number,
            "kind": one.kind,
            "cause": one.cause,
            "class": CLASSES.get(one.cause),
            "reused": [names.get(job, str(job)) for job in one.reuses],
            "cost_usd": None if cost is None else str(cost),
        }


def _merge(request: MergeRequest, story: Story) -> dict[str, Any] | None:
    """Return who approved what was merged, how it was, and what came of it; None while it is open, or closed."""
    outcome = next((one for one in story.outcomes if one.repository == request.repository), None)
    if request.state != "merged":
        return None
    is_ours = request.merge_answer == "merged"
    return {
        "approved_by": list(request.merge_approved_by),
        "sha": request.head_sha,
        "reverted_at": None if outcome is None else outcome.reverted_at,
        "how": request.merge_sentence if is_ours else "People merged it.",
    }


def _remedy(one: Remedy) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(one)
    return told | {"confidence": float(one.confidence)}


def _escalation(story: Story) -> dict[str, Any] | None:
    """Return what people got who were given the run; None: nobody was, or it is confidential."""
    if story.escalation is None or story.run.audience != "public":
        return None
    tried = [
        {"attempt": one.number, "cause": one.cause, "told": [said for told in one.diagnoses for said in told.messages]}
        for one in story.iterations
    ]
    return {
        "question": story.escalation.question,
        "tried": tried,
        "alternatives": list(story.escalation.alternatives),
    }


def _tokens(part: Cost) -> dict[str, int]:
    told: dict[str, int] = msgspec.to_builtins(part)
    return {key: value for key, value in told.items() if key not in {"cost_usd", "known_usd", "unsettled"}}
