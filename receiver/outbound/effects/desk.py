"""What performing an effect works with, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from msgspec import Struct

from pipelines.language import PipelineKind
from pipelines.language.catalogue import Catalogue
from receiver.notes.view import EvidenceLink
from receiver.outbound.errors import RefusedError
from receiver.outbound.faults import Faults
from receiver.outbound.gitlab.commits_api import Commits
from receiver.outbound.gitlab.merging_api import MergeRequestMerging
from receiver.outbound.gitlab.pipelines_api import Pipelines
from receiver.outbound.gitlab.repositories_api import Repositories
from receiver.outbound.jira.jira_client import JiraClient
from receiver.store.postgres.database import Database
from receiver.store.story import Story
from receiver.workflow.audience import Readers
from receiver.workflow.effects import AnswerComment, AnswerNote, Effect
from receiver.workflow.events.event import Event


class Notes(Protocol):
    """Writes what people read. Each text ends with the hidden marker of its run, so that it is found again."""

    def ticket(self, story: Story) -> str:
        """Return the status comment on the ticket, in Jira's wiki markup."""

    def confidential(self, story: Story) -> str:
        """Return what the status comment of a confidential run leaves out, in Jira's wiki markup."""

    def question(self, story: Story, target: str, *, readers: Readers) -> str:
        """Return the comment that asks the reporter, in Jira's wiki markup."""

    def plan(self, story: Story, target: str, *, iteration: int, readers: Readers) -> str:
        """Return the comment that shows a plan which waits or waited, in Jira's wiki markup."""

    def answer(self, text: str, *, to: str, run: str, target: str) -> str:
        """Return a comment of one sentence, in Jira's wiki markup."""

    def ticket_answer(self, story: Story, effect: AnswerComment, target: str) -> str:
        """Return the comment that answers a command, in Jira's wiki markup."""

    def note_answer(self, story: Story, effect: AnswerNote, target: str) -> str:
        """Return the note that answers a command, in GitLab's Markdown."""

    def refusal(self, text: str, *, run: str, heading: str) -> str:
        """Return the comment that says why nothing was started, in Jira's wiki markup."""

    def hand_over(self, story: Story, target: str, *, readers: Readers) -> str:
        """Return the comment that hands a run over to people, in Jira's wiki markup."""

    def hand_over_note(self, story: Story, target: str) -> str:
        """Return the note that hands a run over to people, in GitLab's Markdown."""

    def merge_request(self, story: Story, *, repository: str) -> str:
        """Return the status note on a merge request, in GitLab's Markdown."""

    def description(
        self,
        story: Story,
        *,
        repository: str,
        evidence: tuple[EvidenceLink, ...],
        remarks: tuple[str, ...] = (),
        test: str = "",
    ) -> str:
        """Return a merge request's description, in GitLab's Markdown.

        `remarks` are what people should look at, `test` is the text of the reproduction.
        """

    def marker(self, run: str, target: str = "ticket") -> str:
        """Return the text that each note of a run at a target ends with."""


class Desk(Struct, frozen=True, kw_only=True):
    """Everything that effects are performed with."""

    database: Database
    starters: Mapping[PipelineKind, Pipelines]
    """Who starts and cancels pipelines of a kind, and can do nothing else."""
    reader: Pipelines
    """Reads pipelines, jobs and artifacts."""
    repositories: Repositories
    commits: Commits
    merging: MergeRequestMerging
    jira: JiraClient
    notes: Notes
    catalogue: Callable[[], Catalogue]
    """As it is now; a run keeps the one that it was started with."""
    public_url: str
    evidence_retention_days: int
    """How long patches, tests and transcripts are kept that are fetched from a job's artifacts."""
    faults: Faults
    clock: Callable[[], datetime]

    def starter(self, kind: PipelineKind) -> Pipelines:
        """Return who starts pipelines of a kind. Raises RefusedError."""
        found = self.starters.get(kind)
        if found is None:
            raise RefusedError(f"No token is configured that may start {kind} pipelines.")
        return found


class Performed(Struct, frozen=True, kw_only=True):
    """What came of an effect."""

    events: tuple[Event, ...] = ()
    """To be decided on, in this order."""
    result: dict[str, Any] | None = None
    """Kept with the effect, for people who look at every row; nothing reads facts out of it."""
    remark: str = ""
    """What people should know of how it went, a sentence; empty: all went well."""
    then: tuple[Effect, ...] = ()
    """To be done next because of it."""
