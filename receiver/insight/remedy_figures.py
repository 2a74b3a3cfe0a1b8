"""How far remedies came: matched, verified, shown, accepted, rejected or reverted. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from msgspec import Struct

from receiver.insight.shares import Share, share
from receiver.workflow.remedy_state import RemedyState

S = RemedyState

REACHED: Final[Mapping[RemedyState, frozenset[RemedyState]]] = {
    S.VERIFIED: frozenset({S.VERIFIED, S.SHOWN, S.ACCEPTED, S.REJECTED, S.REVERTED}),
    S.SHOWN: frozenset({S.SHOWN, S.ACCEPTED, S.REJECTED, S.REVERTED}),
    S.ACCEPTED: frozenset({S.ACCEPTED, S.REVERTED}),
}
"""States after a step was taken; what was accepted was shown, and what was shown was verified."""


class RemedyCount(Struct, frozen=True, kw_only=True):
    """How many remedies of a kind are in a state."""

    remedy: str
    tier: int
    confidence: Decimal
    """As the table of remedies declared it, 0 to 1; the highest where it was changed meanwhile."""
    state: RemedyState
    count: int


class RemedyFigures(Struct, frozen=True, kw_only=True):
    """How far the remedies of one kind came."""

    remedy: str
    tier: int
    confidence: Decimal
    matched: int
    verified: Share
    """Of those whose verification ended, green."""
    shown: int
    accepted: Share
    """Of those about which people decided; also what was taken back later."""
    rejected: int
    reverted: Share
    """Of those accepted."""


def figures(counts: Iterable[RemedyCount]) -> tuple[RemedyFigures, ...]:
    """Return the figures of each remedy, the most often matched first."""
    by_remedy: dict[str, list[RemedyCount]] = {}
    for one in counts:
        by_remedy.setdefault(one.remedy, []).append(one)
    found = [_of(remedy, group) for remedy, group in by_remedy.items()]
    return tuple(sorted(found, key=lambda one: (-one.matched, one.remedy)))


def _of(remedy: str, group: list[RemedyCount]) -> RemedyFigures:
    def sum_of(states: Iterable[RemedyState]) -> int:
        return sum(one.count for one in group if one.state in states)

    verified, accepted, rejected = sum_of(REACHED[S.VERIFIED]), sum_of(REACHED[S.ACCEPTED]), sum_of({S.REJECTED})
    return RemedyFigures(
        remedy=remedy,
        tier=group[0].tier,
        confidence=group[0].confidence,
        matched=sum_of(RemedyState),
        verified=share(verified, verified + sum_of({S.RED})),
        shown=sum_of(REACHED[S.SHOWN]),
        accepted=share(accepted, accepted + rejected),
        rejected=rejected,
        reverted=share(sum_of({S.REVERTED}), accepted),
    )
