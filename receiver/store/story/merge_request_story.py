"""Merge requests of a run, their pictures, and the repositories' own pipelines for them."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class MergeRequest(Struct, frozen=True, kw_only=True):
    """A merge request of the run."""

    repository: str
    iid: int
    url: str
    source_branch: str
    state: str
    head_sha: str
    opened_at: datetime
    merged_at: datetime | None
    held_back: bool = False
    """The repository's own CI does not run for our commit before an approval."""
    merge_answer: str = ""
    """What the last look at its merge ended with; empty: nobody looked."""
    merge_sentence: str = ""
    """Why, for people."""
    merge_approved_by: tuple[str, ...] = ()
    """Whose approvals counted when we merged it."""
    has_reviewer: bool | None = None
    """It had a reviewer when it was opened or last described; None: unknown."""


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of a merge request."""

    repository: str
    first_review_at: datetime | None
    merged_at: datetime | None
    people_commits: int
    reverted_at: datetime | None
    """When a commit took it back, within the days in which that is looked for."""
    reopened_at: datetime | None
    """When the ticket was opened again, likewise."""


class TicketPicture(Struct, frozen=True, kw_only=True):
    """A picture attached to the ticket, of the state before or after."""

    iteration: int
    repository: str
    filename: str


class TargetPipelineState(Struct, frozen=True, kw_only=True):
    """A pipeline of the repository's own CI for the branch of a merge request."""

    id: int
    repository: str
    sha: str
    source: str
    status: str
    url: str
    created_at: datetime | None
    finished_at: datetime | None
