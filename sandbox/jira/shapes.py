"""JSON of users, statuses, comments, links and changelogs in REST v2, for Cloud and Data Center."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from sandbox.jira.model import (
    Attachment,
    Change,
    Comment,
    HistoryEntry,
    Issue,
    Json,
    Named,
    Person,
    RemoteLink,
    Status,
    Transition,
)
from sandbox.jira.site import Site
from sandbox.scenario_format import Flavour


def timestamp(moment: datetime) -> str:
    """Write a moment as Jira does, `2026-11-16T14:05:00.000+0000`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}" + moment.strftime("%z")


@dataclass(frozen=True, kw_only=True)
class Shapes:
    """Writes JSON for one site."""

    site: Site
    page_size: int | None = None
    """Most comments within an issue; None: all."""

    def url(self, path: str) -> str:
        """Return the address of a resource."""
        return f"{self.site.url}/rest/api/2/{path}"

    def person(self, person: Person) -> Json:
        """Return a user."""
        avatar = f"{self.site.url}/avatar/{person.username}.svg"
        shared = {
            "emailAddress": person.email,
            "avatarUrls": {f"{size}x{size}": avatar for size in (48, 24, 16, 32)},
            "displayName": person.name,
            "active": True,
            "timeZone": "Etc/UTC",
        }
        match self.site.flavour:
            case Flavour.CLOUD:
                return {
                    "self": self.url(f"user?accountId={person.account_id}"),
                    "accountId": person.account_id,
                    **shared,
                    "accountType": self._account_type(person),
                }
            case Flavour.DATA_CENTER:
                return {
                    "self": self.url(f"user?username={person.username}"),
                    "name": person.username,
                    "key": person.account_id,
                    **shared,
                }
            case _:
                assert_never(self.site.flavour)

    def _account_type(self, person: Person) -> str:
        return "app" if person.bot else "customer" if person.username in self.site.customers else "atlassian"

    def optional(self, person: Person | None) -> Json | None:
        """Return a user, or null."""
        return None if person is None else self.person(person)

    def status(self, status: Status) -> Json:
        """Return a status with its category."""
        number, key, colour, name = status.category.value
        return {
            "self": self.url(f"status/{status.id}"),
            "description": "",
            "iconUrl": f"{self.site.url}/",
            "name": status.name,
            "id": status.id,
            "statusCategory": {
                "self": self.url(f"statuscategory/{number}"),
                "id": number,
                "key": key,
                "colorName": colour,
                "name": name,
            },
        }

    def named(self, kind: str, value: Named) -> Json:
        """Return a priority, resolution or component."""
        return {"self": self.url(f"{kind}/{value.id}"), "id": value.id, "name": value.name}

    def issue_type(self, value: Named) -> Json:
        """Return an issue type."""
        return {**self.named("issuetype", value), "description": "", "iconUrl": f"{self.site.url}/", "subtask": False}

    def project(self) -> Json:
        """Return the project as it stands in an issue."""
        project = self.site.project
        return {
            "self": self.url(f"project/{project.id}"),
            "id": project.id,
            "key": project.key,
            "name": project.name,
            "projectTypeKey": "software",
        }

    def comment(self, issue: Issue, comment: Comment) -> Json:
        """Return a comment."""
        shape: Json = {
            "self": self.url(f"issue/{issue.id}/comment/{comment.id}"),
            "id": comment.id,
            "author": self.person(comment.author),
            "body": comment.body,
            "updateAuthor": self.person(comment.update_author),
            "created": timestamp(comment.created),
            "updated": timestamp(comment.updated),
        }
        if self.site.flavour is Flavour.CLOUD:
            shape["jsdPublic"] = not comment.is_internal
        if comment.visibility is not None:
            shape["visibility"] = comment.visibility
        return shape

    def link(self, issue: Issue, link: RemoteLink) -> Json:
        """Return a remote link."""
        shape: Json = {"id": link.id, "self": self.url(f"issue/{issue.key}/remotelink/{link.id}")}
        if link.global_id is not None:
            shape["globalId"] = link.global_id
        if link.relationship is not None:
            shape["relationship"] = link.relationship
        return {**shape, "application": link.application, "object": link.object}

    def attachment(self, attachment: Attachment) -> Json:
        """Return what is known of a file."""
        content = (
            self.url(f"attachment/content/{attachment.id}")
            if self.site.flavour is Flavour.CLOUD
            else f"{self.site.url}/secure/attachment/{attachment.id}/{attachment.filename}"
        )
        return {
            "self": self.url(f"attachment/{attachment.id}"),
            "id": attachment.id,
            "filename": attachment.filename,
            "author": self.person(attachment.author),
            "created": timestamp(attachment.created),
            "size": len(attachment.content),
            "mimeType": attachment.mime_type,
            "content": content,
        }

    def transition(self, transition: Transition, *, with_fields: bool) -> Json:
        """Return a transition as it is offered."""
        shape: Json = {
            "id": transition.id,
            "name": transition.name,
            "to": self.status(transition.to),
            "hasScreen": bool(transition.required),
            "isGlobal": transition.origins is None,
            "isInitial": False,
            "isAvailable": True,
            "isConditional": False,
            "isLooped": False,
        }
        if with_fields:
            shape["fields"] = {
                name: {
                    "required": True,
                    "schema": {"type": name, "system": name},
                    "name": name.capitalize(),
                    "key": name,
                    "operations": ["set"],
                }
                for name in transition.required
            }
        return shape

    def items(self, changes: Sequence[Change]) -> list[Json]:
        """Return the items of a changelog."""
        return [
            {
                "field": change.field,
                "fieldtype": "jira",
                "fieldId": change.field.lower() if change.field != "Component" else "components",
                "from": change.old_id,
                "fromString": change.old_text,
                "to": change.new_id,
                "toString": change.new_text,
            }
            for change in changes
        ]

    def entry(self, entry: HistoryEntry) -> Json:
        """Return one entry of the history."""
        return {
            "id": entry.id,
            "author": self.person(entry.author),
            "created": timestamp(entry.created),
            "items": self.items(entry.items),
        }
