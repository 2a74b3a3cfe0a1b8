"""Events of what people say: notes, comments, commands at a terminal. Data only."""

from __future__ import annotations

from msgspec import Struct

from pipelines.language import IssueKey, ProjectPath, RunId
from pipelines.language.catalogue import Confidential
from receiver.comments.command_line import Command
from receiver.workflow.messages import NoteMessage, TerminalMessage, TicketMessage
from receiver.workflow.person import AccountId, Directory, Person


class NotePosted(Struct, frozen=True, kw_only=True, tag=True):
    """Somebody wrote or edited a note on a merge request."""

    project_id: int
    project: ProjectPath
    iid: int
    note: int
    action: str
    """create or update."""
    system: bool
    author_id: int
    is_addressed: bool = False
    """It gives a command."""
    overtakes: bool = False
    """The command waits for nothing that is queued."""
    discussion: str = ""
    """The thread that it stands in, if GitLab said so."""
    text_sha256: str = ""
    """Of its text as told: another text later is an edit. Empty: told by a version that did not keep it."""


class NoteRead(Struct, frozen=True, kw_only=True, tag=True):
    """A note on a merge request was fetched again by its id, and so was what its author may do."""

    message: NoteMessage
    ignored: str = ""
    """Why it counts for nothing, a sentence; empty: it counts."""
    author: Person | None = None
    """None only where the note counts for nothing."""
    command: Command | None = None
    """The first one of the note; None: it commands nothing any more."""
    is_open: bool = True
    """The merge request is."""
    head_sha: str = ""
    """The commit that its author can have seen at the head; empty: another one was pushed since, or nobody knows."""


class IssueCommented(Struct, frozen=True, kw_only=True, tag=True):
    """Somebody commented on a ticket. What the comment says, and who wrote it, is asked when it is acted on."""

    issue_key: IssueKey | None
    """None when the hook does not name the issue (Jira Data Center)."""
    issue_id: str | None = None
    """Jira's number of the issue, out of the comment's address."""
    comment: str
    actor: AccountId
    is_addressed: bool = False
    """It speaks of `/bug-fix`, perhaps in a quote."""
    overtakes: bool = False
    """It gives a command that waits for nothing that is queued."""


class CommentRead(Struct, frozen=True, kw_only=True, tag=True):
    """A comment was fetched again by its id, and so was what its author may do."""

    comment: str
    ignored: str = ""
    """Why it counts for nothing, a sentence; empty: it counts."""
    author: Person | None = None
    """None only where the comment counts for nothing."""
    command: Command | None = None
    """The first one of the comment; None: it commands nothing."""
    seems_meant: bool = False
    """It has no command, but a line that may have been meant as one."""
    plan: int | None = None
    """The iteration whose plan its author can have seen: it was shown before the comment was written."""
    readers: Confidential | None = None
    """The role or group that alone may read it; None: all who see the ticket."""
    is_internal: bool = False
    """A service desk's customers don't see it."""

    @property
    def message(self) -> TicketMessage:
        """Return where it stands."""
        return TicketMessage(comment=self.comment, readers=self.readers, is_internal=self.is_internal)


class CommandTyped(Struct, frozen=True, kw_only=True, tag=True):
    """An operator gave a command at a terminal."""

    run: RunId
    issue_key: IssueKey
    """Of the run's ticket."""
    command: Command
    actor_name: str
    request: str
    """Its own id."""

    @property
    def message(self) -> TerminalMessage:
        """Return where it was said."""
        return TerminalMessage(request=self.request)

    @property
    def author(self) -> Person:
        """Return who said it."""
        name = self.actor_name
        return Person(directory=Directory.OPERATOR, account=AccountId(f"operator {name}"), name=name)
