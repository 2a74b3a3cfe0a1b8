"""Data of the run itself and of its iterations."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from pipelines.language import Diagnosis, Plan
from receiver.workflow.audience import Audience
from receiver.workflow.end_codes import FailureClass
from receiver.workflow.run import Cause
from receiver.workflow.turns import place_in_words


class Iteration(Struct, frozen=True, kw_only=True):
    """An iteration of a run."""

    number: int
    kind: str
    """`fix`, `infrastructure` for a retry, or `analysis` for one that ended waiting for people."""
    plan: Plan | None = None
    """The accepted plan of this iteration."""
    approved_by: str | None = None
    """Jira account that approved the previous plan and so started this iteration."""
    approver: str = ""
    """Name of that account; empty: unknown, or no approval was needed."""
    cause: Cause = Cause.ADMITTED
    """Why it began."""
    reuses: tuple[int, ...] = ()
    """GitLab ids of jobs of earlier iterations whose reports count in this one."""
    diagnoses: tuple[Diagnosis, ...] = ()
    """What went wrong in the previous attempt."""
    started_at: datetime
    finished_at: datetime | None


class RunFacts(Struct, frozen=True, kw_only=True):
    """Data of the run itself."""

    id: str
    issue_key: str
    summary: str
    """Of the ticket; untrusted."""
    ticket_url: str
    reporter: str
    """Of the ticket; untrusted."""
    status: str
    reason: str
    reason_code: str | None = None
    """`EndCode` of a run that ended."""
    failure_class: FailureClass | None = None
    """Who has to act, if the end is a failure."""
    diagnosis: Diagnosis | None = None
    """What went wrong, if the run ended without a fix."""
    asked: str = ""
    """What its ticket was asked before a model read it; empty: nothing."""
    saved_usd: Decimal | None = None
    """What an analysis usually cost when the ticket was asked instead; None: it was not, or nothing is known."""
    position: int | None = None
    """In the queue, from 1, as of now; None: it does not wait for its turn."""
    iteration: int
    branch: str
    audience: Audience
    """Who may read what it found, besides the readers of this story."""
    actor_name: str
    created_at: datetime
    finished_at: datetime | None

    @property
    def place(self) -> str:
        """Where it stands in the queue, for people; empty: it does not wait for its turn."""
        return place_in_words(self.position)
