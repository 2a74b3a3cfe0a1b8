"""Projects, merge requests and uploads in GitLab. An adapter."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gitlab.base import RESTObject
from msgspec import Struct
from msgspec.structs import replace

from pipelines.language import ProjectPath
from receiver.outbound.errors import RefusedError
from receiver.outbound.gitlab.connection import Connection
from receiver.outbound.gitlab.members import Users
from receiver.outbound.gitlab.notes_api import MergeRequestNotes
from receiver.outbound.gitlab.suggestions_api import Suggestions
from receiver.outbound.sdk_errors import translate_errors

_APPROVED = "approved this merge request"
"""What GitLab writes itself when somebody approves."""


class Project(Struct, frozen=True, kw_only=True):
    """A repository's project."""

    id: int
    path: ProjectPath
    default_branch: str
    url: str
    is_archived: bool = False
    ci_config_path: str = ""
    """The setting *CI/CD configuration file*; empty: `.gitlab-ci.yml`."""


class HeadPipeline(Struct, frozen=True, kw_only=True):
    """The newest pipeline of a merge request's head, of the repository's own."""

    id: int
    status: str
    source: str
    url: str
    ref: str
    sha: str
    created_at: datetime | None


class MergeRequest(Struct, frozen=True, kw_only=True):
    """A merge request as GitLab answers."""

    project_id: int
    iid: int
    url: str
    state: str
    sha: str
    source_branch: str
    source_project_id: int | None
    """Another than `project_id` in a merge request of a fork; None when the fork is gone."""
    target_branch: str
    author_id: int | None
    reviewer_ids: tuple[int, ...] = ()
    merge_commit_sha: str = ""
    merged_by: str = ""
    head_pipeline: HeadPipeline | None = None
    """Told of a single merge request only, not in lists."""
    updated_at: datetime | None = None


class Repositories:
    """Repositories as the writing bot sees and changes them."""

    def __init__(self, connection: Connection) -> None:
        self._api = connection.api
        self._connection = connection
        self._bot: int | None = None
        self.users = Users(connection.api)
        self.notes = MergeRequestNotes(connection.api, own=lambda: self.bot)
        self.suggestions = Suggestions(connection.api, own=lambda: self.bot)

    @property
    def bot(self) -> int:
        """The user that everything here is written as; asked for once."""
        if self._bot is None:
            self._bot = self._connection.user_id()
        return self._bot

    def project(self, path: ProjectPath) -> Project:
        """Return a project by its path. Raises RefusedError for one without a repository, or with an empty one.

        GitLab leaves out the default branch where the repository is switched off or not for us to see.
        """
        with translate_errors("GitLab", f"looking up {path}"):
            found = self._api.projects.get(path)
        branch = getattr(found, "default_branch", None)
        if not branch:
            raise RefusedError(f"{path} has no repository that our bot can read: it is switched off, or empty.")
        is_archived = bool(getattr(found, "archived", False))
        return Project(
            id=int(found.id),
            path=path,
            default_branch=branch,
            url=found.web_url,
            is_archived=is_archived,
            ci_config_path=getattr(found, "ci_config_path", None) or "",
        )

    def merge_requests_of(self, project_id: int, branch: str) -> list[MergeRequest]:
        """Return the open merge requests of the project's branch, the newest first.

        Skips those of branches with the same name in forks, which GitLab lists too.
        """
        with translate_errors("GitLab", f"looking for the merge request of {branch}"):
            found = self._api.projects.get(project_id, lazy=True).mergerequests.list(
                source_branch=branch, state="opened", order_by="created_at", sort="desc", get_all=True
            )
        requests = (_merge_request(one, project_id) for one in found)
        return [r for r in requests if (r.source_project_id, r.source_branch) == (project_id, branch)]

    def merge_request_of(self, project_id: int, *, branch: str, target: str) -> MergeRequest | None:
        """Return the newest open merge request of the project's branch into `target`, or None."""
        found = self.merge_requests_of(project_id, branch)
        return next((one for one in found if one.target_branch == target), None)

    def merge_request(self, project_id: int, iid: int) -> MergeRequest:
        """Return a merge request."""
        with translate_errors("GitLab", f"reading merge request !{iid}"):
            return _merge_request(self._api.projects.get(project_id, lazy=True).mergerequests.get(iid), project_id)

    def merge_requests(self, project_id: int, iids: Sequence[int]) -> list[MergeRequest]:
        """Return those of a project's merge requests that have these numbers."""
        with translate_errors("GitLab", f"reading the merge requests of project {project_id}"):
            found = self._api.projects.get(project_id, lazy=True).mergerequests.list(iids=list(iids), get_all=True)
        return [_merge_request(one, project_id) for one in found]

    def open_merge_request(
        self,
        project_id: int,
        *,
        branch: str,
        target: str,
        title: str,
        description: str,
        labels: tuple[str, ...],
        reviewers: tuple[int, ...],
    ) -> MergeRequest:
        """Open a merge request. GitLab's free tier takes the first of the reviewers."""
        data = {
            "source_branch": branch,
            "target_branch": target,
            "title": title,
            "description": description,
            "labels": list(labels),
            "reviewer_ids": list(reviewers),
            "remove_source_branch": True,
        }
        with translate_errors("GitLab", f"opening the merge request of {branch}"):
            made = self._api.projects.get(project_id, lazy=True).mergerequests.create(data)
        return _merge_request(made, project_id)

    def describe(
        self, there: MergeRequest, *, title: str, description: str, reviewers: tuple[int, ...]
    ) -> MergeRequest:
        """Replace title and description of a merge request; reviewers only where it has none: people choose theirs."""
        data: dict[str, Any] = {"title": title, "description": description}
        if reviewers and not there.reviewer_ids:
            data["reviewer_ids"] = list(reviewers)
        with translate_errors("GitLab", f"updating merge request !{there.iid}"):
            made = self._api.projects.get(there.project_id, lazy=True).mergerequests.update(there.iid, data)
        return replace(there, reviewer_ids=_reviewers(made.get("reviewers")))

    def approvals(self, project_id: int, iid: int) -> tuple[dict[int, str], bool]:
        """Return the users, id and name, who approve a merge request, and whether it needs no more of them."""
        with translate_errors("GitLab", f"reading who approved !{iid}"):
            request = self._api.projects.get(project_id, lazy=True).mergerequests.get(iid, lazy=True)
            found = request.approvals.get()
        by = {int(one["user"]["id"]): str(one["user"]["username"]) for one in found.approved_by}
        return by, bool(found.approved)

    def approved_at(self, project_id: int, iid: int) -> dict[int, datetime]:
        """Return when each user's approval was given, of those of whom GitLab says so.

        Newer versions tell it with the approval; of older ones the note that GitLab writes itself is read.
        """
        with translate_errors("GitLab", f"reading when !{iid} was approved"):
            request = self._api.projects.get(project_id, lazy=True).mergerequests.get(iid, lazy=True)
            given = request.approvals.get().approved_by
            notes = () if all(one.get("approved_at") for one in given) else request.notes.list(get_all=True)
        noted: dict[int, datetime] = {}
        for note in notes:
            if note.system and note.body == _APPROVED:
                user, at = int(note.author["id"]), datetime.fromisoformat(note.created_at)
                noted[user] = max(at, noted.get(user, at))
        said = {int(one["user"]["id"]): one.get("approved_at") for one in given}
        return noted | {user: datetime.fromisoformat(at) for user, at in said.items() if at}

    def pushed_at(self, project_id: int, iid: int, *, head: str) -> datetime | None:
        """Return when a merge request last got a head, by GitLab's clock; None when GitLab does not know."""
        with translate_errors("GitLab", f"reading when !{iid} got its commit"):
            request = self._api.projects.get(project_id, lazy=True).mergerequests.get(iid, lazy=True)
            found = request.diffs.list(get_all=True)
        times = [datetime.fromisoformat(one.created_at) for one in found if one.head_commit_sha == head]
        return max(times, default=None)

    def upload(self, project_id: int, *, filename: str, content: bytes) -> str:
        """Upload a file to a project and return the Markdown that shows it."""
        with translate_errors("GitLab", f"uploading {filename}"):
            made = self._api.projects.get(project_id, lazy=True).upload(filename, filedata=content)
        return str(made["markdown"])


def _merge_request(one: RESTObject, project_id: int) -> MergeRequest:
    author = one.author or {}
    return MergeRequest(
        project_id=project_id,
        iid=int(one.iid),
        url=one.web_url,
        state=one.state,
        sha=one.sha or "",
        source_branch=one.source_branch,
        source_project_id=one.source_project_id,
        target_branch=one.target_branch,
        author_id=author.get("id"),
        reviewer_ids=_reviewers(getattr(one, "reviewers", None)),
        merge_commit_sha=getattr(one, "merge_commit_sha", None) or "",
        merged_by=(getattr(one, "merge_user", None) or {}).get("username", ""),
        head_pipeline=head_pipeline(getattr(one, "head_pipeline", None)),
        updated_at=datetime.fromisoformat(one.updated_at) if "updated_at" in one.attributes else None,
    )


def head_pipeline(one: dict[str, Any] | None) -> HeadPipeline | None:
    """Return the pipeline that a merge request shows."""
    if not one:
        return None
    created = one.get("created_at")
    return HeadPipeline(
        id=int(one["id"]),
        status=one["status"],
        source=one.get("source") or "",
        url=one.get("web_url") or "",
        ref=one.get("ref") or "",
        sha=one.get("sha") or "",
        created_at=datetime.fromisoformat(created) if created else None,
    )


def _reviewers(people: list[dict[str, Any]] | None) -> tuple[int, ...]:
    return tuple(int(person["id"]) for person in people or ())
