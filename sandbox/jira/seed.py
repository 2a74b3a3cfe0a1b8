"""Make a Jira site from a scenario: people, workflow, the ticket with its comments and files. Sends no hooks for it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from sandbox.jira.model import (
    ISSUE_TYPES,
    PRIORITIES,
    SECURITY_LEVEL,
    Attachment,
    Category,
    Comment,
    Issue,
    Named,
    Person,
    Project,
    Status,
    Transition,
    Workflow,
)
from sandbox.jira.site import Site, issue_type, priority
from sandbox.scenario_format import Scenario, ScenarioError

BOT: Final = Person(
    username="bug-fix-bot",
    name="Bug Fix",
    email="bug-fix-bot@example.org",
    account_id="712020:0e4b4a53-7c0a-4b5c-9f3a-1d2f6c8b9a10",
    bot=True,
)
"""The account whose token the receiver holds."""

TO_DO: Final = Status(id="10000", name="To Do", category=Category.TO_DO)
IN_PROGRESS: Final = Status(id="3", name="In Progress", category=Category.IN_PROGRESS)
IN_REVIEW: Final = Status(id="10010", name="In Review", category=Category.IN_PROGRESS)
DONE: Final = Status(id="10001", name="Done", category=Category.DONE)

DEFAULT_WORKFLOW: Final = Workflow(
    statuses=(TO_DO, IN_PROGRESS, IN_REVIEW, DONE),
    transitions=(
        Transition(id="11", name="Start work", to=IN_PROGRESS, origins=frozenset({"To Do"})),
        Transition(id="21", name="Ask for review", to=IN_REVIEW, origins=frozenset({"In Progress"})),
        Transition(id="31", name="Send back", to=IN_PROGRESS, origins=frozenset({"In Review"})),
        Transition(id="41", name="Finish", to=DONE, origins=frozenset({"In Progress", "In Review"})),
        Transition(id="51", name="Put back", to=TO_DO, origins=frozenset({"In Progress", "In Review"})),
        Transition(id="61", name="Reopen", to=TO_DO, origins=frozenset({"Done"})),
    ),
)
"""Used where the scenario brings no workflow. Names of transitions differ from those of statuses, as in real life."""


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def site(scenario: Scenario, *, url: str, tokens: Mapping[str, str], now: Callable[[], datetime] = utc_now) -> Site:
    """Make the site. `tokens`: the API token of `bug-fix-bot` and of each user of the scenario, by username."""
    people = {BOT.username: BOT} | {
        username: Person(
            username=username, name=user.name, email=user.email, account_id=user.account_id, groups=user.groups
        )
        for username, user in scenario.users.items()
    }
    unknown = sorted(set(tokens) - set(people))
    if unknown:
        raise ScenarioError(f"{scenario.folder}: there are tokens for {', '.join(unknown)}, who are no users")
    ticket = scenario.ticket
    made = Site(
        url=url,
        flavour=scenario.jira.flavour,
        project=Project(id="10000", key=scenario.issue_key.partition("-")[0], name=scenario.jira.project_name),
        workflow=_workflow(scenario),
        people=people,
        tokens=dict(tokens),
        now=now,
        components={name: Named(id=str(10100 + at), name=name) for at, name in enumerate(ticket.components)},
    )
    if ticket.security:
        made.security_level = Named(id=SECURITY_LEVEL, name=ticket.security)
    issue = _issue(made, scenario)
    made.issues[issue.key] = issue
    return made


def _workflow(scenario: Scenario) -> Workflow:
    if not scenario.jira.transitions:
        return DEFAULT_WORKFLOW
    statuses = {status.name: status for status in DEFAULT_WORKFLOW.statuses}
    transitions = []
    for number, one in enumerate(scenario.jira.transitions, start=1):
        for name in (one.to, *one.origins):
            if name not in statuses:
                raise ScenarioError(f"{scenario.folder / 'scenario.yml'}: jira.transitions: no status {name!r}")
        origins = frozenset(one.origins) or None
        transitions.append(
            Transition(id=f"{number}1", name=one.name, to=statuses[one.to], origins=origins, required=one.required)
        )
    return Workflow(statuses=DEFAULT_WORKFLOW.statuses, transitions=tuple(transitions))


def _issue(made: Site, scenario: Scenario) -> Issue:
    ticket, file = scenario.ticket, scenario.folder / "ticket.yml"
    for key, value, known in (
        ("issuetype", ticket.issuetype, ISSUE_TYPES),
        ("priority", ticket.priority, PRIORITIES),
        ("status", ticket.status, made.workflow.statuses),
    ):
        if value not in {one.name for one in known}:
            raise ScenarioError(f"{file}: {key}: {value!r} is none of {', '.join(one.name for one in known)}")
    reporter = made.people[ticket.reporter]
    issue = Issue(
        id=made.next_id(),
        key=scenario.issue_key,
        project=made.project,
        issuetype=issue_type({"name": ticket.issuetype}),
        summary=ticket.summary,
        description=ticket.description,
        status=made.workflow.status(ticket.status),
        priority=priority({"name": ticket.priority}),
        reporter=reporter,
        creator=reporter,
        created=ticket.created,
        updated=max([ticket.created, *(comment.created for comment in ticket.comments)]),
        assignee=made.people[ticket.assignee] if ticket.assignee else None,
        labels=tuple(sorted(set(ticket.labels))),
        components=tuple(made.components.values()),
        security=made.security_level if ticket.security else None,
    )
    for one in ticket.comments:
        author = made.people[one.author]
        comment = Comment(
            id=made.next_id(),
            author=author,
            body=one.body,
            created=one.created,
            updated=one.created,
            update_author=author,
        )
        issue.comments[comment.id] = comment
    for file_of in ticket.attachments:
        path = scenario.folder / file_of.file
        attachment = Attachment(
            id=made.next_id(),
            filename=path.name,
            author=made.people[file_of.author],
            created=ticket.created,
            mime_type=file_of.mime_type,
            content=path.read_bytes(),
        )
        issue.attachments[attachment.id] = attachment
    return issue
