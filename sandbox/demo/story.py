"""Read a run's story from the receiver's read API. The shapes are the receiver's; only what the demo shows is named."""

from __future__ import annotations

import httpx2
import msgspec
from msgspec import Struct

ENDED = frozenset(
    {
        "in_review",
        "merged",
        "refused",
        "not_reproduced",
        "declined",
        "escalated",
        "failed",
        "cancelled",
        "closed",
    }
)
"""Statuses after which nothing happens without a person."""


class Job(Struct, frozen=True, kw_only=True):
    """A job of the run's pipelines."""

    id: int
    name: str
    phase: str | None
    repository: str | None
    status: str
    started_at: str | None = None
    finished_at: str | None = None
    duration_s: float | None = None


class Pipeline(Struct, frozen=True, kw_only=True):
    """A parent or child pipeline with its jobs."""

    id: int
    project_id: int
    kind: str
    status: str
    url: str
    jobs: tuple[Job, ...] = ()


class MergeRequest(Struct, frozen=True, kw_only=True):
    """A merge request of the run."""

    repository: str
    iid: int
    url: str
    source_branch: str
    state: str


class Report(Struct, frozen=True, kw_only=True):
    """What a job reported; `result` as the job sent it."""

    job: int
    phase: str
    repository: str | None
    outcome: str
    state: str
    reason: str
    result: dict[str, object] | None = None
    artifacts: tuple[dict[str, object], ...] = ()


class Cost(Struct, frozen=True, kw_only=True):
    """Tokens and money of one phase or of all."""

    calls: int
    uncached: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    output: int
    cost_usd: str | None
    """Decimal; None when any price is unknown."""
    unsettled: int = 0
    """Calls held at their reservation."""


class Costs(Struct, frozen=True, kw_only=True):
    """The run's costs."""

    total: Cost
    by_phase: dict[str, Cost]
    budget_usd: str


class RunFacts(Struct, frozen=True, kw_only=True):
    """The run itself."""

    id: str
    issue_key: str
    summary: str
    status: str
    iteration: int
    reason: str


class Story(Struct, frozen=True, kw_only=True):
    """All that the receiver tells of a run."""

    run: RunFacts
    pipelines: tuple[Pipeline, ...]
    reports: tuple[Report, ...]
    merge_requests: tuple[MergeRequest, ...]
    costs: Costs

    def jobs(self) -> list[Job]:
        """All jobs, those of the parent first."""
        ordered = sorted(self.pipelines, key=lambda pipeline: (pipeline.kind != "parent", pipeline.id))
        return [job for pipeline in ordered for job in pipeline.jobs]

    def report(self, job: Job) -> Report | None:
        """Return the report of a job, if it sent one."""
        return next((report for report in self.reports if report.job == job.id), None)


class _Listed(Struct, frozen=True, kw_only=True):
    """A row of the list of runs."""

    id: str


class Reader:
    """Reads stories over HTTP."""

    def __init__(self, receiver: str, token: str) -> None:
        """Read from the receiver at this URL."""
        self._client = httpx2.Client(base_url=receiver, headers={"Authorization": f"Bearer {token}"}, timeout=20)

    def story(self, issue_key: str) -> Story | None:
        """Return the story of the ticket's newest run; None while there is none."""
        found = self._client.get("/api/runs", params={"issue_key": issue_key}).raise_for_status()
        rows = msgspec.json.decode(found.content, type=list[_Listed])
        if not rows:
            return None
        told = self._client.get(f"/api/runs/{rows[0].id}").raise_for_status()
        return msgspec.json.decode(told.content, type=Story)

    def deliveries(self) -> dict[str, int]:
        """Return how many deliveries ended in each verdict."""
        told = self._client.get("/api/deliveries/verdicts").raise_for_status()
        return msgspec.json.decode(told.content, type=dict[str, int])
