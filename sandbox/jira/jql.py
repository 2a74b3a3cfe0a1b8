"""A small part of JQL: comparisons joined by AND, OR, NOT and brackets, then ORDER BY. What it doesn't know is refused.

Source: support.atlassian.com, JQL fields and operators.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sandbox.jira.errors import bad_request
from sandbox.jira.model import Issue, Person

Predicate = Callable[[Issue], bool]
TOKEN: Final = re.compile(
    r"""\s*(?:
    (?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
  | (?P<operator>!=|!~|>=|<=|=|~|>|<)
  | (?P<mark>[(),])
  | (?P<word>[^\s(),=~<>!"']+)
    )""",
    re.VERBOSE,
)
UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def _people(person: Person | None) -> tuple[str, ...]:
    return () if person is None else (person.account_id, person.username, person.email, person.name)


VALUES: Final[Mapping[str, Callable[[Issue], tuple[str, ...]]]] = {
    "project": lambda issue: (issue.project.key, issue.project.name, issue.project.id),
    "key": lambda issue: (issue.key, issue.id),
    "labels": lambda issue: issue.labels,
    "status": lambda issue: (issue.status.name, issue.status.id),
    "statuscategory": lambda issue: (issue.status.category.value[3], issue.status.category.value[1]),
    "issuetype": lambda issue: (issue.issuetype.name, issue.issuetype.id),
    "priority": lambda issue: (issue.priority.name, issue.priority.id),
    "resolution": lambda issue: (issue.resolution.name, issue.resolution.id) if issue.resolution else (),
    "component": lambda issue: tuple(part for one in issue.components for part in (one.name, one.id)),
    "reporter": lambda issue: _people(issue.reporter),
    "creator": lambda issue: _people(issue.creator),
    "assignee": lambda issue: _people(issue.assignee),
}
TEXTS: Final[Mapping[str, Callable[[Issue], str]]] = {
    "summary": lambda issue: issue.summary,
    "description": lambda issue: issue.description,
    "comment": lambda issue: " ".join(comment.body for comment in issue.comments.values()),
    "text": lambda issue: " ".join(
        [issue.summary, issue.description, *(comment.body for comment in issue.comments.values())]
    ),
}
DATES: Final[Mapping[str, Callable[[Issue], datetime]]] = {
    "created": lambda issue: issue.created,
    "updated": lambda issue: issue.updated,
}
SYNONYMS: Final = {"issuekey": "key", "issue": "key", "id": "key", "type": "issuetype", "label": "labels"}
ORDERS: Final[Mapping[str, Callable[[Issue], Any]]] = {
    **DATES,
    "key": lambda issue: int(issue.key.rpartition("-")[2]),
    "priority": lambda issue: -int(issue.priority.id),
    "summary": lambda issue: issue.summary.lower(),
    "status": lambda issue: issue.status.name,
}
COMPARISONS: Final[Mapping[str, Callable[[datetime, datetime], bool]]] = {
    "=": lambda one, other: one == other,
    "!=": lambda one, other: one != other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
}


@dataclass(frozen=True, kw_only=True)
class Query:
    """A parsed query."""

    matches: Predicate
    bounded: bool
    """Whether it restricts anything; Cloud refuses to search without a restriction."""
    order: tuple[tuple[str, bool], ...]
    """Field and whether it descends."""

    def select(self, issues: Sequence[Issue]) -> list[Issue]:
        """Return the matching issues in order; the newest first where the query gives none."""
        found = sorted((issue for issue in issues if self.matches(issue)), key=ORDERS["created"], reverse=True)
        for field, descending in reversed(self.order):
            found.sort(key=ORDERS[field], reverse=descending)
        return found


def parse(text: str, *, now: datetime, user: Person) -> Query:
    """Parse a query."""
    return _Parser(text, now=now, user=user).query()


class _Parser:
    def __init__(self, text: str, *, now: datetime, user: Person) -> None:
        self._text, self._now, self._user = text, now, user
        self._tokens: list[tuple[str, str]] = []
        self._at = 0
        end = 0
        while text[end:].strip():
            match = TOKEN.match(text, end)
            if match is None:
                raise bad_request(f"Error in the JQL Query: '{text[end:].strip()[0]}' is a reserved JQL character.")
            self._tokens.append((match.lastgroup or "", match[match.lastgroup or 0]))
            end = match.end()

    def query(self) -> Query:
        bounded = bool(self._tokens) and not self._is("order")
        matches = self._either() if bounded else lambda _: True
        order = self._order() if self._is("order") else ()
        if self._at < len(self._tokens):
            raise self._expected("AND, OR or ORDER BY")
        return Query(matches=matches, bounded=bounded, order=order)

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _is(self, word: str) -> bool:
        return self._peek().lower() == word

    def _take(self, word: str) -> bool:
        if self._is(word):
            self._at += 1
            return True
        return False

    def _next(self, wanted: str) -> str:
        if self._at >= len(self._tokens):
            raise self._expected(wanted)
        kind, token = self._tokens[self._at]
        self._at += 1
        return re.sub(r"\\(.)", r"\1", token[1:-1]) if kind == "quoted" else token

    def _expected(self, wanted: str) -> Exception:
        return bad_request(f"Error in the JQL Query: Expecting {wanted} but got '{self._peek() or 'the end'}'.")

    def _either(self) -> Predicate:
        parts = [self._all()]
        while self._take("or"):
            parts.append(self._all())
        return lambda issue: any(part(issue) for part in parts)

    def _all(self) -> Predicate:
        parts = [self._one()]
        while self._take("and"):
            parts.append(self._one())
        return lambda issue: all(part(issue) for part in parts)

    def _one(self) -> Predicate:
        if self._take("not"):
            inner = self._one()
            return lambda issue: not inner(issue)
        if self._take("("):
            inner = self._either()
            if not self._take(")"):
                raise self._expected("')'")
            return inner
        return self._comparison()

    def _comparison(self) -> Predicate:
        name = self._next("a field")
        field = SYNONYMS.get(name.lower(), name.lower())
        if field not in VALUES and field not in TEXTS and field not in DATES:
            raise bad_request(f"Field '{name}' does not exist or you do not have permission to view it.")
        operator = self._next("an operator").lower()
        if operator == "not" and self._take("in"):
            operator = "not in"
        if operator == "is":
            operator = "is not" if self._take("not") else "is"
        if field in DATES and operator in COMPARISONS:
            moment, compare, get = self._moment(self._value()), COMPARISONS[operator], DATES[field]
            return lambda issue: compare(get(issue).replace(second=0, microsecond=0), moment)
        if field in TEXTS and operator in {"~", "!~"}:
            words, text = self._value().lower().split(), TEXTS[field]
            return lambda issue: all(word in text(issue).lower() for word in words) == (operator == "~")
        if field in VALUES and operator in {"=", "!=", "in", "not in", "is", "is not"}:
            return self._membership(VALUES[field], operator)
        raise bad_request(f"The operator '{operator}' is not supported by the '{name}' field.")

    def _membership(self, get: Callable[[Issue], tuple[str, ...]], operator: str) -> Predicate:
        if operator in {"is", "is not"}:
            if self._next("EMPTY").lower() not in {"empty", "null"}:
                raise self._expected("EMPTY")
            return lambda issue: bool(get(issue)) == (operator == "is not")
        wanted = {value.lower() for value in (self._values() if operator.endswith("in") else [self._value()])}
        positive = operator in {"=", "in"}

        def matches(issue: Issue) -> bool:
            values = {value.lower() for value in get(issue)}
            # A negative comparison never finds an issue where the field is empty: JQL's own rule.
            return bool(values & wanted) if positive else bool(values) and not values & wanted

        return matches

    def _values(self) -> list[str]:
        if not self._take("("):
            raise self._expected("'('")
        values = [self._value()]
        while self._take(","):
            values.append(self._value())
        if not self._take(")"):
            raise self._expected("')'")
        return values

    def _value(self) -> str:
        value = self._next("a value")
        if not self._take("("):
            return value
        if not self._take(")"):
            raise self._expected("')'")
        match value.lower():
            case "currentuser":
                return self._user.account_id
            case "now":
                return self._now.strftime("%Y-%m-%d %H:%M")
        raise bad_request(f"Unable to find JQL function '{value}()'.")

    def _moment(self, text: str) -> datetime:
        if relative := re.fullmatch(r"([+-]?\d+)([mhdw])", text):
            return (self._now + timedelta(**{UNITS[relative[2]]: int(relative[1])})).replace(second=0, microsecond=0)
        for form in ("%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y-%m-%d", "%Y/%m/%d"):
            try:
                return datetime.strptime(text, form).replace(tzinfo=UTC)
            except ValueError:
                continue
        raise bad_request(
            f"Date value '{text}' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', 'yyyy-MM-dd HH:mm', "
            "'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'."
        )

    def _order(self) -> tuple[tuple[str, bool], ...]:
        self._at += 1
        if not self._take("by"):
            raise self._expected("BY")
        order: list[tuple[str, bool]] = []
        while True:
            name = self._next("a field")
            field = SYNONYMS.get(name.lower(), name.lower())
            if field not in ORDERS:
                raise bad_request(f"Not able to sort using field '{name}'.")
            descending = self._take("desc") or (not self._take("asc") and field in DATES)
            order.append((field, descending))
            if not self._take(","):
                return tuple(order)
