"""What stands in a merge request of the emulated GitLab: its heads, notes, threads and reactions. Data only."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum


@dataclass(frozen=True)
class Award:
    """One emoji of one user, on a note or on the merge request itself."""

    id: int
    name: str
    """Without colons."""
    user_id: int
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class DiffRefs:
    """The commits between which a diff lies: the merge base, the target's head at that time, the source's head."""

    base_sha: str
    start_sha: str
    head_sha: str


@dataclass(frozen=True, kw_only=True)
class Position:
    """A line of a diff: added (no old line), removed (no new one) or unchanged (both)."""

    refs: DiffRefs
    old_path: str
    new_path: str
    old_line: int | None = None
    new_line: int | None = None
    line_range: dict[str, object] | None = None
    """What a client said of several lines; kept as it is."""


@dataclass(frozen=True, kw_only=True)
class DiffVersion:
    """One of the diffs that a merge request had: each push makes one."""

    id: int
    refs: DiffRefs
    created_at: datetime
    patch_id: str
    """The same for the same changes, wherever they begin."""


@dataclass(frozen=True, kw_only=True)
class Approval:
    """One user's approval, and of which changes it is."""

    user_id: int
    created_at: datetime
    patch_id: str


@dataclass
class Suggestion:
    """New text for lines around the one that a note on the diff is about."""

    id: int
    lines_above: int
    lines_below: int
    from_content: str = ""
    to_content: str = ""
    applied: bool = False
    outdated: bool = False
    """What it replaces stands there no more."""
    commit_id: str | None = None


class NoteType(Enum):
    """What a note begins or belongs to; the value is the REST field `type`."""

    COMMENT = None
    """On its own, until somebody replies."""
    DISCUSSION = "DiscussionNote"
    """In a thread."""
    DIFF = "DiffNote"
    """In a thread on a line of the diff."""


@dataclass
class Note:
    """One note of a merge request."""

    id: int
    body: str
    author_id: int
    created_at: datetime
    updated_at: datetime
    discussion_id: str
    type: NoteType = NoteType.COMMENT
    system: bool = False
    internal: bool = False
    awards: list[Award] = field(default_factory=list)
    position: Position | None = None
    """Of a note on the diff; follows its line while pushes leave the line there."""
    original_position: Position | None = None
    change_position: Position | None = None
    """Where the line was changed; set when the note is outdated."""
    line_code: str | None = None
    suggestions: list[Suggestion] = field(default_factory=list)
    resolved_by_id: int | None = None
    resolved_at: datetime | None = None
    resolved_by_push: bool | None = None


class MergeStatus(Enum):
    """What GitLab knows of whether the branches merge: the state machine `merge_status` of app/models/merge_request.rb.

    A push to either branch makes it unknown; reading the merge request has it checked, and the next reading knows.
    """

    PREPARING = "preparing"
    UNCHECKED = "unchecked"
    CHECKING = "checking"
    MERGEABLE = "can_be_merged"
    UNMERGEABLE = "cannot_be_merged"
    UNMERGEABLE_RECHECK = "cannot_be_merged_recheck"
    UNMERGEABLE_RECHECKING = "cannot_be_merged_rechecking"

    @property
    def public(self) -> str:
        """The word that is told."""
        hidden = {MergeStatus.PREPARING, MergeStatus.UNMERGEABLE_RECHECKING}
        return MergeStatus.CHECKING.value if self in hidden else self.value

    @property
    def is_known(self) -> bool:
        """Whether it says yes or no."""
        return self in {MergeStatus.MERGEABLE, MergeStatus.UNMERGEABLE}


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
    reviewer_states: dict[int, str] = field(default_factory=dict)
    """What reviewers said last; `unreviewed` until then."""
    requested_changes: set[int] = field(default_factory=set)
    """Users who want something changed first."""
    approvals: list[Approval] = field(default_factory=list)
    """In the order in which they were given."""
    approvals_syncing: bool = False
    """A push is about to take approvals away."""
    committers: frozenset[str] = frozenset()
    """Addresses of those who committed what the newest diff shows."""
    remove_source_branch: bool = False
    sha: str = ""
    """Head of the newest diff: it follows the source branch a moment after a push."""
    versions: list[DiffVersion] = field(default_factory=list)
    """The diffs, oldest first."""
    merge_status: MergeStatus = MergeStatus.PREPARING
    prepared_at: datetime | None = None
    """When its first diff was there."""
    merge_error: str | None = None
    """Why the last merge or rebase failed."""
    rebase_in_progress: bool = False
    head_pipeline_id: int | None = None
    """The newest pipeline that a head had; stays when a head gets none."""
    head_pipeline_of: str | None = None
    """The head that had it; its own commit is another one on a merge train."""
    auto_merge_user_id: int | None = None
    """Who put it on a merge train, while it is on one."""
    forced_status: str | None = None
    """A `detailed_merge_status` that a test wants told."""
    next_failure: str | None = None
    """Why the next merge is to fail."""
    merge_commit_sha: str | None = None
    merged_by_id: int | None = None
    merged_at: datetime | None = None
    closed_at: datetime | None = None
    notes: list[Note] = field(default_factory=list)
    awards: list[Award] = field(default_factory=list)

    @property
    def refs(self) -> DiffRefs | None:
        """The commits of the newest diff; None until GitLab has made the first one."""
        return self.versions[-1].refs if self.versions else None

    @property
    def base_sha(self) -> str:
        """Where the newest diff begins; without one, its head: nothing changes then."""
        return self.refs.base_sha if self.refs else self.sha
