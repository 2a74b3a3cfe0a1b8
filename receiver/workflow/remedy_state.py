"""How far a remedy came. Data only."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from pipelines.language.remedy import Action

OFFERED: Final = frozenset({Action.SUGGEST, Action.PROPOSE})
"""Actions of remedies that stay outside of the committed fix until somebody takes them."""
DRAFTED: Final = OFFERED | {Action.DRAFT}
"""Actions of remedies whose merge request is opened as a draft: people judge them first."""


class RemedyState(StrEnum):
    """How far a remedy came."""

    MATCHED = "matched"
    """The diagnosis has it, and a job applies it."""
    VERIFIED = "verified"
    """What failed was green with it."""
    RED = "red"
    """What failed was not green with it, so it was never shown."""
    SHOWN = "shown"
    """It is in an open merge request, or suggested there."""
    ACCEPTED = "accepted"
    """People took it, or merged the merge request that holds it."""
    REJECTED = "rejected"
    """People dismissed it, or closed the merge request."""
    REVERTED = "reverted"
    """It was accepted, and people took it back."""
