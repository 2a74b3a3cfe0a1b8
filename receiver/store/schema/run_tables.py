"""Tables of runs: the run, its iterations, its plans, its effects (the outbox), what people had to do."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from receiver.store.schema.columns import Base, Json, JsonList, Serial
from receiver.workflow import audience
from receiver.workflow.audience import Audience

FINAL_STATUSES = "'merged','refused','not_reproduced','declined','escalated','failed','cancelled','closed'"


class RunRow(Base):
    """One automation of one ticket."""

    __tablename__ = "runs"
    __table_args__ = (
        Index("uq_runs_active_issue", "issue_key", unique=True, postgresql_where=f"status NOT IN ({FINAL_STATUSES})"),
        Index("ix_runs_issue_key", "issue_key"),
        Index("ix_runs_issue_id", "issue_id"),
        Index("ix_runs_episode", "episode"),
        Index("ix_runs_deadline", "deadline", postgresql_where="deadline IS NOT NULL"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    issue_key: Mapped[str]
    issue_id: Mapped[str] = mapped_column(server_default="")
    """Jira's number of the ticket: all that some of its hooks say; empty before the ticket was fetched."""
    status: Mapped[str]
    status_at: Mapped[datetime]
    """When the status was entered."""
    iteration: Mapped[int] = mapped_column(server_default="0")
    branch: Mapped[str] = mapped_column(server_default="")
    deadline: Mapped[datetime | None]
    actor: Mapped[str | None]
    """Jira account id of the person who set the label; None: an operator."""
    actor_name: Mapped[str] = mapped_column(server_default="")
    ticket: Mapped[Json | None]
    """`wire.Ticket`, as fetched at the start."""
    catalogue: Mapped[Json | None]
    """`pipelines.language.catalogue.Catalogue`, frozen at the start."""
    catalogue_sha256: Mapped[str | None]
    product_version: Mapped[str | None]
    """Of the receiver that started the run; as the next two, None of a run that an older release started."""
    prompts_sha256: Mapped[str | None]
    templates_sha256: Mapped[str | None]
    """Of the prompts, and of all templates, that this receiver came with."""
    episode: Mapped[str | None]
    """The first run of the ticket's episode: restarts within 14 days are one (`run_facts`)."""
    base_shas: Mapped[Json | None]
    """Commit of each repository that the run works on."""
    repositories: Mapped[list[str]] = mapped_column(server_default="{}")
    """In scope according to the accepted plan."""
    reason: Mapped[str] = mapped_column(server_default="")
    """Why it has its status; a sentence for people."""
    reason_code: Mapped[str | None]
    """`receiver.workflow.end_codes.EndCode`; None before the end and for runs that ended before this column."""
    diagnosis: Mapped[Json | None]
    """`pipelines.language.Diagnosis` of what ended it, where something went wrong."""
    confidential: Mapped[bool] = mapped_column(server_default="false")
    """A security concern, or a ticket with a security level: nothing of what was found is told in public."""
    names_readers: Mapped[bool] = mapped_column(server_default="false")
    """The frozen catalogue says who in Jira reads what is confidential (`jira.confidential`)."""
    is_held: Mapped[bool] = mapped_column(server_default="false")
    """Somebody who may set the label that pauses, and it was not taken back."""
    paused_from: Mapped[str | None]
    """The status that it was paused in; None: it is not paused."""
    extra_usd: Mapped[Decimal] = mapped_column(server_default="0")
    """What people let it cost beyond its catalogue's budget."""
    asked: Mapped[str | None]
    """What its ticket was asked before a model read it; None: nothing."""
    saved_usd: Mapped[Decimal | None]
    """What an analysis usually cost when the ticket was asked instead; None: it was not, or nothing is known."""
    unlabelled_at: Mapped[datetime | None]
    """When the start label was last taken off; None: it was set again since."""
    is_commanded: Mapped[bool] = mapped_column(server_default="false")
    """A command began it: the label need not be on the ticket."""
    labelled_at: Mapped[datetime]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    @property
    def audience(self) -> Audience:
        """Return who may read what the run found."""
        return audience.of(is_confidential=self.confidential, names_readers=self.names_readers)


class IterationRow(Base):
    """One attempt of a run."""

    __tablename__ = "iterations"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(server_default="fix")
    """`fix`; left out by metrics: `infrastructure` for a retry, `analysis` for one that ended in waiting for people,
    `paused` for one that people paused before it ended."""
    cause: Mapped[str] = mapped_column(server_default="admitted")
    """Why it began: `receiver.workflow.run.Cause`."""
    plan_id: Mapped[int | None] = mapped_column(ForeignKey("plans.id"))
    """The plan that people were asked to approve, or the one from before that this attempt carries out."""
    approved_by: Mapped[str | None]
    """The Jira account that approved the plan which this attempt carries out."""
    diagnoses: Mapped[JsonList | None]
    """What went wrong before: an array of `pipelines.language.Diagnosis`. None: nothing did, or see `diagnosis`."""
    diagnosis: Mapped[str | None]
    """The same as text, from processes of the previous release. The next release turns it into data and drops it."""
    failure: Mapped[Json | None]
    """How it failed: a `receiver.workflow.run.Failure`; None: it did not, or no attempt followed."""
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


# Only processes of the previous release use these columns; since `claims` has the claims, the next release drops them.
for _retired in (Column("claimed_by", BigInteger), Column("claimed_at", DateTime(timezone=True))):
    Base.metadata.tables["iterations"].append_column(_retired)


class ReusedReportRow(Base):
    """A report of an earlier iteration that counts in this one, unless the iteration has one of its own."""

    __tablename__ = "reused_reports"
    __table_args__ = (ForeignKeyConstraint(["run_id", "iteration"], ["iterations.run_id", "iterations.number"]),)

    run_id: Mapped[str] = mapped_column(primary_key=True)
    iteration: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id"), primary_key=True)
    key_sha256: Mapped[str | None]
    """What it depends on: `receiver.workflow.attempts.reuse_key`; None: the plan."""


class PlanRow(Base):
    """A plan that analysis submitted, as validated."""

    __tablename__ = "plans"
    __table_args__ = (UniqueConstraint("run_id", "iteration", "report_id"),)

    id: Mapped[Serial]
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    iteration: Mapped[int]
    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id"))
    plan: Mapped[Json]
    accepted_at: Mapped[datetime | None]


class EffectRow(Base):
    """The outbox: something to be done in GitLab or Jira, and how it went."""

    __tablename__ = "effects"
    __table_args__ = (
        Index("ix_effects_run_id_id", "run_id", "id"),
        Index("ix_effects_pending", "due_at", postgresql_where="state = 'pending'"),
    )

    id: Mapped[Serial]
    key: Mapped[str] = mapped_column(unique=True)
    """Idempotency key."""
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("decisions.id"))
    """None: the sweep asked for it."""
    kind: Mapped[str]
    payload: Mapped[Json]
    state: Mapped[str] = mapped_column(server_default="pending")
    """`pending`, `done`, `superseded` (a newer one does the same) or `given_up`."""
    attempts: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    """Not before this."""
    first_attempt_at: Mapped[datetime | None]
    performed_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    result: Mapped[Json | None]
    """For people who look at every row; nothing reads facts out of it."""
    remark: Mapped[str] = mapped_column(server_default="")
    """What people should know of how it went, a sentence; empty: all went well."""


class IndicatorRow(Base):
    """One of the five indicators of a run's success, as judged at a moment."""

    __tablename__ = "indicators"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    moment: Mapped[str] = mapped_column(primary_key=True)
    """`in_review`, or `end`."""
    name: Mapped[str] = mapped_column(primary_key=True)
    answer: Mapped[str]
    """`yes`, `no` or `unknown`."""
    reason: Mapped[str]
    at: Mapped[datetime]


class CommentCommandRow(Base):
    """A comment on a ticket that was taken in: what somebody says once has one effect."""

    __tablename__ = "comment_commands"

    issue_key: Mapped[str] = mapped_column(primary_key=True)
    comment_id: Mapped[str] = mapped_column(primary_key=True)
    command: Mapped[str] = mapped_column(primary_key=True)
    """Empty for a comment without one, which can be an answer."""
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    at: Mapped[datetime]


class InterventionRow(Base):
    """Something that a person had to do, as `metrics.md` counts it."""

    __tablename__ = "interventions"

    id: Mapped[Serial]
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), index=True)
    kind: Mapped[str]
    """`commit`, `retry_with_hint`, `revise`, `budget`, `remedy_approved` or `escalation`."""
    actor: Mapped[str]
    detail: Mapped[str]
    at: Mapped[datetime]
