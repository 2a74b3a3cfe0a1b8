"""The command doctor: check the whole installation and describe each fault in one sentence."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from enum import StrEnum
from typing import Protocol

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from pipelines.catalogue.file import CatalogueError
from pipelines.language import ProjectPath
from pipelines.language.policy import MergePolicy
from receiver.cli import command as base
from receiver.cli import merge_rights, story_printer
from receiver.cli.command import click, command
from receiver.outbound.effects.repository_heads import Heads, read_heads
from receiver.outbound.errors import OutboundError
from receiver.outbound.gitlab.commits_api import Commits
from receiver.outbound.gitlab.connection import Connection
from receiver.outbound.gitlab.hooks_api import Hooks
from receiver.outbound.gitlab.repositories_api import Repositories
from receiver.outbound.jira.jira_client import JiraClient
from receiver.settings import DatabaseSettings, Settings, SettingsError, load
from receiver.store.postgres import migration
from receiver.store.postgres.database import Database, address
from receiver.web import hook_secrets


class Health(StrEnum):
    """Result of a check."""

    GOOD = "✓"
    BAD = "✗"
    UNKNOWN = "?"
    """Not checked, because an earlier check failed or we may not see it."""


class HealthCheck(Struct, frozen=True, kw_only=True):
    """One check and its result."""

    health: Health
    what: str
    sentence: str
    """What was found, or what to do."""


@click.command()
@command
async def doctor() -> None:
    """Check settings, database, catalogue, GitLab and Jira, and say how to mend each fault.

    Changes nothing. Ends with exit code 4 if a check fails.
    """
    bad = 0
    async for finding in findings():
        style = {"✓": "green", "✗": "red", "?": "yellow"}[finding.health]
        base.out.print(
            f"[{style}]{finding.health}[/] [bold]{finding.what}[/]  {story_printer.plain(finding.sentence)}",
            soft_wrap=True,
        )
        bad += finding.health is Health.BAD
    if bad:
        raise SystemExit(base.FAULTS)


async def findings() -> AsyncIterator[HealthCheck]:
    """Yield the findings as they are made."""
    async for finding in _database():
        yield finding
    try:
        settings = load(Settings, os.environ)
    except SettingsError as error:
        for line in str(error).splitlines():
            yield HealthCheck(health=Health.BAD, what="settings", sentence=line)
        yield HealthCheck(health=Health.UNKNOWN, what="GitLab, Jira", sentence="not asked, settings are missing")
        return
    yield HealthCheck(health=Health.GOOD, what="settings", sentence="complete")
    for finding in _gitlab_hooks(settings):
        yield finding
    yield _jira_hooks(settings)
    yield _catalogue(settings)
    async for finding in _repositories(settings):
        yield finding
    for what, token in (("GitLab bot", settings.gitlab_token), ("GitLab starter", settings.gitlab_starter_token)):
        yield await _asked(what, Connection(settings.gitlab_url, token).identity)
    async for finding in _merging(settings):
        yield finding
    async for finding in _sent_hooks(settings):
        yield finding
    jira = JiraClient(settings.jira_url, user=settings.jira_user, token=settings.jira_token)
    yield await _asked("Jira bot", jira.identity)


async def _database() -> AsyncIterator[HealthCheck]:
    try:
        url = address(load(DatabaseSettings, os.environ))
    except SettingsError as error:
        yield HealthCheck(health=Health.BAD, what="database", sentence=str(error))
        return
    try:
        async with Database(url) as database, database.engine.connect() as connection:
            version = await connection.scalar(text("SHOW server_version"))
            revision = await connection.run_sync(migration.current)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        reason = str(getattr(error, "orig", error)).splitlines()[0]
        yield HealthCheck(health=Health.BAD, what="database", sentence=f"can't be reached: {reason}")
        return
    yield HealthCheck(health=Health.GOOD, what="database", sentence=f"PostgreSQL {version}")
    if revision == migration.newest():
        yield HealthCheck(health=Health.GOOD, what="tables", sentence=f"at revision {revision}")
    else:
        sentence = f"at revision {revision or 'none'}, this version wants {migration.newest()}: run `bug-fix migrate`"
        yield HealthCheck(health=Health.BAD, what="tables", sentence=sentence)


def _gitlab_hooks(settings: Settings) -> list[HealthCheck]:
    """Check the hooks' secrets as `bug-fix serve` does at start, and for whose hooks they stand."""
    what = "GitLab hooks"
    try:
        catalogue = base.catalogue(settings.bug_fix_catalogue)
    except (CatalogueError, SettingsError):  # said by the check of the catalogue
        return [HealthCheck(health=Health.UNKNOWN, what=what, sentence="not checked, bug-fix.yml can't be read")]
    try:
        secrets = hook_secrets.gitlab_secrets(settings, catalogue)
    except SettingsError as error:
        return [HealthCheck(health=Health.BAD, what=what, sentence=str(error))]
    scopes = ", ".join(sorted(secrets.scopes()))
    sentence = f"can be verified; whoever knows a secret speaks for its projects: {scopes}"
    without = hook_secrets.without_secret(secrets, catalogue)
    return [
        HealthCheck(health=Health.GOOD, what=what, sentence=sentence),
        *(HealthCheck(health=Health.BAD, what=what, sentence=one) for one in without),
    ]


def _jira_hooks(settings: Settings) -> HealthCheck:
    try:
        hook_secrets.jira_secrets(settings)
    except SettingsError as error:
        return HealthCheck(health=Health.BAD, what="Jira hooks", sentence=str(error))
    return HealthCheck(health=Health.GOOD, what="Jira hooks", sentence="can be verified")


def _catalogue(settings: Settings) -> HealthCheck:
    try:
        found = base.catalogue(settings.bug_fix_catalogue)
    except (CatalogueError, SettingsError) as error:
        return HealthCheck(health=Health.BAD, what="catalogue", sentence=str(error))
    names = ", ".join(found.repositories)
    return HealthCheck(
        health=Health.GOOD, what="catalogue", sentence=f"{len(found.repositories)} repositories: {names}"
    )


async def _repositories(settings: Settings) -> AsyncIterator[HealthCheck]:
    """Check that our bot can read what fixes are made in; what it can't read is left out of each run."""
    try:
        paths = base.catalogue(settings.bug_fix_catalogue).repositories
    except (CatalogueError, SettingsError):  # said already
        return
    connection = Connection(settings.gitlab_url, settings.gitlab_token)
    try:
        heads = await asyncio.to_thread(read_heads, Repositories(connection), Commits(connection), paths)
    except OutboundError as error:
        yield HealthCheck(health=Health.UNKNOWN, what="repositories", sentence=str(error))
        return
    finally:
        connection.close()
    for check in readable(heads):
        yield check


def readable(heads: Heads) -> Iterator[HealthCheck]:
    """Yield a fault for each repository that is left out of runs, with the reason, and how many are not."""
    for path, why in heads.left_out.items():
        sentence = f"left out of every run. {why} Mend that, or take it out of bug-fix.yml"
        yield HealthCheck(health=Health.BAD, what=path, sentence=sentence)
    if heads.shas:
        yield HealthCheck(health=Health.GOOD, what="repositories", sentence=f"{len(heads.shas)} can be read")


async def _merging(settings: Settings) -> AsyncIterator[HealthCheck]:
    """Check that the bot may merge, where the catalogue lets it."""
    try:
        found = base.catalogue(settings.bug_fix_catalogue)
    except (CatalogueError, SettingsError):  # said already
        return
    if found.policy.merge is MergePolicy.MANUAL:
        return
    connection = Connection(settings.gitlab_url, settings.gitlab_merge_token or settings.gitlab_token)
    paths = tuple(found.repositories)
    try:
        wrong = await asyncio.to_thread(merge_rights.faults, merge_rights.MergingBot(connection), paths)
    finally:
        connection.close()
    for path, why in wrong.items():
        health = Health.UNKNOWN if isinstance(why, OutboundError) else Health.BAD
        yield HealthCheck(health=health, what=f"{path} merge", sentence=str(why))
    if len(wrong) < len(paths):
        sentence = f"allowed in {len(paths) - len(wrong)} of {len(paths)} projects"
        yield HealthCheck(health=Health.GOOD, what="merging", sentence=sentence)


HOOK_STATUS = "GitLab hook status"
UNSEEN_HOOKS = (
    "not looked at: reading whether GitLab sends them takes a Maintainer's token (GITLAB_HOOKS_TOKEN). Without it, "
    "hooks that GitLab stopped to send go unnoticed and stay off, and what they would tell is found by asking, minutes "
    "later"
)


NO_HOOK = "no hook of its own leads here; whether one of its group does can't be seen with this check"


class SeenHooks(Protocol):
    """Hooks as a Maintainer sees them."""

    def fault(self, project: ProjectPath, *, public_url: str) -> str | None:
        """Return what is wrong with a project's hook; empty: nothing, None: it has none."""


async def _sent_hooks(settings: Settings) -> AsyncIterator[HealthCheck]:
    """Check that GitLab has not switched off its hooks, as it does after four failures in a row."""
    if not settings.gitlab_hooks_token:
        yield HealthCheck(health=Health.UNKNOWN, what=HOOK_STATUS, sentence=UNSEEN_HOOKS)
        return
    try:
        found = base.catalogue(settings.bug_fix_catalogue)
    except (CatalogueError, SettingsError):  # said already
        return
    connection = Connection(settings.gitlab_url, settings.gitlab_hooks_token)
    paths = [found.automation_project, *found.repositories]
    try:
        async for finding in sent_hooks(Hooks(connection), paths, public_url=settings.public_url):
            yield finding
    finally:
        connection.close()


async def sent_hooks(hooks: SeenHooks, paths: Sequence[ProjectPath], *, public_url: str) -> AsyncIterator[HealthCheck]:
    """Check the hooks of these projects. What can't be seen of one is a remark, and says nothing of the others."""
    sent = 0
    for path in paths:
        what = f"{path} hook"
        try:
            fault = await asyncio.to_thread(hooks.fault, path, public_url=public_url)
        except OutboundError as error:
            yield HealthCheck(health=Health.UNKNOWN, what=what, sentence=str(error))
            continue
        if fault is None:
            yield HealthCheck(health=Health.UNKNOWN, what=what, sentence=NO_HOOK)
        elif fault:
            yield HealthCheck(health=Health.BAD, what=what, sentence=fault)
        else:
            sent += 1
    if sent:
        sentence = f"sent by {sent} of {len(paths)} projects"
        yield HealthCheck(health=Health.GOOD, what=HOOK_STATUS, sentence=sentence)


async def _asked(what: str, identity: Callable[[], str]) -> HealthCheck:
    try:
        name = await asyncio.to_thread(identity)
    except OutboundError as error:
        return HealthCheck(health=Health.BAD, what=what, sentence=str(error))
    return HealthCheck(health=Health.GOOD, what=what, sentence=f"answers; the token is {name}'s")
