"""Whether our bot may merge what fixes are made in, as far as its own token lets it see. Changes nothing."""

from __future__ import annotations

from typing import Protocol

from pipelines.language import ProjectPath
from receiver.outbound.errors import OutboundError
from receiver.outbound.gitlab.connection import Connection
from receiver.outbound.gitlab.members import DEVELOPER, MAINTAINER
from receiver.outbound.gitlab.merging_api import MergeRequestMerging
from receiver.outbound.gitlab.repositories_api import Project, Repositories


class MergingBot:
    """GitLab as the bot sees it that merges."""

    def __init__(self, connection: Connection) -> None:
        self._merging, self._repositories = MergeRequestMerging(connection), Repositories(connection)
        self.project = self._repositories.project
        self.protection = self._merging.protection

    def own_level(self, project_id: int) -> int:
        """Return the bot's access level in a project; 0: none."""
        return self._repositories.users.access(project_id, self._merging.bot)


class Seen(Protocol):
    """GitLab as the bot sees it that merges."""

    def project(self, path: ProjectPath) -> Project:
        """Return a project."""

    def protection(self, project_id: int, branch: str) -> tuple[bool, bool]:
        """Return whether a branch is protected, and whether developers may merge into it all the same."""

    def own_level(self, project_id: int) -> int:
        """Return the bot's access level in a project; 0: none."""


def fault(seen: Seen, path: ProjectPath) -> str:
    """Return why the bot can't merge into a project's default branch, and what to do; empty: it can.

    Raises OutboundError.
    """
    project = seen.project(path)
    level = seen.own_level(project.id)
    is_protected, developers_may = seen.protection(project.id, project.default_branch)
    if level < DEVELOPER:
        return "`policy.merge` is `when_approved`, but the bot that merges is no developer here: invite it."
    if is_protected and not developers_may and level < MAINTAINER:
        return (
            f"`policy.merge` is `when_approved`, but `{project.default_branch}` is protected and the bot that merges "
            "is no maintainer: let it merge there (Settings > Repository > Protected branches), or make it one. A rule "
            "that names the bot alone can't be seen with its token."
        )
    return ""


def faults(seen: Seen, paths: tuple[ProjectPath, ...]) -> dict[ProjectPath, str | OutboundError]:
    """Return what is wrong by project, and what can't be read; nothing for those where the bot may merge."""
    found: dict[ProjectPath, str | OutboundError] = {}
    for path in paths:
        try:
            wrong = fault(seen, path)
        except OutboundError as error:
            found[path] = error
        else:
            if wrong:
                found[path] = wrong
    return found
