"""Load a scenario: a folder with users, repositories, a ticket and what the model says. Plays nothing itself.

The format is described in docs/scenarios.md. Every error names the file and the key in it.
"""

from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
import yaml

from sandbox.laid_files import LaidFile, Source, laid_files
from sandbox.yaml_file import YamlFileError, read_yaml

SCENARIOS = Path(__file__).parent / "scenarios"
"""The folder of the scenarios that come with the sandbox."""

IssueKey = Annotated[str, msgspec.Meta(pattern=r"^[A-Z][A-Z0-9]{1,9}-[1-9][0-9]{0,9}$")]
"""A Jira issue key, `PL-479`."""

ProjectPath = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+$")]
"""A GitLab project with its namespace, `payk12/contacts`."""

Word = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*$")]
"""A phase or an outcome; the product owns the lists, a scenario only repeats their words."""

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time with its zone, `2026-11-16T14:05:00Z`."""

Username = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9._-]*$")]
"""A user's name, the same in GitLab and in Jira."""


class ScenarioError(Exception):
    """A scenario can't be played; the message names file and key, and says what is expected."""


class Access(Enum):
    """What a user may do in the scenario's GitLab repositories."""

    NONE = "none"
    GUEST = "guest"
    REPORTER = "reporter"
    DEVELOPER = "developer"
    MAINTAINER = "maintainer"


class Flavour(Enum):
    """Which Jira answers: its user fields, its API versions and its hooks differ."""

    CLOUD = "cloud"
    DATA_CENTER = "data_center"


class User(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person of the story, known to GitLab and to Jira alike."""

    name: str
    """Display name."""
    email: str
    account_id: str
    """Jira Cloud account id; also the user's `key` where Jira is a Data Center."""
    groups: tuple[str, ...] = ()
    """Jira groups."""
    access: Access = Access.NONE


class JiraTransition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"origins": "from"}):
    """A way from some statuses (`from`; none given: from all) to another."""

    name: str
    to: str
    origins: tuple[str, ...] = ()
    required: tuple[Literal["resolution", "assignee", "comment"], ...] = ()
    """Fields of its screen that must be filled."""


class JiraWorld(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the scenario's Jira looks, apart from its ticket."""

    project_name: str = "Platform"
    flavour: Flavour = Flavour.CLOUD
    transitions: tuple[JiraTransition, ...] = ()
    """None given: the usual way through To Do, In Progress, In Review and Done."""


class ModelWorld(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the scenario's Messages API behaves, apart from what the model says."""

    minutes_between_jobs: Annotated[float, msgspec.Meta(ge=0, le=600)] = 0.0
    """Simulated: the API's own clock goes forward by so much before each conversation, so that its cache entries age
    as they do while jobs wait for runners. Nothing waits for it."""


class Reproduction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the reproduction says on the unpatched and on the patched code."""

    before: Word
    after: Word | None = None
    """None where no patch gets that far."""


class Expected(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the story must end, after all reactions; the demo compares and fails where it ends otherwise."""

    outcome: Word
    iterations: Annotated[int, msgspec.Meta(ge=1)] = 1
    """The run's own count: every pipeline that was started for it, also one that ended in a question."""
    merge_requests: dict[ProjectPath, Word] = {}
    """GitLab project to the state of its merge request (`opened`, `merged`); a project not named here has none."""
    reproduction: Reproduction | None = None
    ticket_status: str | None = None
    """The Jira status at the end."""
    cache_read_share: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    """Of all input tokens, at least so many are read from the model's cache."""


class Reaction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person does in Jira when the run gets somewhere. Each reaction happens once, in the order of the file."""

    when: Word
    """The run's status."""
    by: Username
    comment: str | None = None
    """A comment on the ticket; wiki markup."""
    label: Annotated[str, msgspec.Meta(pattern=r"^\S+$")] | None = None
    """A label that is taken off the ticket and set again."""
    iteration: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Only at this iteration of the run; None: the first time that it has the status."""

    def is_due(self, *, status: str, iteration: int) -> bool:
        """Whether it is time for it."""
        return self.when == status and self.iteration in {None, iteration}


class Comment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A comment that people wrote on the ticket before the story begins; wiki markup."""

    author: Username
    body: str
    created: Moment


class Attachment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file attached to the ticket."""

    file: str
    """Path below the scenario's folder; its last part is the attachment's name."""
    author: Username
    mime_type: str


class Ticket(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The Jira issue, `ticket.yml`."""

    summary: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    description: str
    """Wiki markup."""
    reporter: Username
    created: Moment
    issuetype: str = "Bug"
    priority: str = "Medium"
    status: str = "To Do"
    assignee: Username | None = None
    components: tuple[str, ...] = ()
    labels: tuple[Annotated[str, msgspec.Meta(pattern=r"^\S+$")], ...] = ()
    comments: tuple[Comment, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    security: str | None = None
    """The issue's security level; None: everybody who sees the project sees it."""


class ToolUse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One tool call of the model."""

    name: Word
    input: dict[str, Any]


class Turn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One assistant message: thinking, text and tool calls, in that order."""

    text: str | None = None
    thinking: str | None = None
    tool_use: tuple[ToolUse, ...] = ()
    """Empty: the model ends its turn (`stop_reason: end_turn`), else it waits for the results (`tool_use`)."""
    delay_s: Annotated[float, msgspec.Meta(ge=0, le=600)] = 0.0
    """Seconds before the answer begins."""


class Conversation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the model says in one phase, one file of `turns/`; the four first keys select it."""

    phase: Word
    turns: Annotated[tuple[Turn, ...], msgspec.Meta(min_length=1)]
    issue: IssueKey | None = None
    """None: whichever issue."""
    repository: ProjectPath | None = None
    """None: whichever repository, and the phases that have none."""
    iteration: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """None: every iteration."""

    def answers(self, *, phase: str, issue: str, repository: str | None, iteration: int) -> bool:
        """Whether this conversation may be played for that job."""
        return (
            self.phase == phase
            and self.issue in {None, issue}
            and self.repository in {None, repository}
            and self.iteration in {None, iteration}
        )

    def precision(self) -> tuple[bool, bool, bool]:
        """Sort key: a repository counts more than an iteration, that more than an issue."""
        return (self.repository is not None, self.iteration is not None, self.issue is not None)


class _ScenarioFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`scenario.yml` as it is written."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    title: str
    issue: IssueKey
    users: Annotated[dict[Username, User], msgspec.Meta(min_length=1)]
    repositories: Annotated[dict[ProjectPath, str | Source], msgspec.Meta(min_length=1)]
    expected: Expected
    reactions: tuple[Reaction, ...] = ()
    jira: JiraWorld = JiraWorld()
    model: ModelWorld = ModelWorld()


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A whole scenario, checked."""

    folder: Path
    name: str
    title: str
    issue_key: str
    users: dict[str, User]
    """By username."""
    repositories: dict[str, Path]
    """GitLab project to the folder with its first commit's files."""
    laid: dict[str, tuple[LaidFile, ...]]
    """GitLab project to the files that lie over that folder."""
    expected: Expected
    reactions: tuple[Reaction, ...] = ()
    """What people do while the run goes on."""
    jira: JiraWorld
    model: ModelWorld = ModelWorld()
    ticket: Ticket
    catalogue: str
    """`bug-fix.yml` as the team wrote it; the product parses it, the sandbox only commits it."""
    conversations: tuple[Conversation, ...]

    def conversation(self, *, phase: str, issue: str, repository: str | None, iteration: int) -> Conversation | None:
        """Return the most precise conversation that answers this job, or None."""
        matching = [
            conversation
            for conversation in self.conversations
            if conversation.answers(phase=phase, issue=issue, repository=repository, iteration=iteration)
        ]
        return max(matching, key=Conversation.precision, default=None)


def names() -> tuple[str, ...]:
    """Return the names of the scenarios that come with the sandbox."""
    return tuple(sorted(file.parent.name for file in SCENARIOS.glob("*/scenario.yml")))


def find(name_or_folder: str) -> Path:
    """Return the folder of a scenario given by name or by folder."""
    for folder in (SCENARIOS / name_or_folder, Path(name_or_folder)):
        if (folder / "scenario.yml").is_file():
            return folder.resolve()
    raise ScenarioError(
        f"There is no scenario {name_or_folder!r}: give one of {', '.join(names())}, "
        "or a folder that holds a scenario.yml."
    )


def load(folder: Path) -> Scenario:
    """Read and check the scenario in a folder."""
    head = _read(folder / "scenario.yml", _ScenarioFile)
    ticket = _read(folder / "ticket.yml", Ticket)
    sources = {
        project: source if isinstance(source, Source) else Source(folder=source)
        for project, source in head.repositories.items()
    }
    repositories = {project: _repository(folder, project, source.folder) for project, source in sources.items()}
    laid = {
        project: laid_files(source, None if source.over is None else _repository(folder, project, source.over))
        for project, source in sources.items()
    }
    _check_people(folder / "ticket.yml", ticket, head.users)
    _check_attachments(folder, ticket)
    _check_reactions(folder / "scenario.yml", head)
    for project in head.expected.merge_requests:
        if project not in repositories:
            raise ScenarioError(f"{folder / 'scenario.yml'}: expected.merge_requests.{project} is not in repositories")
    return Scenario(
        folder=folder,
        name=head.name,
        title=head.title,
        issue_key=head.issue,
        users=head.users,
        repositories=repositories,
        laid=laid,
        expected=head.expected,
        reactions=head.reactions,
        jira=head.jira,
        model=head.model,
        ticket=ticket,
        catalogue=_catalogue(folder / "bug-fix.yml"),
        conversations=tuple(_conversation(file, set(repositories)) for file in sorted(folder.glob("turns/*.yml"))),
    )


T = TypeVar("T")


def _read(file: Path, shape: type[T]) -> T:
    try:
        return read_yaml(file, type_=shape)
    except YamlFileError as error:
        raise ScenarioError(str(error)) from error


def _repository(folder: Path, project: str, path: str) -> Path:
    source = (folder / path).resolve()
    if not source.is_dir() or not any(source.iterdir()):
        raise ScenarioError(f"{folder / 'scenario.yml'}: repositories.{project}: {path} is no folder with files in it")
    return source


def _catalogue(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8")
        yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ScenarioError(f"{file}: {error}") from error
    return text


def _check_people(file: Path, ticket: Ticket, users: dict[str, User]) -> None:
    """Every person that the ticket names must be a user of the scenario."""
    named = {"reporter": ticket.reporter}
    if ticket.assignee is not None:
        named["assignee"] = ticket.assignee
    named |= {f"comments[{index}].author": comment.author for index, comment in enumerate(ticket.comments)}
    named |= {f"attachments[{index}].author": attachment.author for index, attachment in enumerate(ticket.attachments)}
    for key, username in named.items():
        if username not in users:
            raise ScenarioError(f"{file}: {key}: {username} is not among the users of scenario.yml")


def _check_reactions(file: Path, head: _ScenarioFile) -> None:
    for index, reaction in enumerate(head.reactions):
        if reaction.by not in head.users:
            raise ScenarioError(f"{file}: reactions[{index}].by: {reaction.by} is not among the users")
        if (reaction.comment is None) == (reaction.label is None):
            raise ScenarioError(f"{file}: reactions[{index}]: needs a comment or a label, and not both")


def _check_attachments(folder: Path, ticket: Ticket) -> None:
    for index, attachment in enumerate(ticket.attachments):
        if not (folder / attachment.file).is_file():
            raise ScenarioError(f"{folder / 'ticket.yml'}: attachments[{index}].file: {attachment.file} does not exist")


def _conversation(file: Path, projects: set[str]) -> Conversation:
    conversation = _read(file, Conversation)
    if file.name.split(".")[0] != conversation.phase:
        raise ScenarioError(f"{file}: phase: the file's name must begin with {conversation.phase}")
    if conversation.repository is not None and conversation.repository not in projects:
        raise ScenarioError(f"{file}: repository: {conversation.repository} is not in repositories of scenario.yml")
    for index, turn in enumerate(conversation.turns):
        if turn.text is None and not turn.tool_use:
            raise ScenarioError(f"{file}: turns[{index}]: needs text or tool_use, or both")
        if not turn.tool_use and index + 1 < len(conversation.turns):
            raise ScenarioError(f"{file}: turns[{index}].tool_use: only the last turn may be without one")
    return conversation
