"""Events of a run itself: its turn, its money, its deadlines, effects that gave up. Data only."""

from __future__ import annotations

from msgspec import Struct

from receiver.workflow.messages import Message
from receiver.workflow.person import AccountId


class TurnOffered(Struct, frozen=True, kw_only=True, tag=True):
    """A queued run may be the next to begin; whether it is, the queue under the lock says."""


class AttemptUnfunded(Struct, frozen=True, kw_only=True, tag=True):
    """The budget can't fund what an attempt usually costs, so its pipeline was not created."""

    iteration: int
    reason: str
    """A sentence that says by how much, and what to do."""


class EffectGaveUp(Struct, frozen=True, kw_only=True, tag=True):
    """An effect could not be performed and won't be tried again."""

    effect: str
    """The effect's kind."""
    reason: str
    message: Message | None = None
    """What somebody said that it was to read; None: it was about something else."""
    author: AccountId | None = None
    """Who changed the label that it was to read; None: as before."""


class DeadlinePassed(Struct, frozen=True, kw_only=True, tag=True):
    """A run stayed in a state that it should have left by now."""

    status: str


class NotInteresting(Struct, frozen=True, kw_only=True, tag=True):
    """A valid delivery that means nothing to us."""

    reason: str
    """For people: why it was ignored."""
