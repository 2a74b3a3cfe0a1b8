"""Read a run's story from the receiver's read API. The shapes are the receiver's; only what the demo shows is named."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Self

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
"""Statuses in which the story of a scenario ends; nothing more happens without a person."""

WAITING = frozenset({"needs_information", "awaiting_approval"})
"""Statuses in which a person's word makes the run go on: a scenario's reactions, else the story ends there as well."""

CONFIDENTIAL = (
    "What was found is confidential: it is told in the run's story, which needs a token, and on the ticket only to "
    "those whom bug-fix.yml names (jira.confidential)."
)
"""What everybody is told instead of the reason at which a confidential run ends or waits."""

HANDED_OVER = "Next: these people take it over and fix it away from public eyes, on a restricted ticket."
"""What follows when it was given to people."""


class Job(Struct, frozen=True, kw_only=True):
    """A job of the run's pipelines."""

    id: int
    name: str
    phase: str | None
    repository: str | None
    status: str
    allow_failure: bool = False
    """Whether the pipeline goes on when it fails, also because it ended with an exit code that is allowed to."""
    started_at: str | None = None
    finished_at: str | None = None
    duration_s: float | None = None

    @property
    def is_warning(self) -> bool:
        """Whether GitLab marks it with a warning: it failed and was allowed to."""
        return self.status == "failed" and self.allow_failure


class Pipeline(Struct, frozen=True, kw_only=True):
    """A parent or child pipeline with its jobs."""

    id: int
    project_id: int
    kind: str
    """`parent` or `child`."""
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
    head_sha: str = ""
    merge_answer: str = ""
    """What the last look at its merge ended with; empty: nobody looked."""
    merge_sentence: str = ""
    """Why, for people."""
    merge_approved_by: tuple[str, ...] = ()
    """Whose approvals counted when it was merged for them."""


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of a merge request."""

    repository: str
    reverted_at: str | None = None
    reopened_at: str | None = None


class OwnPipeline(Struct, frozen=True, kw_only=True):
    """A pipeline of a repository's own for the branch of a merge request."""

    id: int
    repository: str
    status: str
    url: str


class Artifact(Struct, frozen=True, kw_only=True):
    """A file that a job left behind."""

    kind: str
    path: str


class Report(Struct, frozen=True, kw_only=True):
    """What a job said, and whether it counts."""

    job: int
    phase: str
    repository: str | None
    outcome: str
    state: str
    reason: str
    result: dict[str, Any] | None = None
    artifacts: tuple[Artifact, ...] = ()


class Cost(Struct, frozen=True, kw_only=True):
    """Tokens, in disjoint counts, and money of some calls."""

    calls: int
    uncached: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    output: int
    cost_usd: Decimal | None
    """None when any of it is unknown."""
    known_usd: Decimal
    unsettled: int
    """Calls whose end is not known."""


class Part(Struct, frozen=True, kw_only=True):
    """The calls of one phase of one attempt."""

    iteration: int
    cost: Cost


class Costs(Struct, frozen=True, kw_only=True):
    """The run's costs."""

    total: Cost
    by_phase: dict[str, Cost]
    parts: tuple[Part, ...] = ()

    def of_iteration(self, number: int) -> Decimal | None:
        """Return what an attempt cost; None when any of it is unknown."""
        found = [one.cost.cost_usd for one in self.parts if one.iteration == number]
        known = [one for one in found if one is not None]
        return sum(known, Decimal(0)) if len(known) == len(found) else None


class Diagnosis(Struct, frozen=True, kw_only=True):
    """What went wrong in an attempt."""

    kind: str
    messages: tuple[str, ...] = ()


class Iteration(Struct, frozen=True, kw_only=True):
    """An attempt, and what it was told of those before it."""

    number: int
    cause: str
    kind: str = "fix"
    """`fix`, `infrastructure`, `analysis` or `paused`."""
    reuses: tuple[int, ...] = ()
    """Jobs of earlier attempts whose reports count in this one."""
    diagnoses: tuple[Diagnosis, ...] = ()


class RunFacts(Struct, frozen=True, kw_only=True):
    """The run itself."""

    id: str
    issue_key: str
    summary: str
    status: str
    iteration: int
    reason: str
    asked: str = ""
    """Its ticket was asked this before a model read it."""
    saved_usd: Decimal | None = None
    """What an analysis usually cost then; None: not known."""
    audience: str = "public"
    """Who may read what was found."""


class Moment(Struct, frozen=True, kw_only=True):
    """Something that happened to the run, and what was decided about it."""

    event: str
    reason: str
    status_before: str | None
    status_after: str | None


class Act(Struct, frozen=True, kw_only=True):
    """Something that the run does in GitLab or Jira."""

    kind: str
    state: str


class Indicator(Struct, frozen=True, kw_only=True):
    """One of the five indicators of success."""

    name: str
    answer: str
    """`yes`, `no` or `unknown`."""
    reason: str


class GivenCommand(Struct, frozen=True, kw_only=True):
    """A command that somebody gave, and what became of it."""

    word: str
    by: str
    allowed: bool | None
    """None: it was left alone."""
    answer: str


class OpenQuestion(Struct, frozen=True, kw_only=True):
    """What people are asked who got the run."""

    question: str
    alternatives: tuple[str, ...]


class Remedy(Struct, frozen=True, kw_only=True):
    """A remedy that was tried."""

    id: str
    tier: int
    confidence: Decimal
    verified: bool | None
    action: str
    state: str


class Story(Struct, frozen=True, kw_only=True):
    """The history of a run, as the receiver's API returns it."""

    run: RunFacts
    pipelines: tuple[Pipeline, ...]
    reports: tuple[Report, ...]
    merge_requests: tuple[MergeRequest, ...]
    outcomes: tuple[Outcome, ...] = ()
    target_pipelines: tuple[OwnPipeline, ...] = ()
    indicators: tuple[Indicator, ...]
    costs: Costs
    iterations: tuple[Iteration, ...] = ()
    commands: tuple[GivenCommand, ...] = ()
    escalation: OpenQuestion | None = None
    moments: tuple[Moment, ...] = ()
    effects: tuple[Act, ...] = ()
    remedies: tuple[Remedy, ...] = ()

    def jobs(self) -> list[Job]:
        """All jobs, those of the parent first."""
        ordered = sorted(self.pipelines, key=lambda pipeline: (pipeline.kind != "parent", pipeline.id))
        return [job for pipeline in ordered for job in pipeline.jobs]

    def own_pipelines(self) -> dict[str, OwnPipeline]:
        """Return the newest pipeline of each repository's own."""
        return {one.repository: one for one in sorted(self.target_pipelines, key=lambda one: one.id)}

    def going_on(self) -> list[str]:
        """Return what runs now: jobs, and the repositories' own pipelines."""
        own = [one for one in self.own_pipelines().values() if one.status == "running"]
        return [
            *(job.name for job in self.jobs() if job.status == "running"),
            *(f"the own pipeline of {one.repository}" for one in own),
        ]

    @property
    def reason(self) -> str:
        """Why the run is where it is, as anybody may read it."""
        return self._public(self.run.reason, self.run.status)

    def public_reason(self, moment: Moment) -> str:
        """Why a moment moved the run, as anybody may read it."""
        return self._public(moment.reason, moment.status_after)

    def _public(self, reason: str, status: str | None) -> str:
        if self.run.audience == "public" or status not in ENDED | WAITING:
            return reason
        return f"{CONFIDENTIAL} {HANDED_OVER}" if status == "escalated" else CONFIDENTIAL

    def report(self, job: Job) -> Report | None:
        """Return what a job said, if it has."""
        return next((report for report in self.reports if report.job == job.id), None)


class _Listed(Struct, frozen=True, kw_only=True):
    """A row of the list of runs."""

    id: str


class Reader:
    """Reads stories over HTTP."""

    def __init__(self, receiver: str, token: str) -> None:
        """Read from the receiver at this URL."""
        self._client = httpx2.Client(base_url=receiver, headers={"Authorization": f"Bearer {token}"}, timeout=60)

    def __enter__(self) -> Self:
        """Read until the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close all connections."""
        self._client.close()

    def story(self, issue_key: str) -> Story | None:
        """Return the story of the ticket's newest run, or None."""
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
