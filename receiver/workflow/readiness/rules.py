"""What a ticket has to say before a model reads it, and what is asked where it does not. A table; no I/O, no tokens.

In doubt a ticket passes: a needless question costs people a day, an analysis asks by itself where something is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from pipelines.language.catalogue import Catalogue
from pipelines.language.policy import Readiness
from pipelines.language.wire import Ticket
from receiver.workflow.readiness.ticket_text import TicketText

SHORT: Final = 4
"""Words of matter from which on a failure or a wish is told, not just exclaimed."""
TOLD: Final = 14
"""Words of matter from which on something was described, though no rule recognises what."""
MOST_NAMED: Final = 8
"""Repositories that a question offers."""


class ReadinessRule(Struct, frozen=True, kw_only=True):
    """One thing that a ticket has to say."""

    lacks: str
    """What is missing where it is not met, for people."""
    is_met: Callable[[TicketText, Catalogue], bool]
    question: str
    """What is asked then; `{parts}`: what the catalogue knows."""


def _has_symptom(text: TicketText, _: Catalogue) -> bool:
    is_named = (text.shows_failure or text.describes_expected) and text.matter >= SHORT
    return is_named or text.shows_evidence or text.describes_actual or text.matter >= TOLD


def _has_expectation(text: TicketText, _: Catalogue) -> bool:
    return text.describes_expected or text.shows_failure or text.matter >= TOLD


def _names_part(text: TicketText, catalogue: Catalogue) -> bool:
    if len(catalogue.repositories) <= 1 or text.points_somewhere or text.has_attachment or text.matter >= TOLD:
        return True
    known = {
        name
        for path, repository in catalogue.repositories.items()
        for whole in (repository.key, path.rpartition("/")[2])
        for name in (whole, whole.replace("-", " "))
    }
    return any(text.names(name) for name in known)


RULES: Final = (
    ReadinessRule(
        lacks="what happens",
        is_met=_has_symptom,
        question="What exactly happens, and after which steps? Copy the message or the wrong value as it is shown, or "
        "attach a picture.",
    ),
    ReadinessRule(
        lacks="what was expected",
        is_met=_has_expectation,
        question="What should happen or be shown instead?",
    ),
    ReadinessRule(
        lacks="where it happens",
        is_met=_names_part,
        question="Where does it happen: {parts}? The address of the page or the name of the screen is enough.",
    ),
)
"""In the order in which they are asked."""


class Gap(Struct, frozen=True, kw_only=True):
    """Something that a ticket does not say."""

    lacks: str
    question: str


def gaps(ticket: Ticket, catalogue: Catalogue) -> tuple[Gap, ...]:
    """Return what a ticket lacks; nothing where policy asks nobody, and in a language that no table is about."""
    if catalogue.policy.readiness is Readiness.OFF:
        return ()
    text = TicketText(ticket)
    if text.has_description and not text.is_of_known_language:
        return ()
    return tuple(
        Gap(lacks=rule.lacks, question=rule.question.format(parts=_parts(catalogue)))
        for rule in RULES
        if not rule.is_met(text, catalogue)
    )


def _parts(catalogue: Catalogue) -> str:
    keys = [one.key for one in catalogue.repositories.values()]
    named = keys if len(keys) <= MOST_NAMED else [*keys[:MOST_NAMED], "another part"]
    return " or ".join((", ".join(named[:-1]), named[-1])) if len(named) > 1 else "".join(named)


def question(found: tuple[Gap, ...]) -> str:
    """Return what people are asked, in one go."""
    return " ".join(one.question for one in found)


def reason(found: tuple[Gap, ...]) -> str:
    """Return why a ticket is not ready, a sentence for people."""
    return f"The ticket does not say {' or '.join(one.lacks for one in found)}: it is asked before a model reads it."
