"""Find, read and check the folder of a scenario. Every error names the file and the key in it."""

from pathlib import Path
from typing import TypeVar

import yaml

from sandbox.scenario_format.conversation import Conversation
from sandbox.scenario_format.overlay import Source, overlay_files
from sandbox.scenario_format.scenario import Scenario, ScenarioFile
from sandbox.scenario_format.ticket import Ticket
from sandbox.scenario_format.world import User
from sandbox.yaml_file import YamlFileError, read_yaml

SCENARIOS = Path(__file__).parents[1] / "scenarios"
"""The folder of the scenarios that come with the sandbox."""


class ScenarioError(Exception):
    """A scenario can't be played; the message names file and key, and says what is expected."""


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
    head = _read(folder / "scenario.yml", ScenarioFile)
    ticket = _read(folder / "ticket.yml", Ticket)
    sources = {
        project: source if isinstance(source, Source) else Source(folder=source)
        for project, source in head.repositories.items()
    }
    repositories = {project: _repository(folder, project, source.folder) for project, source in sources.items()}
    overlays = {
        project: overlay_files(source, None if source.over is None else _repository(folder, project, source.over))
        for project, source in sources.items()
    }
    _check_people(folder / "ticket.yml", ticket, head.users)
    _check_attachments(folder, ticket)
    _check_reactions(folder / "scenario.yml", head)
    _check_expected(folder / "scenario.yml", head, ticket)
    return Scenario(
        folder=folder,
        name=head.name,
        title=head.title,
        issue_key=head.issue,
        users=head.users,
        repositories=repositories,
        overlays=overlays,
        expected=head.expected,
        reactions=head.reactions,
        gitlab=head.gitlab,
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


def _check_expected(file: Path, head: ScenarioFile, ticket: Ticket) -> None:
    """Nothing is expected of what the story does not have."""
    expected, attached = head.expected, {Path(one.file).name for one in ticket.attachments}
    for key, named, there, where in (
        ("merge_requests", expected.merge_requests, set(head.repositories), "repositories"),
        ("own_pipelines", expected.own_pipelines, set(expected.merge_requests), "expected.merge_requests"),
        ("attachments", expected.attachments or {}, attached, "attachments of ticket.yml"),
    ):
        for name in named:
            if name not in there:
                raise ScenarioError(f"{file}: expected.{key}.{name} is not in {where}")


def _check_reactions(file: Path, head: ScenarioFile) -> None:
    for index, reaction in enumerate(head.reactions):
        if reaction.by not in head.users:
            raise ScenarioError(f"{file}: reactions[{index}].by: {reaction.by} is not among the users")
        done = (reaction.comment, reaction.label, reaction.security, reaction.gitlab)
        if sum(one is not None for one in done) != 1:
            raise ScenarioError(
                f"{file}: reactions[{index}]: needs a comment, a label, a security level or something in GitLab, "
                "one of them"
            )
        if reaction.gitlab is not None and reaction.gitlab.project not in head.repositories:
            raise ScenarioError(
                f"{file}: reactions[{index}].gitlab.project: {reaction.gitlab.project} is not among the repositories"
            )


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
