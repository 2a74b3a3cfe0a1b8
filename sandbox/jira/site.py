"""The emulated Jira's state and what may be done with it. Each change writes history and tells the listeners.

Speaks no HTTP: routes call it, webhooks listen to it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum

from sandbox.jira.errors import bad_request, no_issue, not_found
from sandbox.jira.model import (
    ISSUE_TYPES,
    PRIORITIES,
    RESOLUTIONS,
    SECURITY_LEVEL,
    Attachment,
    Category,
    Change,
    Comment,
    HistoryEntry,
    Issue,
    Json,
    Named,
    Person,
    Project,
    RemoteLink,
    Transition,
    Workflow,
)
from sandbox.scenario_format import Flavour


class Happening(Enum):
    """What a listener is told."""

    ISSUE_CREATED = "issue_created"
    ISSUE_UPDATED = "issue_updated"
    COMMENT_CREATED = "comment_created"
    COMMENT_UPDATED = "comment_updated"
    COMMENT_DELETED = "comment_deleted"


@dataclass(frozen=True, kw_only=True)
class News:
    """Something happened to an issue."""

    what: Happening
    issue: Issue
    person: Person
    at: datetime
    entry: HistoryEntry | None = None
    comment: Comment | None = None


@dataclass(kw_only=True)
class Site:
    """One Jira site with one project."""

    url: str
    flavour: Flavour
    project: Project
    workflow: Workflow
    people: dict[str, Person]
    """By username."""
    tokens: Mapping[str, str]
    """API token (Cloud) or personal access token (Data Center) of each username."""
    now: Callable[[], datetime]
    security_level: Named = field(default_factory=lambda: Named(id=SECURITY_LEVEL, name="Reporters and developers"))
    """The only one of the project's security scheme."""
    components: dict[str, Named] = field(default_factory=dict)
    issues: dict[str, Issue] = field(default_factory=dict)
    """By key."""
    customers: set[str] = field(default_factory=set)
    """Usernames of a service desk's customers."""
    listeners: list[Callable[[News], None]] = field(default_factory=list)
    _last_id: int = 10000

    def next_id(self) -> str:
        """Return an id that nothing else has."""
        self._last_id += 1
        return str(self._last_id)

    def issue(self, id_or_key: str) -> Issue:
        """Return an issue by id or key."""
        for issue in self.issues.values():
            if id_or_key in {issue.id, issue.key}:
                return issue
        raise no_issue()

    def add_issue(self, issue: Issue, *, by: Person) -> None:
        """Store a new issue and send its hooks; values set at creation have no changelog entry."""
        self.issues[issue.key] = issue
        self._tell(Happening.ISSUE_CREATED, issue, by)

    def apply(self, issue: Issue, changes: Sequence[Change], *, by: Person) -> None:
        """Record changes in the history and send their hooks; without changes, do nothing."""
        if not changes:
            return
        issue.updated = self.now()
        entry = HistoryEntry(id=self.next_id(), author=by, created=issue.updated, items=tuple(changes))
        issue.history.append(entry)
        self._tell(Happening.ISSUE_UPDATED, issue, by, entry=entry)

    def transition(self, issue: Issue, transition: Transition, *, resolution: Named | None) -> list[Change]:
        """Move an issue and return what changed; a done issue gets a resolution, a reopened one loses it."""
        old = issue.status
        issue.status = transition.to
        changes = [
            Change(field="status", old_id=old.id, old_text=old.name, new_id=issue.status.id, new_text=issue.status.name)
        ]
        done = issue.status.category is Category.DONE
        wanted = (resolution or issue.resolution or RESOLUTIONS[0]) if done else None
        if wanted != issue.resolution:
            changes.append(_named_change("resolution", issue.resolution, wanted))
            issue.resolution = wanted
            issue.resolution_date = self.now() if wanted else None
        return changes

    def comment(self, issue: Issue, comment_id: str) -> Comment:
        """Return a comment of an issue."""
        if comment_id not in issue.comments:
            raise not_found(f"Can not find a comment for the id: {comment_id}.")
        return issue.comments[comment_id]

    def add_comment(
        self, issue: Issue, *, body: str, by: Person, visibility: Json | None = None, is_internal: bool = False
    ) -> Comment:
        """Add a comment."""
        now = self.now()
        comment = Comment(
            id=self.next_id(),
            author=by,
            body=body,
            created=now,
            updated=now,
            update_author=by,
            visibility=visibility,
            is_internal=is_internal,
        )
        issue.comments[comment.id] = comment
        issue.updated = now
        self._tell(Happening.COMMENT_CREATED, issue, by, comment=comment)
        return comment

    def change_comment(self, issue: Issue, comment: Comment, *, body: str, by: Person, visibility: Json | None) -> None:
        """Replace the body of one's own comment, and who sees it."""
        _own(comment, by, "edit")
        comment.body, comment.visibility, comment.updated, comment.update_author = body, visibility, self.now(), by
        issue.updated = comment.updated
        self._tell(Happening.COMMENT_UPDATED, issue, by, comment=comment)

    def delete_comment(self, issue: Issue, comment: Comment, *, by: Person) -> None:
        """Delete one's own comment."""
        _own(comment, by, "delete")
        del issue.comments[comment.id]
        issue.updated = self.now()
        self._tell(Happening.COMMENT_DELETED, issue, by, comment=comment)

    def put_link(self, issue: Issue, link: RemoteLink) -> bool:
        """Keep a remote link; one with the same global id is replaced. True: it is a new one."""
        for known in issue.links.values():
            if link.global_id is not None and known.global_id == link.global_id:
                issue.links[known.id] = replace(link, id=known.id)
                return False
        issue.links[link.id] = link
        return True

    def attach(self, issue: Issue, attachment: Attachment, *, by: Person) -> None:
        """Keep a file."""
        issue.attachments[attachment.id] = attachment
        added = Change(field="Attachment", new_id=attachment.id, new_text=attachment.filename)
        self.apply(issue, [added], by=by)

    def _tell(
        self,
        what: Happening,
        issue: Issue,
        person: Person,
        *,
        entry: HistoryEntry | None = None,
        comment: Comment | None = None,
    ) -> None:
        news = News(what=what, issue=issue, person=person, at=self.now(), entry=entry, comment=comment)
        for listener in self.listeners:
            listener(news)


def _own(comment: Comment, person: Person, verb: str) -> None:
    if comment.author != person:
        raise bad_request(f"You do not have the permission to {verb} this comment.")


def _named_change(field_name: str, old: Named | None, new: Named | None) -> Change:
    return Change(
        field=field_name,
        old_id=old.id if old else None,
        old_text=old.name if old else None,
        new_id=new.id if new else None,
        new_text=new.name if new else None,
    )


def named(known: Sequence[Named], value: object, *, field_name: str) -> Named:
    """Return the one of `known` that `{"id"}` or `{"name"}` means."""
    if isinstance(value, dict):
        for one in known:
            if one.id == str(value.get("id")) or one.name == value.get("name"):
                return one
    raise bad_request(**{field_name: f"The {field_name} selected is invalid: {value!r}"})


def priority(value: object) -> Named:
    """Return a priority."""
    return named(PRIORITIES, value, field_name="priority")


def issue_type(value: object) -> Named:
    """Return an issue type."""
    return named(ISSUE_TYPES, value, field_name="issuetype")


def resolution(value: object) -> Named:
    """Return a resolution."""
    return named(RESOLUTIONS, value, field_name="resolution")
