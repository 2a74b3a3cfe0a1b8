"""Read a run's story from the receiver's read API. The shapes are the receiver's; only what the demo shows is named."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

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
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def duration_s(self) -> float | None:
        """Seconds from start to end; None while it runs."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()


class Pipeline(Struct, frozen=True, kw_only=True):
    """A parent or child pipeline with its jobs."""

    id: int
    project_id: int
    parent: int | None
    status: str
    url: str
    jobs: tuple[Job, ...] = ()

    @property
    def kind(self) -> str:
        """`parent` or `child`."""
        return "parent" if self.parent is None else "child"


class MergeRequest(Struct, frozen=True, kw_only=True):
    """A merge request of the run."""

    repository: str
    iid: int
    url: str
    source_branch: str
    state: str


class Artifact(Struct, frozen=True, kw_only=True):
    """A file that a job left behind."""

    kind: str
    path: str


class Told(Struct, frozen=True, kw_only=True):
    """What a job said."""

    phase: str
    repository: str | None
    outcome: str
    reason: str
    result: dict[str, Any] | None = None
    artifacts: tuple[Artifact, ...] = ()


class Report(Struct, frozen=True, kw_only=True):
    """A report and whether it counts."""

    job: int
    state: str
    report: Told


class Tokens(Struct, frozen=True, kw_only=True):
    """Five disjoint counts."""

    uncached: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    output: int


class Part(Struct, frozen=True, kw_only=True):
    """Tokens and money of some calls."""

    calls: int
    tokens: Tokens
    cost_usd: Decimal | None
    """None when any of it is unknown."""
    known_usd: Decimal
    unknown_calls: int
    """Calls that are not settled."""


def add(parts: Iterable[Part]) -> Part:
    """Return the sum of parts; unknown when one of them is."""
    found = list(parts)
    known = [part.cost_usd for part in found if part.cost_usd is not None]
    return Part(
        calls=sum(part.calls for part in found),
        tokens=Tokens(
            uncached=sum(part.tokens.uncached for part in found),
            cache_read=sum(part.tokens.cache_read for part in found),
            cache_write_5m=sum(part.tokens.cache_write_5m for part in found),
            cache_write_1h=sum(part.tokens.cache_write_1h for part in found),
            output=sum(part.tokens.output for part in found),
        ),
        cost_usd=sum(known, Decimal(0)) if len(known) == len(found) else None,
        known_usd=sum((part.known_usd for part in found), Decimal(0)),
        unknown_calls=sum(part.unknown_calls for part in found),
    )


class PhasePart(Struct, frozen=True, kw_only=True):
    """One phase in one repository."""

    phase: str
    repository: str | None
    part: Part


class Spending(Struct, frozen=True, kw_only=True):
    """The run's money."""

    by_phase: tuple[PhasePart, ...]
    total: Part

    def of(self, phase: str | None, repository: str | None) -> Part | None:
        """Return what a phase spent in a repository."""
        found = (entry.part for entry in self.by_phase if (entry.phase, entry.repository) == (phase, repository))
        return next(found, None)

    def of_phase(self, phase: str) -> Part:
        """Return what a phase spent in all repositories."""
        return add(entry.part for entry in self.by_phase if entry.phase == phase)


class Ticket(Struct, frozen=True, kw_only=True):
    """The ticket, as fetched."""

    summary: str


class Story(Struct, frozen=True, kw_only=True):
    """All that the receiver tells of a run."""

    id: str
    issue_key: str
    status: str
    iteration: int
    reason: str
    ticket: Ticket | None
    pipelines: tuple[Pipeline, ...]
    reports: tuple[Report, ...]
    merge_requests: tuple[MergeRequest, ...]
    spending: Spending

    @property
    def summary(self) -> str:
        """The ticket's summary, once it is known."""
        return self.ticket.summary if self.ticket else ""

    def jobs(self) -> list[Job]:
        """All jobs, those of the parent first."""
        ordered = sorted(self.pipelines, key=lambda pipeline: (pipeline.kind != "parent", pipeline.id))
        return [job for pipeline in ordered for job in pipeline.jobs]

    def told(self, job: Job) -> Told | None:
        """Return what a job said, if it has."""
        return next((entry.report for entry in self.reports if entry.job == job.id), None)


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
