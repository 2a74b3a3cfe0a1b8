"""What stands in a merge request of the emulated GitLab: its heads, notes, threads and reactions. Data only."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Award:
    """One emoji of one user, on a note or on the merge request itself."""

    id: int
    name: str
    """Without colons."""
    user_id: int
    created_at: datetime


@dataclass
class Note:
    """One note of a merge request."""

    id: int
    body: str
    author_id: int
    created_at: datetime
    updated_at: datetime
    discussion_id: str
    system: bool = False
    internal: bool = False
    awards: list[Award] = field(default_factory=list)


@dataclass
class MergeRequest:
    """A merge request within one project."""

    id: int
    iid: int
    project_id: int
    title: str
    description: str
    source_branch: str
    target_branch: str
    author_id: int
    created_at: datetime
    updated_at: datetime
    state: str = "opened"
    """`opened`, `merged` or `closed`."""
    labels: list[str] = field(default_factory=list)
    assignee_ids: list[int] = field(default_factory=list)
    reviewer_ids: list[int] = field(default_factory=list)
    approved_by_ids: list[int] = field(default_factory=list)
    remove_source_branch: bool = False
    sha: str = ""
    """Head of the source branch."""
    versions: list[tuple[str, str, datetime]] = field(default_factory=list)
    """Heads that were pushed, oldest first: head, base, time."""
    base_sha: str = ""
    merge_commit_sha: str | None = None
    merged_by_id: int | None = None
    merged_at: datetime | None = None
    closed_at: datetime | None = None
    notes: list[Note] = field(default_factory=list)
    awards: list[Award] = field(default_factory=list)
