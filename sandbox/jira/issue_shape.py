"""JSON of an issue: which fields were asked for, and what `expand` adds."""

from collections.abc import Sequence
from typing import Final

from sandbox.jira.errors import bad_request
from sandbox.jira.model import Issue, Json
from sandbox.jira.shapes import Shapes, timestamp

FIELDS: Final = {
    "summary": "Summary",
    "description": "Description",
    "issuetype": "Issue Type",
    "project": "Project",
    "status": "Status",
    "priority": "Priority",
    "resolution": "Resolution",
    "resolutiondate": "Resolved",
    "labels": "Labels",
    "components": "Components",
    "reporter": "Reporter",
    "creator": "Creator",
    "assignee": "Assignee",
    "created": "Created",
    "updated": "Updated",
    "comment": "Comment",
    "attachment": "Attachment",
    "issuelinks": "Linked Issues",
    "subtasks": "Sub-tasks",
    "fixVersions": "Fix versions",
    "versions": "Affects versions",
    "environment": "Environment",
    "duedate": "Due date",
    "security": "Security Level",
}
"""Field ids and their names."""

NOT_NAVIGABLE: Final = {"comment", "attachment"}
EXPANSIONS: Final = {"changelog"}


def expansions(text: str, known: set[str] = EXPANSIONS) -> set[str]:
    """Return what `expand` asks for; refuse what is not emulated."""
    wanted = {part.strip() for part in text.split(",") if part.strip()}
    if wanted - known:
        raise bad_request(f"the sandbox can't expand {', '.join(sorted(wanted - known))}; it knows {sorted(known)}")
    return wanted


def chosen(asked: Sequence[str], *, default: str) -> set[str]:
    """Return the fields that `fields` asks for: names, `*all`, `*navigable`, and `-name` to leave one out."""
    wanted = [name.strip() for part in asked for name in part.split(",") if name.strip()] or [default]
    if all(name.startswith("-") for name in wanted):
        wanted = ["*all", *wanted]
    fields: set[str] = set()
    for name in wanted:
        match name:
            case "*all":
                fields |= set(FIELDS)
            case "*navigable":
                fields |= set(FIELDS) - NOT_NAVIGABLE
            case _ if name.startswith("-"):
                fields.discard(name[1:])
            case _:
                fields.add(name)  # an unknown field is left out of the answer, as in Jira
    return fields & set(FIELDS)


def issue_shape(shapes: Shapes, issue: Issue, *, fields: set[str], expand: set[str] = frozenset()) -> Json:  # type: ignore[assignment]  # an empty default that nothing can change
    """Return an issue."""
    shape: Json = {
        "expand": "renderedFields,names,transitions,changelog",
        "id": issue.id,
        "self": shapes.url(f"issue/{issue.id}"),
        "key": issue.key,
    }
    if fields:
        everything = all_fields(shapes, issue)
        shape["fields"] = {name: everything[name] for name in FIELDS if name in fields and name in everything}
    if "changelog" in expand:
        entries = [shapes.entry(entry) for entry in reversed(issue.history)]
        shape["changelog"] = {"startAt": 0, "maxResults": len(entries), "total": len(entries), "histories": entries}
    return shape


def all_fields(shapes: Shapes, issue: Issue) -> Json:
    """Return the values of all fields."""
    comments = [shapes.comment(issue, comment) for comment in issue.comments.values()]
    return {
        "summary": issue.summary,
        "description": issue.description or None,
        "issuetype": shapes.issue_type(issue.issuetype),
        "project": shapes.project(),
        "status": shapes.status(issue.status),
        "priority": shapes.named("priority", issue.priority),
        "resolution": shapes.named("resolution", issue.resolution) if issue.resolution else None,
        "resolutiondate": timestamp(issue.resolution_date) if issue.resolution_date else None,
        "labels": list(issue.labels),
        "components": [shapes.named("component", component) for component in issue.components],
        "reporter": shapes.person(issue.reporter),
        "creator": shapes.person(issue.creator),
        "assignee": shapes.optional(issue.assignee),
        "created": timestamp(issue.created),
        "updated": timestamp(issue.updated),
        "comment": {
            "comments": comments[: shapes.page_size],
            "self": shapes.url(f"issue/{issue.id}/comment"),
            "maxResults": len(comments[: shapes.page_size]),
            "total": len(comments),
            "startAt": 0,
        },
        "attachment": [shapes.attachment(attachment) for attachment in issue.attachments.values()],
        "issuelinks": [],
        "subtasks": [],
        "fixVersions": [],
        "versions": [],
        "environment": None,
        "duedate": None,
        **_security(shapes, issue),
    }


def _security(shapes: Shapes, issue: Issue) -> Json:
    """Return the security level, a field that issues without one don't have."""
    if issue.security is None:
        return {}
    return {"security": {**shapes.named("securitylevel", issue.security), "description": ""}}


def slim(shapes: Shapes, issue: Issue) -> Json:
    """Return the issue as it stands in Cloud's comment hooks: six fields, no labels."""
    names = {"summary", "issuetype", "project", "assignee", "priority", "status"}
    shape = issue_shape(shapes, issue, fields=names)
    del shape["expand"]
    return shape
