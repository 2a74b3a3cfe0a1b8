"""Events of what becomes of a fix after it was merged. Data only."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from pipelines.language import ProjectPath


class RevertMerged(Struct, frozen=True, kw_only=True, tag=True):
    """GitLab says that a merge request was merged which takes back one of ours."""

    project_id: int
    iid: int
    """Of the one that is taken back."""
    by_iid: int
    """Of the one that takes it back."""


class Vote(Struct, frozen=True, kw_only=True):
    """A thumb that somebody gave our status note on the merge request."""

    user: str
    is_up: bool


class OutcomeSeen(Struct, frozen=True, kw_only=True, tag=True):
    """It was looked what became of a merged fix."""

    repository: ProjectPath
    reverted_at: datetime | None = None
    """When a commit on the target branch first said that it takes the fix back; None: none does."""
    reverted_by: str = ""
    """That commit."""
    reopened_at: datetime | None = None
    """When the ticket, after the merge, first left a status of the category *done*; None: it did not."""
    votes: tuple[Vote, ...] = ()
