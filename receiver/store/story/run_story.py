"""The run itself, and its iterations."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from pipelines.language import Diagnosis, Plan
from receiver.workflow.audience import Audience
from receiver.workflow.end_codes import FailureClass
from receiver.workflow.run import Cause


class Iteration(Struct, frozen=True, kw_only=True):
    """An iteration."""

    number: int
    kind: str
    """`fix`, `infrastructure`, or `analysis` for one that ended in waiting for people."""
    plan: Plan | None = None
    """The accepted plan of this iteration."""
    approved_by: str | None = None
    """Whose approval of the plan before began it: a Jira account."""
    approver: str = ""
    """Their name as Jira had it; empty: not known, or nobody's approval was asked for."""
    cause: Cause = Cause.ADMITTED
    """Why it began."""
    reuses: tuple[int, ...] = ()
    """Ids in GitLab of earlier iterations' jobs whose reports count in it."""
    diagnoses: tuple[Diagnosis, ...] = ()
    """What went wrong in the attempt before."""
    started_at: datetime
    finished_at: datetime | None


class RunFacts(Struct, frozen=True, kw_only=True):
    """The run itself."""

    id: str
    issue_key: str
    summary: str
    """The ticket's; untrusted text."""
    ticket_url: str
    reporter: str
    """The ticket's; untrusted text."""
    status: str
    reason: str
    reason_code: str | None = None
    """`EndCode` of a run that ended."""
    failure_class: FailureClass | None = None
    """Whose matter it is, where the end is a failure."""
    diagnosis: Diagnosis | None = None
    """What went wrong, of a run that ended without a fix."""
    iteration: int
    branch: str
    audience: Audience
    """Who may read what it found, besides those who may read this story."""
    actor_name: str
    created_at: datetime
    finished_at: datetime | None
