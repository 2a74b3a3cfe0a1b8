"""Set fields of an issue from `fields` and `update` of a request, and say what changed. Performs no I/O."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sandbox.jira.errors import bad_request
from sandbox.jira.model import Change, Issue, Json, Named, Person
from sandbox.jira.site import Site, priority
from sandbox.scenario_format import Flavour

Value = Any
Setter = Callable[[Site, Issue, Value], list[Change]]


def text_of(value: Value, *, field: str) -> str:
    """Return wiki markup; REST v2 has no other texts."""
    if not isinstance(value, str):
        raise bad_request(**{field: "Operation value must be a string"})
    return value


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


def _assignee(site: Site, issue: Issue, value: Value) -> list[Change]:
    """Assign to a person, or to nobody by null."""
    new = None if value is None else _named(site, value, field="assignee")
    old, issue.assignee = issue.assignee, new
    return _people("assignee", old, new)


def _reporter(site: Site, issue: Issue, value: Value) -> list[Change]:
    """Name another reporter; there is always one."""
    old, issue.reporter = issue.reporter, _named(site, value, field="reporter")
    return _people("reporter", old, issue.reporter)


def _named(site: Site, value: Value, *, field: str) -> Person:
    """Return the person of an account id (Cloud) or name (Data Center)."""
    by = "accountId" if site.flavour is Flavour.CLOUD else "name"
    named = value.get(by) if isinstance(value, dict) else None
    found = next((one for one in site.people.values() if named in {one.account_id, one.username}), None)
    if found is None or not named:
        raise bad_request(**{field: f"User '{named}' does not exist."})
    return found


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
    "security": _security,
    "assignee": _assignee,
    "reporter": _reporter,
}
"""Fields that can be set. A field that is not here is refused by name, as Jira does with one that is on no screen."""


def change(site: Site, issue: Issue, *, fields: Json, update: Mapping[str, Sequence[Json]]) -> list[Change]:
    """Set fields and return what changed; only labels know `add` and `remove`."""
    both = sorted(set(fields) & set(update))
    if both:
        raise bad_request(**{name: f"Field '{name}' cannot appear in both 'fields' and 'update'" for name in both})
    unknown = {name for name in [*fields, *update] if name not in SETTERS}
    if unknown:
        screen = "cannot be set. It is not on the appropriate screen, or unknown."
        raise bad_request(**{name: f"Field '{name}' {screen}" for name in sorted(unknown)})
    changes = [item for name, value in fields.items() for item in SETTERS[name](site, issue, value)]
    for name, operations in update.items():
        if name != "labels":
            raise bad_request(**{name: "operations are not supported for this field"})
        changes += _labels(site, issue, _operated(issue.labels, operations))
    return changes


def _operated(labels: tuple[str, ...], operations: Sequence[Json]) -> Value:
    """Return the labels that a list of operations leaves behind."""
    value: Value = list(labels)
    for operation in operations:
        match operation:
            case {"set": new} if len(operation) == 1:
                value = new
            case {"add": new} if len(operation) == 1:
                value = value if new in value else [*value, new]
            case {"remove": old} if len(operation) == 1:
                value = [one for one in value if one != old]
            case _:
                raise bad_request(labels=f"the operations {sorted(operation)} are not supported for this field")
    return value


def _texts(field: str, old: str, new: str) -> list[Change]:
    return [] if old == new else [Change(field=field, old_text=old, new_text=new)]


def _ids(field: str, old: Named, new: Named) -> list[Change]:
    if old == new:
        return []
    return [Change(field=field, old_id=old.id, old_text=old.name, new_id=new.id, new_text=new.name)]
