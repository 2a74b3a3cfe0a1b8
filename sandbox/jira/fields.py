"""Set fields of an issue from `fields` and `update` of a request, and say what changed. Performs no I/O."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sandbox.jira.errors import bad_request
from sandbox.jira.markup.adf_reader import AdfError, to_wiki
from sandbox.jira.model import Change, Issue, Json, Named, Person
from sandbox.jira.site import Site, priority

Value = Any
Setter = Callable[[Site, Issue, Value], list[Change]]


def text_of(value: Value, *, field: str) -> str:
    """Return wiki markup from a string (REST v2) or from an ADF document (REST v3)."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        try:
            return to_wiki(value)
        except AdfError as error:
            raise bad_request(**{field: f"INVALID_INPUT: {error}"}) from error
    raise bad_request(**{field: "Operation value must be a string or an Atlassian Document"})


def labels_of(value: Value) -> tuple[str, ...]:
    """Check labels and return them sorted, each once."""
    if not isinstance(value, list) or not all(isinstance(label, str) for label in value):
        raise bad_request(labels="data was not an array")
    for label in value:
        if not label or any(character.isspace() for character in label):
            raise bad_request(labels=f"The label '{label}' contains spaces which is invalid.")
        if len(label) > 255:
            raise bad_request(labels="The label is longer than 255 characters.")
    return tuple(sorted(set(value)))


def _summary(_: Site, issue: Issue, value: Value) -> list[Change]:
    if not isinstance(value, str) or not value.strip():
        raise bad_request(summary="You must specify a summary of the issue.")
    if "\n" in value or "\r" in value:
        raise bad_request(summary="The summary is invalid because it contains newline characters.")
    if len(value) > 255:
        raise bad_request(summary="Summary must be less than 255 characters.")
    old, issue.summary = issue.summary, value
    return _texts("summary", old, value)


def _description(_: Site, issue: Issue, value: Value) -> list[Change]:
    old, issue.description = issue.description, "" if value is None else text_of(value, field="description")
    return _texts("description", old, issue.description)


def _labels(_: Site, issue: Issue, value: Value) -> list[Change]:
    old, issue.labels = issue.labels, labels_of(value)
    return _texts("labels", " ".join(old), " ".join(issue.labels))


def _priority(_: Site, issue: Issue, value: Value) -> list[Change]:
    old, issue.priority = issue.priority, priority(value)
    return _ids("priority", old, issue.priority)


def _components(site: Site, issue: Issue, value: Value) -> list[Change]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise bad_request(components="data was not an array")
    old, issue.components = issue.components, tuple(site.component(str(one.get("name"))) for one in value)
    gone = [Change(field="Component", old_id=one.id, old_text=one.name) for one in old if one not in issue.components]
    come = [Change(field="Component", new_id=one.id, new_text=one.name) for one in issue.components if one not in old]
    return gone + come


def _assignee(site: Site, issue: Issue, value: Value) -> list[Change]:
    old, issue.assignee = issue.assignee, person_of(site, value)
    return _people("assignee", old, issue.assignee)


def _reporter(site: Site, issue: Issue, value: Value) -> list[Change]:
    old, issue.reporter = issue.reporter, site.person(value if isinstance(value, dict) else None)
    return _people("reporter", old, issue.reporter)


def _security(site: Site, issue: Issue, value: Value) -> list[Change]:
    """Set the security level by its id; Jira's REST documentation has `"security": {"id": "…"}`."""
    if value is not None and (not isinstance(value, dict) or value.get("id") != site.security_level.id):
        raise bad_request(security="The security level is not valid for this issue.")
    old, issue.security = issue.security, None if value is None else site.security_level
    if old == issue.security:
        return []
    before, after = old or Named(id="", name=""), issue.security or Named(id="", name="")
    return [
        Change(
            field="security",
            old_id=before.id or None,
            old_text=before.name or None,
            new_id=after.id or None,
            new_text=after.name or None,
        )
    ]


SETTERS: Final[Mapping[str, Setter]] = {
    "summary": _summary,
    "description": _description,
    "labels": _labels,
    "priority": _priority,
    "components": _components,
    "assignee": _assignee,
    "reporter": _reporter,
    "security": _security,
}
"""Fields that can be set. A field that is not here is refused by name, as Jira does with one that is on no screen."""

LISTS: Final[Mapping[str, Callable[[Issue], list[Value]]]] = {
    "labels": lambda issue: list(issue.labels),
    "components": lambda issue: [{"name": one.name} for one in issue.components],
}
"""Fields that know `add` and `remove`."""


def person_of(site: Site, value: Value) -> Person | None:
    """Return an assignee: None, or the user that the value names."""
    if value is None or (isinstance(value, dict) and set(value.values()) == {None}):
        return None
    return site.person(value if isinstance(value, dict) else None)


def change(site: Site, issue: Issue, *, fields: Json, update: Mapping[str, Sequence[Json]]) -> list[Change]:
    """Set fields and return what changed; `comment` of `update` is the caller's."""
    both = sorted(set(fields) & set(update))
    if both:
        raise bad_request(**{name: f"Field '{name}' cannot appear in both 'fields' and 'update'" for name in both})
    unknown = {name for name in [*fields, *update] if name not in SETTERS and name != "comment"}
    if unknown:
        screen = "cannot be set. It is not on the appropriate screen, or unknown."
        raise bad_request(**{name: f"Field '{name}' {screen}" for name in sorted(unknown)})
    changes = [item for name, value in fields.items() for item in SETTERS[name](site, issue, value)]
    for name, operations in update.items():
        if name != "comment":
            changes += SETTERS[name](site, issue, _operated(issue, name, operations))
    return changes


def _operated(issue: Issue, name: str, operations: Sequence[Json]) -> Value:
    """Return the value that a list of operations leaves behind."""
    value: Value = LISTS[name](issue) if name in LISTS else None
    for operation in operations:
        match operation:
            case {"set": new} if len(operation) == 1:
                value = new
            case {"add": new} if len(operation) == 1 and name in LISTS:
                value = value if new in value else [*value, new]
            case {"remove": old} if len(operation) == 1 and name in LISTS:
                value = [one for one in value if one != old]
            case _:
                raise bad_request(**{name: f"the operations {sorted(operation)} are not supported for this field"})
    return value


def _texts(field: str, old: str, new: str) -> list[Change]:
    return [] if old == new else [Change(field=field, old_text=old, new_text=new)]


def _ids(field: str, old: Named, new: Named) -> list[Change]:
    if old == new:
        return []
    return [Change(field=field, old_id=old.id, old_text=old.name, new_id=new.id, new_text=new.name)]


def _people(field: str, old: Person | None, new: Person | None) -> list[Change]:
    if old == new:
        return []
    return [
        Change(
            field=field,
            old_id=old.account_id if old else None,
            old_text=old.name if old else None,
            new_id=new.account_id if new else None,
            new_text=new.name if new else None,
        )
    ]
