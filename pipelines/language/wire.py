"""How the published language travels: what a job is told (RunSpec), JSON in and out, versions.

Performs no I/O. Everything untrusted (ticket, comments) is inside these JSON documents and nowhere else.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import TypeVar

import msgspec
from msgspec import Struct

from pipelines.language import (
    Approval,
    Artifact,
    Baseline,
    CommitSha,
    Diagnosis,
    ImplementationResult,
    IssueKey,
    Limits,
    Phase,
    PhaseReport,
    PipelineKey,
    PipelineKind,
    Plan,
    PrepareResult,
    ProjectPath,
    ReproductionResult,
    RunId,
    Sha256,
    TestingResult,
)
from pipelines.language.catalogue import AgentTool, Catalogue
from pipelines.language.remedy import Remedy
from pipelines.language.repository_context import RepositoryContext

WIRE_VERSION = 1
"""Raised when an older job client could misread a document."""

MAX_BLOB = 10 * 1024 * 1024
"""Bytes that the receiver takes of one change set, test or transcript."""


class TicketComment(Struct, frozen=True, kw_only=True):
    """A comment on the ticket. Untrusted."""

    author: str
    body: str
    created: str
    is_restricted: bool = False
    """Only a role or group of Jira may read it, or no customer of the service desk."""


class TicketAttachment(Struct, frozen=True, kw_only=True):
    """A file attached to the ticket. Untrusted."""

    name: str
    mime_type: str
    size: int
    """Bytes."""
    text: str = ""
    """Its content, where it is text and not too long."""
    image: str = ""
    """Its content in base64, where it is a picture that a model takes and not too large; told to analysis only."""
    sha256: str = ""
    """Of the picture's bytes."""
    left_out: str = ""
    """Why it is a picture that no model is shown, as the end of a sentence."""


class Ticket(Struct, frozen=True, kw_only=True):
    """The Jira issue as fetched by REST at the run's start. Every text in it is untrusted."""

    key: IssueKey
    id: str = ""
    """Jira's number of it; all that some of its hooks say."""
    summary: str
    description: str
    issue_type: str = ""
    priority: str = ""
    components: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    reporter: str = ""
    url: str = ""
    comments: tuple[TicketComment, ...] = ()
    attachments: tuple[TicketAttachment, ...] = ()
    reporter_account: str = ""
    """Account id (Cloud) or user key (Data Center)."""
    security_level: str = ""
    """Jira's issue security level; empty: everybody who sees the project sees the ticket."""


class AgentSpec(Struct, frozen=True, kw_only=True):
    """The agent that works in this job."""

    name: str
    model: str
    limits: Limits
    prompt: str = ""
    """Name of its template; empty: its own name."""
    profile: str = ""
    """The template's text, where it is the team's; empty: the job client brings it."""
    tools: tuple[AgentTool, ...] = tuple(AgentTool)
    """What it may use of what its phase permits."""


class InputSource(StrEnum):
    """Where a job gets an input from."""

    ARTIFACT = "artifact"
    """GitLab lays it into the project folder: an artifact of a job of the same pipeline."""
    RECEIVER = "receiver"
    """The receiver keeps it under its hash: it is reused, or the run is confidential and leaves no artifacts."""


class Input(Struct, frozen=True, kw_only=True):
    """A file of an accepted report that this job may use, after checking its hash."""

    phase: Phase
    artifact: Artifact
    source: InputSource = InputSource.ARTIFACT
    content: bytes | None = None
    """Its bytes, where the source is the receiver: the job fetches them.

    The receiver sends them to job clients of the previous release only, until the next release.
    """


class RepositoryPhase(Struct, frozen=True, kw_only=True):
    """A phase of one repository."""

    phase: Phase
    repository: ProjectPath


class RunSpec(Struct, frozen=True, kw_only=True):
    """All that a job is told. Comes from the receiver only, never from CI variables."""

    version: int = WIRE_VERSION
    run: RunId
    kind: PipelineKind = PipelineKind.FIX
    iteration: int
    """Number of the pipeline within its kind; of a fix the iteration."""
    phase: Phase
    repository: ProjectPath | None
    """None for a job of the whole run."""
    ticket: Ticket
    branch: str
    """The branch that the fix will stand on, for example `bug-fix/PL-479-contact-creation-fails`."""
    catalogue: Catalogue
    """Frozen at the run's start."""
    base_shas: dict[ProjectPath, CommitSha]
    """The commit of each repository that the whole iteration works on."""
    clone_urls: dict[ProjectPath, str]
    """HTTP clone addresses without credentials; the job adds its CI_JOB_TOKEN."""
    agent: AgentSpec | None
    plan: Plan | None
    """The accepted plan; None before analysis is done, unless people approved it in the iteration before."""
    approval: Approval = Approval.NOT_NEEDED
    """`GIVEN`: analysis takes `plan` as it is. Only job clients of the previous release do; the next one drops it."""
    confidential: bool = False
    """Neither the job's log nor its artifacts may tell anything of ticket, model or repository."""
    prepared: PrepareResult | None = None
    """What the accepted `prepare` job of this repository found before the patch."""
    baseline: Baseline | None = None
    """For testing: all tests before the patch, by name, where the receiver has them."""
    reproduction: ReproductionResult | None = None
    """The accepted reproduction of this repository."""
    fix: ImplementationResult | None = None
    """The accepted patch's reasons, for a review; for a remedy those of the patch that it mends."""
    remedy: Remedy | None = None
    """For implementation: no agent works; this is applied to `previous_patch`, and verified."""
    tested: TestingResult | None = None
    """How the accepted patch was tested, for a review."""
    previous_patch: bytes | None = None
    """The change set of the attempt before, made for the same commit, when a review sent it back; it is continued."""
    inputs: tuple[Input, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    """What went wrong in the attempt before this one."""
    diagnosis: str | None = None
    """The same in words, for job clients of the previous release; the next release drops it."""
    done: tuple[RepositoryPhase, ...] = ()
    """For `generate`: phases without a job in the child pipeline, because the parent has it or a report is reused."""
    contexts: dict[ProjectPath, RepositoryContext] = {}
    """What is known of each repository at its commit; one that is missing has not been built yet."""

    @property
    def pipeline(self) -> PipelineKey:
        """Return which of the run's pipelines the job is in."""
        return PipelineKey(kind=self.kind, number=self.iteration)


class SessionRequest(Struct, frozen=True, kw_only=True):
    """Exchange of the job's GitLab ID token (sent as the bearer) for a session."""

    version: int = WIRE_VERSION
    run: RunId
    kind: PipelineKind = PipelineKind.FIX
    iteration: int
    """Number of the pipeline within its kind; of a fix the iteration."""
    phase: Phase
    repository: ProjectPath | None = None
    client: str = ""
    """Version of the job client; empty: of a release without this field."""
    proposed_token: str | None = None
    """The session's token, made up by the job: 32 random bytes, URL-safe. An ID token opens one session only; by this
    token the same job can ask again when the answer was lost, and nobody else can. None: the receiver makes one."""

    @property
    def pipeline(self) -> PipelineKey:
        """Return which of the run's pipelines the job is in."""
        return PipelineKey(kind=self.kind, number=self.iteration)


class Session(Struct, frozen=True, kw_only=True):
    """What the job gets for its ID token."""

    token: str
    expires_at: str
    """ISO 8601, UTC."""
    gateway_url: str
    """Base URL for the Anthropic SDK."""


class ReportTaken(Struct, frozen=True, kw_only=True):
    """What the job is answered when its report is taken."""

    status: str = "pending"
    confidential: bool = False
    """The run is confidential by now, though it may not have been when the job was told what to do."""


class Problem(Struct, frozen=True, kw_only=True):
    """RFC 9457 problem details: what every refusal of the receiver looks like."""

    status: int
    detail: str
    type: str = "about:blank"
    title: str = ""


T = TypeVar("T")


def encode(document: Struct) -> bytes:
    """Return a document as JSON, the same bytes for the same document."""
    return msgspec.json.encode(document, order="deterministic")


def decode(body: bytes | str, kind: type[T]) -> T:
    """Return the document in `body`. Raises `msgspec.ValidationError` or `msgspec.DecodeError` that name the field."""
    try:
        return msgspec.json.decode(body, type=kind)
    except RecursionError as error:
        raise msgspec.DecodeError("JSON is nested too deeply") from error


def sha256(data: bytes) -> Sha256:
    """Return the SHA-256 of `data` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


__all__ = [
    "MAX_BLOB",
    "WIRE_VERSION",
    "AgentSpec",
    "Input",
    "InputSource",
    "PhaseReport",
    "Problem",
    "ReportTaken",
    "RepositoryPhase",
    "RunSpec",
    "Session",
    "SessionRequest",
    "Ticket",
    "TicketAttachment",
    "TicketComment",
    "decode",
    "encode",
    "sha256",
]
