"""Effects: what to do about an event, in the imperative. Data only; `receiver.outbound` performs them.

Each effect is idempotent under its key: performing it twice leaves the world as performing it once does.
"""

from __future__ import annotations

from msgspec import Struct

from pipelines.language import IssueKey, ProjectPath
from receiver.workflow.events import AccountId, PipelineId


class AdmitTicket(Struct, frozen=True, kw_only=True, tag=True):
    """Fetch the ticket and the repositories' heads, check that the actor may start runs; ends in an event."""

    issue_key: IssueKey
    actor: AccountId | None
    """None: an operator at the command line, who may."""


class RefreshTicket(Struct, frozen=True, kw_only=True, tag=True):
    """Fetch the ticket and the repositories' heads again, for a run that waited; ends in an event."""

    iteration: int
    """The one that is to begin with it."""
    actor: AccountId | None
    """Who set the label again, and has to be checked; None: was checked, or an operator."""
    is_for_starters: bool = False
    """The reporter's word is not enough any more: only those who may start runs make it go on."""
    because: str
    """What makes the run go on, a sentence."""


class ReadComment(Struct, frozen=True, kw_only=True, tag=True):
    """Fetch a comment on the ticket and ask what its author may do; ends in an event."""

    comment: str


class PollTicket(Struct, frozen=True, kw_only=True, tag=True):
    """Look for comments on the ticket of a run that waits: each that is news is told as its hook would have told it."""


class AskReporter(Struct, frozen=True, kw_only=True, tag=True):
    """Ask the plan's question on the ticket, in a comment of its own."""

    iteration: int


class PostPlan(Struct, frozen=True, kw_only=True, tag=True):
    """Show the plan that waits for approval on the ticket, in a comment of its own, and what became of it."""

    iteration: int


class AnswerComment(Struct, frozen=True, kw_only=True, tag=True):
    """Say one sentence to somebody whose command is not obeyed."""

    comment: str
    text: str
    author: AccountId = AccountId("")
    name: str = ""
    """The author's, for people: others may have commented since."""
    may_start: bool = False
    """The author is one of those who may start runs."""


class StartPipeline(Struct, frozen=True, kw_only=True, tag=True):
    """Create the parent pipeline of an iteration, or find the one that a crash left behind."""

    iteration: int


class CancelPipeline(Struct, frozen=True, kw_only=True, tag=True):
    """Cancel a pipeline and its children."""

    project_id: int
    pipeline: PipelineId
    reason: str


class SettleReports(Struct, frozen=True, kw_only=True, tag=True):
    """Ask GitLab how the jobs behind pending reports ended; each answer is a ReportAccepted or ReportDiscarded.

    Ends with a ReportsSettled, after those, when no report is pending any more.
    """

    iteration: int


class PollGitLab(Struct, frozen=True, kw_only=True, tag=True):
    """Ask GitLab how the iteration's pipelines and the run's merge requests are.

    Each answer is the PipelineChanged or MergeRequestChanged that a hook would have been: heals lost and early hooks.
    """

    iteration: int


class OpenMergeRequest(Struct, frozen=True, kw_only=True, tag=True):
    """Commit the accepted patch to the run's branch and open or update the merge request."""

    iteration: int
    repository: ProjectPath


class NeutraliseMergeRequest(Struct, frozen=True, kw_only=True, tag=True):
    """Let title and description of a merge request say nothing of what was found: the run became confidential."""

    repository: ProjectPath


class StartTargetPipeline(Struct, frozen=True, kw_only=True, tag=True):
    """Let the repository's own CI run the fix, now that somebody approved it: the commit is made anew without the mark.

    Who approved, and whether that still holds for this head, is asked when it is performed.
    """

    iteration: int
    repository: ProjectPath
    head_sha: str
    """What was approved."""
    approved_by: int
    """GitLab's user id."""


class AttachEvidence(Struct, frozen=True, kw_only=True, tag=True):
    """Attach the pictures of before and after to the ticket, where links to GitLab's uploads don't render."""

    iteration: int
    repository: ProjectPath


class UpdateTicketNote(Struct, frozen=True, kw_only=True, tag=True):
    """Make the one status comment on the ticket tell the truth; written anew if somebody deleted it."""


class UpdateMergeRequestNote(Struct, frozen=True, kw_only=True, tag=True):
    """Make the one status note on a merge request tell the truth; written anew if somebody deleted it."""

    repository: ProjectPath


class CommentRefusal(Struct, frozen=True, kw_only=True, tag=True):
    """Say once on the ticket why nothing was started."""

    issue_key: IssueKey
    text: str
    author: AccountId | None = None
    """Who is told; None: not known."""


class TransitionIssue(Struct, frozen=True, kw_only=True, tag=True):
    """Move the ticket by the offered transition that leads to this status, if there is one."""

    to_status: str


class LinkTicket(Struct, frozen=True, kw_only=True, tag=True):
    """Put a remote link on the ticket."""

    global_id: str
    """Jira updates the link that has this id instead of adding one."""
    url: str
    title: str


Effect = (
    AdmitTicket
    | RefreshTicket
    | ReadComment
    | PollTicket
    | AskReporter
    | PostPlan
    | AnswerComment
    | StartPipeline
    | CancelPipeline
    | SettleReports
    | PollGitLab
    | OpenMergeRequest
    | NeutraliseMergeRequest
    | StartTargetPipeline
    | AttachEvidence
    | UpdateTicketNote
    | UpdateMergeRequestNote
    | CommentRefusal
    | TransitionIssue
    | LinkTicket
)
