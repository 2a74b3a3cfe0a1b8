"""How far remedies come, with 95 % intervals. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import sqrt
from typing import Final

from msgspec import Struct

from receiver.workflow.remedy_state import RemedyState

Z95: Final = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""

S = RemedyState
VERIFIED: Final = frozenset({S.VERIFIED, S.SHOWN, S.ACCEPTED, S.REJECTED, S.REVERTED})
SHOWN: Final = VERIFIED - {S.VERIFIED}
TAKEN: Final = frozenset({S.ACCEPTED, S.REVERTED})
DECIDED: Final = SHOWN - {S.SHOWN}


class Share(Struct, frozen=True, kw_only=True):
    """A share of cases, with its interval."""

    count: int
    of: int
    low: float | None
    """None: there are no cases, so nothing is known."""
    high: float | None


class RemedyFigures(Struct, frozen=True, kw_only=True):
    """How far one remedy came, in all runs. Each count holds those that came further."""

    remedy: str
    matched: int
    verified: Share
    """Of those whose job found out."""
    shown: int
    accepted: Share
    """Of those that people decided on; what was taken back later was accepted, too."""
    rejected: int
    reverted: Share
    """Of those accepted."""


def wilson(count: int, of: int) -> Share:
    """Return a share with Wilson's score interval (E. B. Wilson, 1927, doi:10.1080/01621459.1927.10502953)."""
    if of == 0:
        return Share(count=count, of=of, low=None, high=None)
    p, z2 = count / of, Z95 * Z95
    middle = (p + z2 / (2 * of)) / (1 + z2 / of)
    reach = Z95 / (1 + z2 / of) * sqrt(p * (1 - p) / of + z2 / (4 * of * of))
    low, high = max(0.0, middle - reach), min(1.0, middle + reach)
    return Share(count=count, of=of, low=0.0 if count == 0 else low, high=1.0 if count == of else high)


def figures(counts: Mapping[str, Mapping[RemedyState, int]]) -> tuple[RemedyFigures, ...]:
    """Return the figures of each remedy by how many are in which state, by name."""

    def of_one(remedy: str, by: Mapping[RemedyState, int]) -> RemedyFigures:
        def total(states: Iterable[RemedyState]) -> int:
            return sum(by.get(one, 0) for one in states)

        return RemedyFigures(
            remedy=remedy,
            matched=total(S),
            verified=wilson(total(VERIFIED), total({*VERIFIED, S.RED})),
            shown=total(SHOWN),
            accepted=wilson(total(TAKEN), total(DECIDED)),
            rejected=total({S.REJECTED}),
            reverted=wilson(total({S.REVERTED}), total(TAKEN)),
        )

    return tuple(of_one(remedy, counts[remedy]) for remedy in sorted(counts))
