"""Remedies that were tried in a run, and what became of them."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from pipelines.language.remedy import Action
from receiver.workflow.remedy_state import RemedyState


class TriedRemedy(Struct, frozen=True, kw_only=True):
    """A remedy that was matched."""

    number: int
    """By which commands name it."""
    id: str
    repository: str
    tier: int
    confidence: Decimal
    verified: bool | None
    """Whether the command that failed was green with it; None: not known yet."""
    action: Action
    state: RemedyState
