"""Events of merge requests: opened, changed, judged, merged. Data only."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct

from pipelines.language import CommitSha, ProjectPath


class MergeRequestOpened(Struct, frozen=True, kw_only=True, tag=True):
    """The merge request exists: opened now, or updated."""

    repository: ProjectPath
    project_id: int
    iid: int
    url: str
    head_sha: CommitSha
    branch: str = ""
    """The one that it was opened from; empty: the run's."""
    held_back: bool | None = None
    """The commit is marked so that the repository's own CI leaves it alone until somebody approves; None: unchanged."""
    iteration: int | None = None
    """The attempt whose fix is committed; None: the fix is the same as before."""
    has_reviewer: bool | None = None
    """Somebody is asked for a review; None: was not looked at."""
    same_as: CommitSha | None = None
    """The head before, when this one adds nothing to it: who approved that one has approved this one."""


class MergeRequestChanged(Struct, frozen=True, kw_only=True, tag=True):
    """GitLab says that something happened to a merge request."""

    project_id: int
    project: ProjectPath
    iid: int
    action: str
    """open, close, reopen, update, approved, unapproved, approval, unapproval, merge."""
    state: str
    """opened, closed, locked, merged."""
    source_branch: str
    head_sha: str
    actor_id: int | None
    actor: str
    at: datetime | None
    source_project_id: int | None = None
    """Whose branch it is: another project's when it comes from a fork. None: not told."""
    merge_commit_sha: str = ""
    """The commit that merging made; empty before, and after a fast-forward merge, where the head is on the target."""


class MergeAnswer(StrEnum):
    """What a look at a merge request ended with."""

    MERGED = "merged"
    """By us."""
    BOARDED = "boarded"
    """It is on the project's merge train."""
    REBASE = "rebase"
    """GitLab is to rebase it first."""
    CONFLICT = "conflict"
    WAITS = "waits"
    """For something that is expected."""
    BLOCKED = "blocked"
    """Until somebody does something."""
    PEOPLE = "people"
    """People merge it, or nobody."""


FOR_PEOPLE: Final = frozenset({MergeAnswer.BLOCKED, MergeAnswer.CONFLICT, MergeAnswer.PEOPLE})
"""Answers that leave people something to do; the notes say what."""


class MergeJudged(Struct, frozen=True, kw_only=True, tag=True):
    """A merge request was looked at, and merged if everything let us."""

    repository: ProjectPath
    iid: int
    answer: MergeAnswer
    sentence: str
    """Why, for people."""
    head_sha: CommitSha
    """What was at its head."""
    approved_by: tuple[str, ...] = ()
    """Whose approvals count, by their names; told of a merge."""


class TargetPipelineReleased(Struct, frozen=True, kw_only=True, tag=True):
    """The repository's own CI may run what is at the head of the run's branch: no mark of ours holds it back."""

    repository: ProjectPath


class PicturesAttached(Struct, frozen=True, kw_only=True, tag=True):
    """Pictures of before and after are attached to the ticket."""

    iteration: int
    repository: ProjectPath
    files: tuple[str, ...]
    """Their names on the ticket."""
