"""Remedies as data: what of a diagnosis each is for, what it does, and how sure it is. Matches nothing.

They stand in `templates/healing`, one file each; a team's own stand beside its bug-fix.yml. A run keeps those that it
began with in its catalogue.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct, field

from pipelines.language.diagnosis import DiagnosisKind
from pipelines.language.phase import Phase
from pipelines.language.suites import Check


class Action(StrEnum):
    """What is done with a remedy, the freest first: each is stricter than those before it."""

    COMMIT = "commit"
    """Taken into the fix, tested like the rest of it, and told to people."""
    SUGGEST = "suggest"
    """A suggestion on the changed line of the merge request; somebody applies it."""
    DRAFT = "draft"
    """The merge request stays a draft with the change in it; somebody reviews it."""
    PROPOSE = "propose"
    """Described as a proposal; nothing is changed before somebody approves it."""
    ESCALATE = "escalate"
    """People get all that is known."""
    NEVER = "never"
    """Not considered."""


class Maker(StrEnum):
    """Who makes the change that a remedy consists of."""

    COMMAND = "command"
    """A command of the repository, run on the changed code."""
    AGENT = "agent"
    """An agent, told what the remedy is."""
    PEOPLE = "people"
    """Nobody but people."""


class Verification(StrEnum):
    """What shows that a remedy heals before it is applied or shown."""

    FAILING_COMMAND = "failing_command"
    """The command that failed is run with it in CI, in a job of its own, and is green."""
    REPEATED_RUNS = "repeated_runs"
    """The same code is run several times, and does not always do the same."""
    NONE = "none"
    """Nothing; so nothing is changed either."""


class RepositoryCommand(StrEnum):
    """Commands of a repository (`commands` in bug-fix.yml) that remedies run."""

    FORMAT = "format"
    GENERATE = "generate"
    SNAPSHOTS = "snapshots"


Phrase = Annotated[
    str,
    Meta(
        pattern=r"^[^\n]{3,120}$",
        description="words of one line, 3 to 120 characters; `*` stands for anything",
        examples=["would reformat"],
    ),
]


class Match(Struct, frozen=True, kw_only=True):
    """What of a diagnosis a remedy is for: all that is given must hold, and of each list one entry must."""

    kinds: tuple[DiagnosisKind, ...] = ()
    """What went wrong."""
    phases: tuple[Phase, ...] = ()
    """Where it showed."""
    checks: tuple[Check, ...] = ()
    """Which checks said so. Where they are given, only their output is searched for what is said."""
    says: tuple[Phrase, ...] = ()
    """Words of one line of a message or of a check's output, in any case."""
    stacks: tuple[str, ...] = ()
    """Presets that the repository is like."""


class RemedyRow(Struct, frozen=True, kw_only=True):
    """A remedy as its file has it."""

    title: str
    """What is wrong, as people say it."""
    match: Match
    remedy: str
    """What is done about it; a sentence for people and for agents."""
    tier: int
    """1: safe enough to need no thought · 2: a proposal that people judge · 3: for people alone."""
    confidence: Decimal
    """How often it is right, 0 to 1. Of tier 3 it is a bound: less often than this."""
    action: Action
    made_by: Maker = Maker.PEOPLE
    command: RepositoryCommand | None = None
    """Which one, where a command makes the change."""
    verified_by: Verification = Verification.NONE


class Remedy(RemedyRow, frozen=True, kw_only=True):
    """A remedy."""

    id: str
    """The name of its file."""
    is_own: bool = False
    """It is the team's: its file stands beside bug-fix.yml."""


class Healing(Struct, frozen=True, kw_only=True):
    """Remedies of a catalogue."""

    remedies: tuple[Remedy, ...] = ()
    at_least: dict[str, Action] = field(default_factory=dict)
    """By remedy: the freest action that this team allows."""


__all__ = [
    "Action",
    "Healing",
    "Maker",
    "Match",
    "Remedy",
    "RemedyRow",
    "RepositoryCommand",
    "Verification",
]
