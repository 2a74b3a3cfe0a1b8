"""Branches, files and commits in GitLab, as the writing bot sees and makes them. An adapter.

https://docs.gitlab.com/api/commits/: a mode is an action of its own (`chmod`), and `update` leaves a symbolic link one.
"""

from __future__ import annotations

import base64
from datetime import datetime
from itertools import islice
from typing import Any, Final

from gitlab.exceptions import GitlabGetError
from msgspec import Struct

from receiver import limits
from receiver.outbound.gitlab.connection import Connection
from receiver.outbound.sdk_errors import translate_errors

_PAGE: Final = 100


class Head(Struct, frozen=True, kw_only=True):
    """A commit that a branch stands on, or stood on."""

    sha: str
    parents: tuple[str, ...]
    message: str


class Landed(Struct, frozen=True, kw_only=True):
    """A commit that came to a branch."""

    sha: str
    message: str
    at: datetime
    """When it was committed."""


class TreeEntry(Struct, frozen=True, kw_only=True):
    """What a folder of a commit holds under one name."""

    path: str
    name: str
    is_folder: bool
    mode: str
    """Git's, six octal digits."""
    id: str
    """Of the blob; of a folder its tree."""


class Action(Struct, frozen=True, kw_only=True):
    """One step of a commit."""

    action: str
    """create, update, delete or chmod."""
    path: str
    content: bytes | None = None
    executable: bool | None = None
    last_change: str | None = None
    """The last commit that changed the file, as far as is known: when there is another, GitLab refuses."""


class Commits:
    """Commits of repositories."""

    def __init__(self, connection: Connection) -> None:
        self._api = connection.api

    def head(self, project_id: int, branch: str) -> Head | None:
        """Return the commit that a branch stands on; None when there is no such branch."""
        with translate_errors("GitLab", f"looking up branch {branch}"):
            try:
                found = self._api.projects.get(project_id, lazy=True).branches.get(branch)
            except GitlabGetError as error:
                if error.response_code == 404:
                    return None
                raise
        return _head(found.commit)

    def commit(self, project_id: int, sha: str) -> Head:
        """Return a commit."""
        with translate_errors("GitLab", f"reading commit {sha[:12]}"):
            return _head(self._api.projects.get(project_id, lazy=True).commits.get(sha).attributes)

    def file(self, project_id: int, path: str, *, ref: str) -> bytes | None:
        """Return a file's bytes at a commit; None when there is no such file."""
        with translate_errors("GitLab", f"looking for {path}"):
            try:
                found = self._api.projects.get(project_id, lazy=True).files.get(path, ref=ref)
            except GitlabGetError as error:
                if error.response_code == 404:
                    return None
                raise
        return found.decode()

    def folder(self, project_id: int, folder: str, *, ref: str) -> tuple[TreeEntry, ...]:
        """Return what a folder of a commit holds, not what lies below that; nothing where there is no such folder."""
        with translate_errors("GitLab", f"listing {folder or 'the root'} at {ref[:12]}"):
            try:
                found = self._api.projects.get(project_id, lazy=True).repository_tree(
                    path=folder, ref=ref, get_all=True
                )
            except GitlabGetError as error:
                if error.response_code == 404:
                    return ()
                raise
        return tuple(
            TreeEntry(
                path=one["path"], name=one["name"], is_folder=one["type"] == "tree", mode=one["mode"], id=one["id"]
            )
            for one in found
        )

    def changed_paths(self, project_id: int, sha: str) -> frozenset[str]:
        """Return every path that a commit changes; of a renamed file both."""
        with translate_errors("GitLab", f"reading what {sha[:12]} changes"):
            diffs = self._api.projects.get(project_id, lazy=True).commits.get(sha, lazy=True).diff(get_all=True)
        return frozenset(diff[side] for diff in diffs for side in ("old_path", "new_path"))

    def last_change(self, project_id: int, path: str, *, ref: str) -> str:
        """Return the last commit that changed a file, as of a commit."""
        with translate_errors("GitLab", f"looking for {path}"):
            return str(self._api.projects.get(project_id, lazy=True).files.get(path, ref=ref).last_commit_id)

    def beyond(self, project_id: int, branch: str, *, sha: str) -> tuple[Head, ...] | None:
        """Return a commit and those below it that a branch does not have, newest first; None for more than a page."""
        with translate_errors("GitLab", f"listing the commits of {sha[:12]}"):
            found = self._api.projects.get(project_id, lazy=True).commits.list(
                ref_name=f"{branch}..{sha}", per_page=_PAGE, get_all=False
            )
        return tuple(_head(one.attributes) for one in found) if len(found) < _PAGE else None

    def since(self, project_id: int, branch: str, *, since: datetime) -> list[Landed]:
        """Return what was committed to a branch since a time, at most `limits.COMMITS_READ`, the newest first."""
        with translate_errors("GitLab", f"listing the commits of {branch}"):
            listed = self._api.projects.get(project_id, lazy=True).commits.list(
                ref_name=branch, since=since.isoformat(), iterator=True
            )
            return [
                Landed(sha=one.id, message=one.message, at=datetime.fromisoformat(one.committed_date))
                for one in islice(listed, limits.COMMITS_READ)
            ]

    def start(
        self,
        project_id: int,
        *,
        branch: str,
        at: str,
        message: str,
        actions: tuple[Action, ...],
        replaces: bool = False,
    ) -> str:
        """Make a branch of a commit and one more on top; return that commit's id.

        With `replaces` a branch that is there loses what it had; without, GitLab refuses.
        """
        data = {"start_sha": at, "force": replaces, "actions": [_action(action) for action in actions]}
        return self._commit(project_id, branch, message, data).sha

    def add(self, project_id: int, *, branch: str, message: str, actions: tuple[Action, ...]) -> Head:
        """Commit on whatever a branch stands on: its parents in the answer say on what."""
        data = {"actions": [_action(action) for action in actions]} | ({} if actions else {"allow_empty": True})
        return self._commit(project_id, branch, message, data)

    def _commit(self, project_id: int, branch: str, message: str, data: dict[str, Any]) -> Head:
        with translate_errors("GitLab", f"committing to {branch}"):
            made = self._api.projects.get(project_id, lazy=True).commits.create(
                data | {"branch": branch, "commit_message": message}
            )
        return _head(made.attributes)


def _head(commit: dict[str, Any]) -> Head:
    return Head(sha=commit["id"], parents=tuple(commit.get("parent_ids") or ()), message=commit.get("message") or "")


def _action(action: Action) -> dict[str, Any]:
    data: dict[str, Any] = {"action": action.action, "file_path": action.path}
    if action.content is not None:
        data |= {"content": base64.b64encode(action.content).decode(), "encoding": "base64"}
    if action.executable is not None:
        data["execute_filemode"] = action.executable
    if action.last_change is not None:
        data["last_commit_id"] = action.last_change
    return data
