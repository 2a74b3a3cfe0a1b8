"""The merge requests of a run, and the repositories' own pipelines for them."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class MergeRequest(Struct, frozen=True, kw_only=True):
    """A merge request."""

    repository: str
    iid: int
    url: str
    source_branch: str
    state: str
    head_sha: str
    opened_at: datetime
    merged_at: datetime | None
    held_back: bool = False
    """The repository's own CI leaves our commit alone until somebody approves."""
    has_reviewer: bool | None = None
    """Somebody was asked for a review when it was opened or last described; None: not known."""


class TicketPicture(Struct, frozen=True, kw_only=True):
    """A picture of before or after on the ticket."""

    iteration: int
    repository: str
    filename: str


class TargetPipelineState(Struct, frozen=True, kw_only=True):
    """A pipeline of a repository's own for the branch of a merge request."""

    id: int
    repository: str
    sha: str
    source: str
    status: str
    url: str
    created_at: datetime | None
    finished_at: datetime | None
