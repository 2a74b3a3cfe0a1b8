"""What a demo found, for programs: the document behind `--json`. Reads the story and the emulators' books."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import msgspec

from sandbox.demo.story import Cost, Report, Story
from sandbox.demo.world import World


def keep_artifacts(world: World, story: Story, folder: Path) -> dict[str, Path]:
    """Fetch what people want to look at from GitLab's job artifacts; return it by artifact kind."""
    if world.vendors is None:
        return {}
    gitlab = world.vendors.gitlab
    client = httpx2.Client(
        base_url=f"{gitlab['url']}/api/v4",
        headers={"PRIVATE-TOKEN": gitlab["token"]},
        timeout=20,
        follow_redirects=True,
    )
    kept: dict[str, Path] = {}
    projects = {job.id: pipeline.project_id for pipeline in story.pipelines for job in pipeline.jobs}
    for report in story.reports:
        for artifact in report.artifacts:
            kind, path = str(artifact["kind"]), str(artifact["path"])
            if (
                kind not in {"child_pipeline", "screenshot", "trace", "patch", "reproduction_test"}
                or report.job not in projects
            ):
                continue
            if kind in kept and report.phase not in {"reproduction", "generate", "implementation"}:
                continue
            answer = client.get(f"/projects/{projects[report.job]}/jobs/{report.job}/artifacts/{path}")
            if answer.status_code == 200:
                target = folder / Path(path).name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(answer.content)
                kept[kind] = target
    return kept


def books(world: World) -> dict[str, Any]:
    """Return the Anthropic emulator's own books."""
    if world.vendors is None:
        return {}
    answer = httpx2.get(f"{world.vendors.anthropic['url']}/_sandbox/books", timeout=20)
    told: dict[str, Any] = answer.raise_for_status().json()
    return told


def books_equal(cost: Cost, told: dict[str, Any]) -> bool:
    """Whether the ledger says the same as the provider's books: dollars exactly, tokens in each bucket."""
    totals = told["totals"]
    return (
        cost.cost_usd is not None
        and cost.unsettled == 0
        and Decimal(cost.cost_usd) == Decimal(str(totals["cost_usd"]))
        and cost.uncached == totals["input_tokens"]
        and cost.cache_read == totals["cache_read_input_tokens"]
        and cost.cache_write_5m == totals["ephemeral_5m_input_tokens"]
        and cost.cache_write_1h == totals["ephemeral_1h_input_tokens"]
        and cost.output == totals["output_tokens"]
    )


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


def _result(story: Story, phase: str) -> dict[str, object] | None:
    found: list[Report] = [r for r in story.reports if r.phase == phase and r.result is not None]
    return found[-1].result if found else None


def summary(
    story: Story, *, equal: bool, deliveries: dict[str, int], kept: dict[str, Path], duration_s: float
) -> dict[str, Any]:
    """Return the document that `--json` writes."""
    return {
        "outcome": story.run.status,
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
        "reproduction": reproduction(story, kept),
        "usage": {phase: _tokens(cost) for phase, cost in {**story.costs.by_phase, "all": story.costs.total}.items()},
        "cost": {phase: cost.cost_usd for phase, cost in {**story.costs.by_phase, "all": story.costs.total}.items()},
        "books_equal": equal,
        "deliveries": deliveries,
        "generated": str(kept["child_pipeline"]) if "child_pipeline" in kept else None,
        "duration_s": round(duration_s, 2),
    }


def _tokens(cost: Cost) -> dict[str, int]:
    told: dict[str, int] = msgspec.to_builtins(cost)
    return {key: value for key, value in told.items() if key not in {"cost_usd", "unsettled"}}
