"""All that is known of a merge request at the moment when it is judged. Data only; `receiver.outbound` reads it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from pipelines.language.policy import MergePolicy


class HeadOrigin(StrEnum):
    """Where the commit at the head comes from."""

    TESTED = "tested"
    """We made it of what testing accepted."""
    REBASED = "rebased"
    """GitLab rebased such a commit for us: the same change on a newer target."""
    UNPROVEN = "unproven"
    """Somebody else pushed it, or nobody knows who: it was not tested here."""


class TrainState(StrEnum):
    """What the project's merge train has to do with the merge request."""

    NONE = "none"
    """The project has no merge trains."""
    OFF = "off"
    """It has, and the merge request was not on one with this head."""
    RIDING = "riding"
    LEFT = "left"
    """It was on one with this head, and came off without being merged."""


class Approval(Struct, frozen=True, kw_only=True):
    """A person's approval that stands."""

    user: int
    """GitLab's user id."""
    name: str
    at: datetime | None
    """When it was given; None: GitLab does not say."""
    is_bot: bool = False
    """GitLab made the user for a token or a service."""
    may_develop: bool = True
    """The user is at least a developer of the project now."""


class OwnPipeline(Struct, frozen=True, kw_only=True):
    """The newest pipeline of the repository's own that the merge request shows."""

    id: int
    status: str
    source: str
    is_of_head: bool
    """It ran on the head, or on the head merged into its target."""


class MergeFacts(Struct, frozen=True, kw_only=True):
    """What a judgement depends on."""

    state: str
    """opened, closed, locked, merged."""
    head_sha: str
    status: str
    """GitLab's `detailed_merge_status`."""
    target_branch: str
    is_draft: bool
    is_rebasing: bool
    """GitLab rebases it right now."""
    may_merge: bool
    """Our bot may merge into the target branch."""
    origin: HeadOrigin
    was_rebased: bool
    """GitLab rebased it for us already in this iteration."""
    tree_since: datetime | None
    """When the head's tree was pushed; commits that change no file don't count. None: not known."""
    approvals: tuple[Approval, ...]
    approvals_required: int
    """By GitLab's rules; 0: there are none."""
    approvals_left: int
    """By GitLab's rules."""
    our_bots: frozenset[int]
    pushers: frozenset[int]
    """GitLab's user ids of who pushed to the branch while the merge request was open."""
    open_threads: int
    pipeline: OwnPipeline | None
    contradicted: tuple[str, ...]
    """Tests of the base commit that fail on the changed code, or do not build against it."""
    must_fix: int
    """Findings of the reviewing agent that must be fixed."""
    goes_after: tuple[str, ...]
    """Merge requests of the run that the catalogue merges first, and that are not merged."""
    train: TrainState
    merge: MergePolicy
    approvals_wanted: int
    """By `policy.approvals`."""
