"""One row for each kind of effect: all that is said about it. `receiver.outbound` holds only how it is performed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec import Struct

from receiver.workflow import effects, lifecycle
from receiver.workflow.effects import Effect
from receiver.workflow.run import RunStatus


class Tells(StrEnum):
    """How an effect lets people know what a run found."""

    TEXT = "text"
    """It writes for the run's audience as it is by now, or does what people ask for: also after the run was stopped."""
    WORK = "work"
    """It carries the run on where people see it: not after the run was stopped because its ticket was restricted."""


class EffectRule(Struct, frozen=True, kw_only=True):
    """What is said about one kind of effect."""

    effect: type[Effect]
    name: str
    """What is to be done, in the imperative, for people."""
    group: str | None
    """Effects of one run, repository and group are performed one after the other; one without a group waits for none.

    Groups keep systems apart: an unavailable Jira delays in GitLab only what tells the public something of the run.
    """
    once: tuple[str, ...] | None = None
    """Fields for whose values a run wants it at most once, whatever decides it again; None: whenever it is decided."""
    only_latest: bool = False
    """It makes something equal to the newest state: of several equal ones that are pending the last is enough."""
    is_urgent: bool = False
    """It waits for nothing that is queued."""
    wanted_in: frozenset[RunStatus] = frozenset(RunStatus)
    """Statuses of the run in which it is still to be done."""
    tells: Tells | None = None
    """How it lets people know what was found; before that, Jira is asked whether the ticket is restricted."""
    failure: str = ""
    """What could not be done, where a run can't go on without it; empty: the run goes on."""
    needed_in: frozenset[RunStatus] = lifecycle.ACTIVE
    """Statuses in which the run can't go on without it."""

    @property
    def kind(self) -> str:
        """Return the kind, as stored and shown."""
        return self.effect.__name__


class UnknownEffectError(Exception):
    """No row of the table is about this kind of effect; a newer version may have stored it."""


class EffectTable:
    """Rows by kind."""

    def __init__(self, rows: Iterable[EffectRule]) -> None:
        """Take one row for each kind."""
        self.rules: Final[Mapping[str, EffectRule]] = {row.kind: row for row in rows}

    def of(self, effect: Effect) -> EffectRule:
        """Return the row of an effect. Raises UnknownEffectError."""
        return self._rule(type(effect).__name__)

    def name(self, kind: str) -> str:
        """Return what is to be done, for people; an effect of an unknown kind keeps its name."""
        rule = self.rules.get(kind)
        return kind if rule is None else rule.name

    def failure(self, kind: str, status: RunStatus) -> str:
        """Return what could not be done when such an effect failed; empty when a run of this status goes on."""
        rule = self.rules.get(kind)
        return "" if rule is None or status not in rule.needed_in else rule.failure

    def decode(self, kind: str, payload: dict[str, Any]) -> Effect:
        """Return the effect of a stored payload. Raises UnknownEffectError."""
        return msgspec.convert(payload, self._rule(kind).effect)

    def _rule(self, kind: str) -> EffectRule:
        rule = self.rules.get(kind)
        if rule is None:
            raise UnknownEffectError(f"No row of the effect table is about {kind}.")
        return rule


_QUEUED: Final = frozenset({RunStatus.QUEUED})
_NEEDS_INFORMATION: Final = frozenset({RunStatus.NEEDS_INFORMATION})
_OFFERED_IN: Final = frozenset({RunStatus.OPENING, RunStatus.IN_REVIEW, RunStatus.ESCALATED})
_AWAITING_APPROVAL: Final = frozenset({RunStatus.AWAITING_APPROVAL})

EFFECTS: Final = EffectTable(
    [
        EffectRule(
            effect=effects.AdmitTicket,
            name="read the ticket",
            group="start",
            once=(),
            wanted_in=frozenset({RunStatus.ADMITTING}),
            failure="The ticket could not be fetched",
        ),
        EffectRule(
            effect=effects.RefreshTicket,
            name="read the ticket again",
            group="start",
            failure="The ticket could not be read again",
        ),
        EffectRule(effect=effects.ReadComment, name="read a comment", group="comment"),
        EffectRule(effect=effects.ReadNote, name="read a note", group="comment", once=("project_id", "note")),
        EffectRule(
            effect=effects.ReactToNote, name="show that a note was seen", group=None, once=("project_id", "note")
        ),
        EffectRule(effect=effects.CheckLabel, name="see who changed a label", group=None),
        EffectRule(
            effect=effects.PollTicket,
            name="look for comments and labels on the ticket",
            group="comment",
            only_latest=True,
        ),
        EffectRule(
            effect=effects.AskReporter,
            name="ask the reporter",
            group="ticket",
            only_latest=True,
            tells=Tells.TEXT,
            failure="The question could not be asked on the ticket",
            needed_in=_NEEDS_INFORMATION,
        ),
        EffectRule(
            effect=effects.PostPlan,
            name="show the plan on the ticket",
            group="ticket",
            only_latest=True,
            tells=Tells.TEXT,
            failure="The plan could not be shown on the ticket",
            needed_in=_AWAITING_APPROVAL,
        ),
        EffectRule(
            effect=effects.AnswerComment,
            name="answer a comment",
            group="ticket",
            once=("comment",),
            tells=Tells.TEXT,
        ),
        EffectRule(
            effect=effects.AnswerNote,
            name="answer a note",
            group="answer",
            once=("project_id", "note"),
            tells=Tells.TEXT,
        ),
        EffectRule(
            effect=effects.StartPipeline,
            name="create the pipeline",
            group="start",
            once=("iteration",),
            wanted_in=frozenset({RunStatus.STARTING}),
            tells=Tells.WORK,
            failure="The pipeline could not be created",
        ),
        EffectRule(
            effect=effects.OfferTurn,
            name="let the run begin if it is its turn",
            group="start",
            only_latest=True,
            failure="The ticket could not be read when the run's turn came",
            needed_in=_QUEUED,
        ),
        EffectRule(effect=effects.CancelPipeline, name="cancel a pipeline", group=None, is_urgent=True),
        EffectRule(
            effect=effects.ConfirmStopped,
            name="see that a cancelled pipeline is over",
            group=None,
            once=("project_id", "pipeline"),
        ),
        EffectRule(
            effect=effects.SettleReports, name="ask GitLab whether reports count", group="settle", only_latest=True
        ),
        EffectRule(effect=effects.PollGitLab, name="ask GitLab how things are", group="poll", only_latest=True),
        EffectRule(
            effect=effects.Confirm,
            name="ask GitLab whether what a hook tells is so",
            group="confirm",
            only_latest=True,
        ),
        EffectRule(
            effect=effects.PollMergeRequest,
            name="ask GitLab what happened to a merge request",
            group="poll",
            once=("project_id", "iid", "updated_at"),
        ),
        EffectRule(
            effect=effects.OpenMergeRequest,
            name="commit the fix and open the merge request",
            group="merge_request",
            once=("iteration", "repository"),
            wanted_in=frozenset({RunStatus.OPENING}),
            tells=Tells.WORK,
            failure="The merge request could not be opened",
        ),
        EffectRule(
            effect=effects.OpenDraft,
            name="commit the partial work and open a draft for it",
            group="merge_request",
            once=("iteration", "repository"),
            wanted_in=frozenset({RunStatus.ESCALATED}),
            tells=Tells.WORK,
        ),
        EffectRule(
            effect=effects.NeutraliseMergeRequest,
            name="take what was found out of the merge request",
            group="merge_request",
            only_latest=True,
        ),
        EffectRule(
            effect=effects.StartTargetPipeline,
            name="start the repository's own pipeline",
            group="merge_request",
            only_latest=True,
            tells=Tells.TEXT,
        ),
        EffectRule(
            effect=effects.MergeWhenReady,
            name="merge if everything lets us",
            group="merge_request",
            only_latest=True,
            wanted_in=frozenset({RunStatus.IN_REVIEW, RunStatus.MERGED}),  # a merge that was not noted is noted
            tells=Tells.WORK,
        ),
        EffectRule(
            effect=effects.RebaseMergeRequest,
            name="let GitLab rebase the merge request",
            group="merge_request",
            once=("iteration", "repository", "head_sha"),
            wanted_in=frozenset({RunStatus.IN_REVIEW}),
            tells=Tells.WORK,
        ),
        EffectRule(
            effect=effects.ShowRemedies,
            name="show remedies on the merge request",
            group="merge_request",
            only_latest=True,
            wanted_in=_OFFERED_IN,
            tells=Tells.WORK,
        ),
        EffectRule(
            effect=effects.AnswerRemedy,
            name="take or take off a remedy",
            group="merge_request",
            once=("iteration", "repository", "answer"),
            wanted_in=_OFFERED_IN,
            tells=Tells.WORK,
        ),
        EffectRule(
            effect=effects.AttachEvidence,
            name="attach pictures to the ticket",
            group="attachments",
            once=("iteration", "repository"),
            tells=Tells.WORK,
        ),
        EffectRule(
            effect=effects.UpdateTicketNote,
            name="update the comment on the ticket",
            group="ticket",
            only_latest=True,
            tells=Tells.TEXT,
        ),
        EffectRule(
            effect=effects.UpdateMergeRequestNote,
            name="update the note on the merge request",
            group="merge_request_note",
            only_latest=True,
            tells=Tells.TEXT,
        ),
        EffectRule(
            effect=effects.HandOver, name="hand over to people", group="ticket", only_latest=True, tells=Tells.TEXT
        ),
        EffectRule(effect=effects.WatchOutcome, name="look what became of the fix", group="watch", only_latest=True),
        EffectRule(effect=effects.RemindTicket, name="remind people of the ticket", group="ticket", once=("since",)),
        EffectRule(effect=effects.CommentRefusal, name="say on the ticket why nothing was started", group="ticket"),
        EffectRule(effect=effects.TransitionIssue, name="move the ticket", group="transition"),
        EffectRule(effect=effects.LinkTicket, name="link the ticket", group="link"),
    ]
)
"""Every kind of effect."""
