"""Seed the emulated GitLab's world: users, tokens, the automation project, the scenario's repositories, hooks.

The automation project is what the product's own checkout holds for GitLab: `.gitlab-ci.yml` and `templates/ci/`, with
the scenario's `bug-fix.yml` beside it.
"""

import base64
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

import msgspec

from sandbox.gitlab.hook_model import Event, Hook
from sandbox.gitlab.model import Access, Project
from sandbox.gitlab.repository import NULL_SHA, Change, Identity, Repository
from sandbox.gitlab.state import State

AUTOMATION: Final = "payk12/bug-fix"
AUTOMATION_FILES: Final = (".gitlab-ci.yml", "templates/ci")
_SEEDER: Final = Identity(name="Sandbox", email="sandbox@sandbox.invalid", at=datetime(2026, 1, 5, 9, 0, tzinfo=UTC))


class SeedError(Exception):
    """The world can't be made; the message says what is missing."""


class Secrets(msgspec.Struct, frozen=True, kw_only=True):
    """All secrets of the seeded GitLab; made up at each start."""

    token: str
    """Of `bug-fix-bot`, who writes."""
    starter_token: str
    """Of `bug-fix-starter`, who only starts pipelines of the automation project."""
    admin_token: str
    """Of `root`."""
    webhook_secret: str
    webhook_signing_token: str
    user_tokens: dict[str, str]
    """Of the scenario's people, by username."""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A human of the scenario."""

    name: str
    access: Access


async def seed(
    state: State,
    *,
    people: Mapping[str, Person],
    repositories: Mapping[str, Path],
    over: Mapping[str, tuple[Change, ...]] = MappingProxyType({}),
    catalogue: str,
    automation: Path,
    receiver: str,
    bot_access: Access = Access.DEVELOPER,
) -> Secrets:
    """Make the whole world and give its secrets. `bot_access`: the writing bot's, in the repositories."""
    root = state.add_user("root", "Administrator", admin=True)
    bot = state.add_user("bug-fix-bot", "Bug-Fix", bot=True)
    starter = state.add_user("bug-fix-starter", "Bug-Fix starter", bot=True)
    humans = {username: state.add_user(username, person.name) for username, person in people.items()}
    roles = {humans[username].id: person.access for username, person in people.items() if person.access}
    automated = await _automation(state, automation, catalogue)
    automated.members = {**roles, bot.id: Access.MAINTAINER, starter.id: Access.MAINTAINER}
    for path, folder in repositories.items():
        project = await _project(state, path, _folder(folder, over.get(path, ())), message="First commit")
        project.members = {**roles, bot.id: bot_access, starter.id: Access.REPORTER}
        project.job_token_allowlist = {automated.id}
    result = Secrets(
        token=state.add_token(bot).value,
        starter_token=state.add_token(starter).value,
        admin_token=state.add_token(root).value,
        webhook_secret=secrets.token_urlsafe(24),
        webhook_signing_token="whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
        user_tokens={username: state.add_token(user).value for username, user in humans.items()},
    )
    for project in state.projects.values():
        _hook(state, project, receiver, result)
    return result


def _hook(state: State, project: Project, receiver: str, result: Secrets) -> None:
    hook = Hook(
        id=state.next_id("hook"),
        url=f"{receiver}/hooks/gitlab",
        project_id=project.id,
        created_at=state.now(),
        events={Event.PUSH, Event.MERGE_REQUEST, Event.NOTE, Event.PIPELINE, Event.JOB},
        token=result.webhook_secret,
        signing_token=result.webhook_signing_token,
        name="bug-fix",
    )
    project.hooks[hook.id] = hook


class _Files(msgspec.Struct, frozen=True, kw_only=True):
    folder: Path
    only: tuple[str, ...] = (".",)
    more: tuple[Change, ...] = ()


def _folder(folder: Path, over: tuple[Change, ...]) -> _Files:
    if not folder.is_dir():
        raise SeedError(f"there is no folder {folder} to seed a repository from")
    return _Files(folder=folder, more=over)


async def _automation(state: State, checkout: Path, catalogue: str) -> Project:
    present = tuple(name for name in AUTOMATION_FILES if (checkout / name).exists())
    if AUTOMATION_FILES[0] not in present:
        raise SeedError(f"{checkout} holds no {AUTOMATION_FILES[0]}: name the product's checkout with --automation")
    files = _Files(folder=checkout, only=present, more=(Change(path="bug-fix.yml", content=catalogue.encode()),))
    return await _project(state, AUTOMATION, files, message="Set up bug fixing")


async def _project(state: State, path: str, files: _Files, *, message: str) -> Project:
    project = state.add_project(path)
    repository = Repository(project.repository)
    await repository.init(default_branch=project.default_branch)
    tree = await repository.write_folder(files.folder, only=files.only)
    if files.more:
        tree = await repository.write_tree(tree, files.more)
    sha = await repository.write_commit(tree, parents=[], message=message, author=_SEEDER, committer=_SEEDER)
    await repository.move(f"refs/heads/{project.default_branch}", new=sha, old=NULL_SHA)
    return project
