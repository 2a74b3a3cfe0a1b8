"""What has to be done so that each offered hunk is either open and can be applied, or settled. Pure.

GitLab moves suggestions along with a push that leaves their lines alone; only what became inapplicable is replaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

from receiver.healing.hunks import Hunk, Place, find, is_in
from receiver.workflow.remedy_state import RemedyState


class Thread(Struct, frozen=True, kw_only=True):
    """A thread in which a hunk is suggested."""

    id: str
    is_resolved: bool
    is_appliable: bool
    is_applied: bool
    by_person: bool
    """A person resolved it: not we, and not a push."""


class HunkFate(StrEnum):
    """How a hunk stands."""

    TAKEN = "taken"
    """The branch has it."""
    DISMISSED = "dismissed"
    """A person resolved its thread without applying it."""
    GONE = "gone"
    """Its lines were changed: it means nothing any more."""
    OPEN = "open"


class Standing(Struct, frozen=True, kw_only=True):
    """What is to be done about a hunk."""

    hunk: Hunk
    fate: HunkFate
    resolves: tuple[str, ...]
    """Threads that are dead or settled."""
    place: Place | None = None
    """Where it is to be suggested; None: nowhere, or it is already."""


def standing(hunk: Hunk, threads: Sequence[Thread], lines: Sequence[str], *, is_wanted: bool) -> Standing:
    """Return what is to be done about a hunk, for its threads and its file at the head of the branch."""
    unresolved = tuple(one for one in threads if not one.is_resolved)
    place = find(hunk, lines)
    if place is None and is_in(hunk, lines):
        fate = HunkFate.TAKEN
    elif not is_wanted or any(one.by_person and not one.is_applied for one in threads):
        fate = HunkFate.DISMISSED
    elif place is None:
        fate = HunkFate.GONE
    else:
        fate = HunkFate.OPEN
    if fate is not HunkFate.OPEN:
        return Standing(hunk=hunk, fate=fate, resolves=tuple(one.id for one in unresolved))
    alive = [one for one in unresolved if one.is_appliable]
    dead = tuple(one.id for one in unresolved if one not in alive[:1])
    return Standing(hunk=hunk, fate=fate, resolves=dead, place=None if alive else place)


def state_of(fates: Sequence[HunkFate], *, before: RemedyState) -> RemedyState:
    """Return how far a remedy came by how its hunks stand."""
    if before is RemedyState.REJECTED:
        return before
    if all(one is HunkFate.TAKEN for one in fates):
        return RemedyState.ACCEPTED
    if before is RemedyState.ACCEPTED:
        return RemedyState.REVERTED
    return RemedyState.SHOWN if HunkFate.OPEN in fates else RemedyState.REJECTED
