"""Who people are in GitLab: users by name or address, members of projects and groups. An adapter; changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from gitlab import Gitlab
from gitlab.base import RESTObject
from gitlab.exceptions import GitlabGetError, GitlabListError
from msgspec import Struct

from receiver.outbound.sdk_errors import translate_errors

DEVELOPER: Final = 30
MAINTAINER: Final = 40
"""Access levels, https://docs.gitlab.com/api/access_requests/#valid-access-levels."""


class User(Struct, frozen=True, kw_only=True):
    """A user."""

    id: int
    username: str
    state: str
    """`active`, or what keeps the user out."""
    name: str = ""
    is_bot: bool = False
    """GitLab made it for a token or a service; told of a single user only."""


class Users:
    """Users as our bot sees them."""

    def __init__(self, api: Gitlab) -> None:
        self._api = api

    def user(self, user: int) -> User | None:
        """Return a user; None when there is none of this id, or we don't see it."""
        with translate_errors("GitLab", f"looking up user {user}"):
            try:
                found = self._api.users.get(user)
            except GitlabGetError as error:
                if error.response_code == 404:
                    return None
                raise
        return User(
            id=int(found.id),
            username=found.username,
            state=found.state,
            name=found.name or "",
            is_bot=bool(getattr(found, "bot", False)),
        )

    def named(self, username: str) -> list[User]:
        """Return the user of a name, if there is one."""
        with translate_errors("GitLab", f"looking up user {username}"):
            return _users(self._api.users.list(username=username, get_all=True))

    def with_address(self, address: str) -> list[User]:
        """Return the user whose e-mail address this is; GitLab finds whole addresses only."""
        with translate_errors("GitLab", "looking up an e-mail address"):
            return _users(self._api.users.list(search=address, get_all=True))

    def of_group(self, path: str) -> list[User]:
        """Return the direct members of a group; none when there is no such group, or we don't see it."""
        with translate_errors("GitLab", f"looking up group {path}"):
            try:
                return _users(self._api.groups.get(path, lazy=True).members.list(get_all=True))
            except GitlabListError as error:
                if error.response_code == 404:
                    return []
                raise

    def of_project(self, project_id: int, *, level: int) -> list[User]:
        """Return the direct members of a project with exactly this access level."""
        with translate_errors("GitLab", f"reading the members of project {project_id}"):
            found = self._api.projects.get(project_id, lazy=True).members.list(get_all=True)
        return _users(one for one in found if one.access_level == level)

    def levels(self, project_id: int) -> dict[int, int]:
        """Return the access level of each member of a project by the user's id, inherited ones too."""
        with translate_errors("GitLab", f"reading the members of project {project_id}"):
            found = self._api.projects.get(project_id, lazy=True).members_all.list(get_all=True)
            levels: dict[int, int] = {}
            for one in found:
                levels[int(one.id)] = max(int(one.access_level), levels.get(int(one.id), 0))
        return levels

    def access(self, project_id: int, user: int) -> int:
        """Return a user's access level in a project, inherited ones too; 0: none."""
        member = self._member(project_id, user)
        return 0 if member is None else int(member.access_level)

    def usable_access(self, project_id: int, user: int) -> int:
        """Return the access level that a user can make use of; 0 also for one who is blocked, and stays a member."""
        member = self._member(project_id, user)
        return 0 if member is None or member.state != "active" else int(member.access_level)

    def _member(self, project_id: int, user: int) -> RESTObject | None:
        with translate_errors("GitLab", f"reading what user {user} may do in project {project_id}"):
            try:
                return self._api.projects.get(project_id, lazy=True).members_all.get(user)
            except GitlabGetError as error:
                if error.response_code == 404:
                    return None
                raise


def _users(found: Iterable[RESTObject]) -> list[User]:
    return [User(id=int(one.id), username=one.username, state=one.state) for one in found]
