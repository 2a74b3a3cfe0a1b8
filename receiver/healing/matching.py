"""Diagnosis → the remedies that it has, the most confident first. Pure.

A remedy's declared action holds; a team's policy can only make it stricter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from pipelines.language import Diagnosis
from pipelines.language.remedy import Action, Healing, Match, Remedy
from receiver.healing.phrases import says

_ORDER: Final = tuple(Action)


class Matched(Struct, frozen=True, kw_only=True):
    """A remedy that a diagnosis has."""

    remedy: Remedy
    action: Action
    """What is done with it here: the declared action, or a stricter one."""


def remedies_for(diagnosis: Diagnosis, *, stack: str, healing: Healing) -> tuple[Matched, ...]:
    """Return the remedies of a diagnosis in the order in which they are tried. `stack`: the repository's preset."""
    found = [
        Matched(remedy=one, action=stricter(one.action, healing.at_least.get(one.id, one.action)))
        for one in healing.remedies
        if matches(one.match, diagnosis, stack=stack)
    ]
    allowed = [one for one in found if one.action is not Action.NEVER]
    return tuple(sorted(allowed, key=lambda one: (-one.remedy.confidence, one.remedy.tier, one.remedy.id)))


def stricter(one: Action, other: Action) -> Action:
    """Return the stricter of two actions."""
    return max(one, other, key=_ORDER.index)


def matches(match: Match, diagnosis: Diagnosis, *, stack: str) -> bool:
    """Return whether all that is given holds; of each list one entry must."""
    told = {output.check for output in diagnosis.output}
    return (
        (not match.kinds or diagnosis.kind in match.kinds)
        and (not match.phases or diagnosis.phase in match.phases)
        and (not match.checks or bool(told.intersection(match.checks)))
        and (not match.stacks or stack in match.stacks)
        and (not match.says or _is_said(match, _lines(diagnosis, match)))
    )


def _is_said(match: Match, lines: Iterable[str]) -> bool:
    return any(says(line, phrase) for line in lines for phrase in match.says)


def _lines(diagnosis: Diagnosis, match: Match) -> Iterator[str]:
    """Yield what was said: all of it, or what the checks printed that the remedy is about."""
    for output in diagnosis.output:
        if not match.checks or output.check in match.checks:
            yield from output.lines
    if not match.checks:
        for message in diagnosis.messages:
            yield from message.splitlines()
