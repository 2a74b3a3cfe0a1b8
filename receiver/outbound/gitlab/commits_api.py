"""Branches, files and commits in GitLab, as the writing bot sees and makes them. An adapter.

https://docs.gitlab.com/api/commits/: a mode is an action of its own (`chmod`), and `update` leaves a symbolic link one.
"""

from __future__ import annotations

import base64
from typing import Any

from gitlab.exceptions import GitlabGetError
from msgspec import Struct

from receiver.outbound.gitlab.connection import Connection
from receiver.outbound.sdk_errors import translate_errors


class Head(Struct, frozen=True, kw_only=True):
    """The commit that a branch stands on."""

    sha: str
    parents: tuple[str, ...]
    message: str


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
        commit = found.commit
        return Head(
            sha=commit["id"], parents=tuple(commit.get("parent_ids") or ()), message=commit.get("message") or ""
        )

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

    def commit(self, project_id: int, *, branch: str, start_sha: str, message: str, actions: tuple[Action, ...]) -> str:
        """Make the branch hold exactly `start_sha` and one commit on top; return that commit's id."""
        data = {
            "branch": branch,
            "start_sha": start_sha,
            "force": True,
            "commit_message": message,
            "actions": [_action(action) for action in actions],
        }
        with translate_errors("GitLab", f"committing to {branch}"):
            made = self._api.projects.get(project_id, lazy=True).commits.create(data)
        return str(made.id)


def _action(action: Action) -> dict[str, Any]:
    data: dict[str, Any] = {"action": action.action, "file_path": action.path}
    if action.content is not None:
        data |= {"content": base64.b64encode(action.content).decode(), "encoding": "base64"}
    if action.executable is not None:
        data["execute_filemode"] = action.executable
    return data
