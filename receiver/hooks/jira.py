"""Read Jira's hooks: a label that was added, comments. Everything else is valid and not interesting. Performs no I/O.

Understands Cloud and Data Center payloads. Recorded samples: mattermost-plugin-jira `server/testdata`.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from msgspec import Meta, Struct
from msgspec.structs import replace

from pipelines.language import IssueKey
from pipelines.language.catalogue import Start
from receiver.comments.jira_document import wiki
from receiver.hooks.delivery import OVERTAKES, HookMeaning, Interests, WrongShapeError, not_understood
from receiver.hooks.payload_fields import Url, Word, decode, envelope, milliseconds, word
from receiver.workflow.commands import command_grammar, command_table
from receiver.workflow.events.event import Event
from receiver.workflow.events.message_events import IssueCommented
from receiver.workflow.events.run_events import NotInteresting
from receiver.workflow.events.ticket_events import IssueLabelled, IssueRestricted, LabelChange, LabelChanged
from receiver.workflow.person import AccountId

AUTOMATION: Final = (
    "The body `Issue data` of an automation rule does not say who set the label, so nothing was started. Let the rule "
    "send the custom body of docs/connect.md."
)
"""Why a rule's own body means nothing, and what to do."""
KeyText = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,200}-[0-9]{1,18}$(?!\n)")]


OWN_COMMENT: Final = re.compile(r"bug-fix:run=[0-9a-f]{16}(?:;[a-z]+(?::[0-9]+)?)?\s*\Z")
"""Ends each comment that we write. Anybody can paste it: it counts only while our own account is not known."""


class _Envelope(Struct, frozen=True, kw_only=True):
    webhookEvent: Word | None = None  # noqa: N815  # Jira's name
    key: Word | None = None
    """Of the ticket, in the body `Issue data` of an automation rule."""
    fields: dict[str, Any] | None = None


class _User(Struct, frozen=True, kw_only=True):
    accountId: Word | None = None  # noqa: N815  # Jira's name
    """Cloud."""
    key: Word | None = None
    """Data Center; Cloud until 2019."""
    name: Word | None = None
    displayName: Word | None = None  # noqa: N815  # Jira's name

    def account(self) -> AccountId | None:
        found = word(self.accountId) or word(self.key) or word(self.name)
        return AccountId(found) if found else None


class _IssueFields(Struct, frozen=True, kw_only=True):
    labels: list[str] | None = None
    """Absent in Cloud's comment hooks."""


class _Issue(Struct, frozen=True, kw_only=True):
    key: KeyText
    fields: _IssueFields | None = None


class _Change(Struct, frozen=True, kw_only=True):
    field: str
    fromString: str | None = None  # noqa: N815  # Jira's name
    toString: str | None = None  # noqa: N815  # Jira's name


class _Changelog(Struct, frozen=True, kw_only=True):
    items: list[_Change] | None = None


class _IssueHook(Struct, frozen=True, kw_only=True):
    issue: _Issue
    user: _User | None = None
    changelog: _Changelog | None = None
    comment: _Comment | None = None
    timestamp: Any = None
    """When it happened, in milliseconds; an automation rule sends it as text."""


class _Comment(Struct, frozen=True, kw_only=True):
    id: Annotated[str, Meta(pattern=r"^[0-9]{1,20}$(?!\n)")]
    self: Url | None = None
    author: _User | None = None
    body: str | dict[str, Any] | None = None
    """Wiki markup or a document; searched for our marker and for commands, never acted on."""


class _CommentHook(Struct, frozen=True, kw_only=True):
    comment: _Comment
    issue: _Issue | None = None
    user: _User | None = None


def read(body: bytes, *, interests: Interests) -> HookMeaning:
    """Return what a Jira hook means. Raises NotJsonError."""
    found = envelope(body, _Envelope, what="Jira hook")
    if isinstance(found, WrongShapeError):
        return not_understood("unknown", found)
    kind = word(found.webhookEvent)
    try:
        if kind in {"jira:issue_created", "jira:issue_updated"}:
            event, subject = _issue(decode(body, _IssueHook, what="issue hook"), kind, interests)
        elif kind == "comment_created":
            event, subject = _comment(decode(body, _CommentHook, what="comment hook"), interests)
        elif kind:
            event, subject = NotInteresting(reason=f"Jira's `{kind}` hooks mean nothing to a run."), None
        elif found.key is not None and found.fields is not None:
            kind, event, subject = "issue_data", NotInteresting(reason=AUTOMATION), None
        else:
            reason = "Jira did not say what kind of hook this is: `$.webhookEvent` is missing."
            kind, event, subject = "unknown", NotInteresting(reason=reason), None
    except WrongShapeError as error:
        return not_understood(kind, error)
    return HookMeaning(kind=kind, event=event, subject=subject)


def _issue(hook: _IssueHook, kind: str, interests: Interests) -> tuple[Event, str | None]:
    key = IssueKey(hook.issue.key)
    if _project(key) != interests.jira_project:
        return _elsewhere(key, interests), None
    changed = _Labels(added=_labels_at_creation(hook)) if kind == "jira:issue_created" else _labels_changed(hook)
    event, levels = _labelled(hook, key, changed, interests.label), _security_levels(hook)
    if isinstance(event, LabelChanged) and not levels:
        return event, f"ticket:{key}"
    if isinstance(event, IssueLabelled):
        return replace(event, level=levels[-1].strip() if levels else ""), f"ticket:{key}"
    if levels:
        return _restricted(key, levels[-1]), f"ticket:{key}"
    return event, None


def _changes(hook: _IssueHook) -> list[_Change]:
    return (hook.changelog.items if hook.changelog else None) or []


class _Labels(Struct, frozen=True, kw_only=True):
    """Labels that were set and taken off."""

    added: set[str] = set()
    removed: set[str] = set()

    def steer(self, label: str) -> LabelChange | None:
        """Return what is done to labels that steer a run at work; None: nothing."""
        hold = Start(label=label).hold_label
        steered = (
            (label in self.removed, LabelChange.REMOVED),
            (hold in self.added, LabelChange.HELD),
            (hold in self.removed, LabelChange.RELEASED),
        )
        return next((change for holds, change in steered if holds), None)


def _labelled(
    hook: _IssueHook, key: IssueKey, changed: _Labels | None, label: str
) -> IssueLabelled | LabelChanged | NotInteresting:
    if changed is None:
        return NotInteresting(reason=f"No label of {key} was changed.")
    steers = changed.steer(label)
    if label not in changed.added and steers is None:
        return NotInteresting(reason=f"The label `{label}` was not added to {key}.")
    actor = hook.user.account() if hook.user else None
    if hook.user is None or actor is None:
        reason = f"Jira did not say who set the label on {key}; take it off and set it again as a person."
        return NotInteresting(reason=reason)
    name = word(hook.user.displayName) or str(actor)
    if label not in changed.added and steers is not None:
        at = milliseconds(hook.timestamp)
        return LabelChanged(issue_key=key, change=steers, actor=actor, actor_name=name, at=at)
    return IssueLabelled(issue_key=key, actor=actor, actor_name=name, at=milliseconds(hook.timestamp))


def _labels_at_creation(hook: _IssueHook) -> set[str]:
    """Return the labels of a new ticket, which has no changelog."""
    return set((hook.issue.fields.labels if hook.issue.fields else None) or ())


def _labels_changed(hook: _IssueHook) -> _Labels | None:
    """Return the labels that an update changed, None when it touched none. Jira's lists are separated by spaces."""
    changes = [c for c in _changes(hook) if c.field == "labels"]
    if not changes:
        return None
    lists = [(set(_split(c.fromString)), set(_split(c.toString))) for c in changes]
    return _Labels(
        added={label for before, after in lists for label in after - before},
        removed={label for before, after in lists for label in before - after},
    )


def _security_levels(hook: _IssueHook) -> list[str]:
    """Return the security levels that an update set; an empty one means that the level was removed."""
    return [c.toString or "" for c in _changes(hook) if c.field == "security"]


def _restricted(key: IssueKey, level: str) -> Event:
    if not level.strip():
        return NotInteresting(reason=f"{key} has no security level any more; a confidential run stays so.")
    return IssueRestricted(issue_key=key, level=level)


def _split(labels: str | None) -> list[str]:
    return (labels or "").split()


def _project(key: IssueKey) -> str:
    return key.rpartition("-")[0]


def _elsewhere(key: IssueKey, interests: Interests) -> NotInteresting:
    return NotInteresting(reason=f"{key} is not a ticket of the project {interests.jira_project}.")


_ISSUE_IN_URL: Final = re.compile(r"/issue/([0-9]{1,18})/comment/")


def _comment(hook: _CommentHook, interests: Interests) -> tuple[Event, str | None]:
    author = hook.comment.author or hook.user
    account = author.account() if author else None
    if account is None:
        return NotInteresting(reason="Jira did not say who wrote the comment."), None
    body = wiki(hook.comment.body)
    own = interests.jira_account
    if account == own or (own is None and OWN_COMMENT.search(body)):
        return NotInteresting(reason="The comment is our own."), None
    key = IssueKey(hook.issue.key) if hook.issue else None
    if key is not None and _project(key) != interests.jira_project:
        return _elsewhere(key, interests), None
    found = _ISSUE_IN_URL.search(word(hook.comment.self))
    subject = f"ticket:{key}" if key else f"ticket-id:{found[1]}" if found else None
    is_ahead = command_table.overtakes(command_grammar.read(hook.comment.body))
    event = IssueCommented(
        issue_key=key,
        issue_id=found[1] if found else None,
        comment=hook.comment.id,
        actor=account,
        is_addressed=command_grammar.is_addressed(body),
        overtakes=is_ahead,
    )
    return event, f"{OVERTAKES}{subject}" if subject and is_ahead else subject
