"""Who may read what a run found: decided here and nowhere else, and demanded by every text that tells something. Pure.

A run never becomes more public than it was.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from pipelines.language import AnalysisResult, PlanOutcome
from receiver.workflow.events.event import Event
from receiver.workflow.events.pipeline_events import ReportAccepted
from receiver.workflow.events.ticket_events import IssueRestricted, TicketAdmitted, TicketRefreshed


class Audience(StrEnum):
    """Who may read what a run found."""

    PUBLIC = "public"
    """Everybody who sees the ticket, the merge request or the jobs."""
    RESTRICTED = "restricted"
    """The role or group that `jira.confidential` names, in comments of their own; all others the bare status."""
    WITHHELD = "withheld"
    """Those who may read the run's story; in Jira only on a ticket that is itself restricted."""

    @property
    def is_public(self) -> bool:
        """Return whether nothing has to be kept back."""
        return self is Audience.PUBLIC


class Readers(StrEnum):
    """Who reads a place where a text stands."""

    EVERYBODY = "everybody"
    """Status comments, merge requests, branches, commits, jobs."""
    NAMED = "named"
    """A comment restricted to the role or group that `jira.confidential` names."""
    RESTRICTED_TICKET = "restricted_ticket"
    """A comment on a ticket that has a security level now."""


def of(*, is_confidential: bool, names_readers: bool) -> Audience:
    """Return a run's audience. `names_readers`: its catalogue says who reads what is confidential."""
    if not is_confidential:
        return Audience.PUBLIC
    return Audience.RESTRICTED if names_readers else Audience.WITHHELD


_MAY_READ: Final[dict[Audience, frozenset[Readers]]] = {
    Audience.PUBLIC: frozenset(Readers),
    Audience.RESTRICTED: frozenset({Readers.NAMED}),
    Audience.WITHHELD: frozenset({Readers.RESTRICTED_TICKET}),
}


def may_read(readers: Readers, audience: Audience) -> bool:
    """Return whether a text at a place may tell what the run found."""
    return readers in _MAY_READ[audience]


def is_confidential_by(event: Event) -> bool:
    """Return whether an event makes its run confidential: a restricted ticket, or a security concern."""
    match event:
        case IssueRestricted():
            return True
        case TicketAdmitted(ticket=ticket) | TicketRefreshed(ticket=ticket):
            return bool(ticket.security_level)
        case ReportAccepted(report=report) if isinstance(report.result, AnalysisResult):
            return report.result.plan.outcome is PlanOutcome.SECURITY_CONCERN
        case _:
            return False
