"""Merging in GitLab: how a merge request stands, who pushed to it and when, and the merge itself. An adapter."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from gitlab import Gitlab
from gitlab.exceptions import GitlabError
from msgspec import Struct

from receiver.outbound.gitlab.connection import Connection
from receiver.outbound.gitlab.repositories_api import HeadPipeline, head_pipeline
from receiver.outbound.sdk_errors import translate_errors

_PUSHED: Final = re.compile(r"added \d+ commits?\b")
"""What GitLab writes itself when somebody pushes to an open merge request (SystemNotes::CommitService)."""

ANSWERS: Final = frozenset({400, 401, 403, 405, 406, 409, 422})
"""Codes by which GitLab says that it does not merge; others are errors."""


class MergeView(Struct, frozen=True, kw_only=True):
    """A merge request as GitLab sees its merge."""

    project_id: int
    iid: int
    state: str
    sha: str
    status: str
    """`detailed_merge_status`; empty: this GitLab tells none."""
    is_draft: bool
    is_rebasing: bool
    source_branch: str
    target_branch: str
    may_merge: bool
    merge_error: str
    merged_by: int | None
    merged_by_name: str
    merge_commit_sha: str
    pipeline: HeadPipeline | None


class Given(Struct, frozen=True, kw_only=True):
    """An approval that stands."""

    user: int
    name: str


class ApprovalView(Struct, frozen=True, kw_only=True):
    """Who approves, and what GitLab's rules want; without rules 0."""

    given: tuple[Given, ...]
    required: int
    left: int


class Version(Struct, frozen=True, kw_only=True):
    """A head that a merge request had."""

    head: str
    at: datetime
    patch_id: str
    """The same for the same change wherever it begins; empty: not told."""


class Talk(Struct, frozen=True, kw_only=True):
    """What notes say."""

    open_threads: int
    pushers: tuple[int, ...]
    """Who pushed while it was open, oldest first."""


class Refusal(Struct, frozen=True, kw_only=True):
    """GitLab does not merge."""

    code: int
    text: str


class MergeRequestMerging:
    """Merge requests as the bot sees them that merges."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._api: Gitlab = connection.api
        self._bot: int | None = None

    @property
    def bot(self) -> int:
        """The user that merges; asked for once."""
        if self._bot is None:
            self._bot = self._connection.user_id()
        return self._bot

    def view(self, project_id: int, iid: int) -> MergeView:
        """Return how a merge request stands."""
        with translate_errors("GitLab", f"reading merge request !{iid}"):
            one = self._api.projects.get(project_id, lazy=True).mergerequests.get(iid, include_rebase_in_progress=True)
        merged_by = getattr(one, "merge_user", None) or {}
        return MergeView(
            project_id=project_id,
            iid=iid,
            state=one.state,
            sha=one.sha or "",
            status=getattr(one, "detailed_merge_status", None) or "",
            is_draft=bool(one.draft),
            is_rebasing=bool(getattr(one, "rebase_in_progress", False)),
            source_branch=one.source_branch,
            target_branch=one.target_branch,
            may_merge=bool((getattr(one, "user", None) or {}).get("can_merge")),
            merge_error=getattr(one, "merge_error", None) or "",
            merged_by=merged_by.get("id"),
            merged_by_name=merged_by.get("username", ""),
            merge_commit_sha=getattr(one, "merge_commit_sha", None) or "",
            pipeline=head_pipeline(getattr(one, "head_pipeline", None)),
        )

    def approvals(self, project_id: int, iid: int) -> ApprovalView:
        """Return who approves a merge request, and how many GitLab's rules want; the free tier has no rules."""
        with translate_errors("GitLab", f"reading who approved !{iid}"):
            found = self._request(project_id, iid).approvals.get()
        return ApprovalView(
            given=tuple(
                Given(user=int(one["user"]["id"]), name=str(one["user"]["username"])) for one in found.approved_by
            ),
            required=int(getattr(found, "approvals_required", None) or 0),
            left=int(getattr(found, "approvals_left", None) or 0),
        )

    def versions(self, project_id: int, iid: int) -> list[Version]:
        """Return the heads that a merge request had, the newest first."""
        with translate_errors("GitLab", f"reading the versions of !{iid}"):
            found = self._request(project_id, iid).diffs.list(get_all=True)
        return [
            Version(
                head=one.head_commit_sha,
                at=datetime.fromisoformat(one.created_at),
                patch_id=getattr(one, "patch_id_sha", None) or "",
            )
            for one in sorted(found, key=lambda one: int(one.id), reverse=True)
        ]

    def talk(self, project_id: int, iid: int) -> Talk:
        """Return how many threads are open, and who pushed, as GitLab's own notes say."""
        with translate_errors("GitLab", f"reading the threads of !{iid}"):
            threads = self._request(project_id, iid).discussions.list(get_all=True)
        notes = [note for thread in threads for note in thread.attributes["notes"]]
        is_open = [
            any(note.get("resolvable") and not note.get("resolved") for note in thread.attributes["notes"])
            for thread in threads
        ]
        pushed = [note for note in notes if note.get("system") and _PUSHED.match(note["body"])]
        pushed.sort(key=lambda note: int(note["id"]))
        return Talk(open_threads=sum(is_open), pushers=tuple(int(note["author"]["id"]) for note in pushed))

    def uses_trains(self, project_id: int) -> bool:
        """Return whether the project merges by merge trains."""
        with translate_errors("GitLab", f"reading project {project_id}"):
            return bool(getattr(self._api.projects.get(project_id), "merge_trains_enabled", False))

    def train(self, project_id: int, iid: int) -> str | None:
        """Return the status of a merge request's car on the merge train; None when it has none."""
        with translate_errors("GitLab", f"looking for !{iid} on the merge train"):
            try:
                found: Any = self._api.http_get(f"/projects/{project_id}/merge_trains/merge_requests/{iid}")
            except GitlabError as error:
                if error.response_code == 404:
                    return None
                raise
        return str(found["status"])

    def merge(self, project_id: int, iid: int, *, sha: str) -> Refusal | None:
        """Merge a merge request if this still is its head; return what GitLab says against it."""
        return _asked(f"merging !{iid}", lambda: self._request(project_id, iid).merge(sha=sha))

    def board(self, project_id: int, iid: int, *, sha: str) -> Refusal | None:
        """Put a merge request on its merge train if this still is its head; return what GitLab says against it."""
        path = f"/projects/{project_id}/merge_trains/merge_requests/{iid}"
        return _asked(f"putting !{iid} on the merge train", lambda: self._api.http_post(path, post_data={"sha": sha}))

    def rebase(self, project_id: int, iid: int) -> Refusal | None:
        """Let GitLab begin to rebase a merge request's branch onto its target; return what it says against it."""
        return _asked(f"rebasing !{iid}", self._request(project_id, iid).rebase)

    def protection(self, project_id: int, branch: str) -> tuple[bool, bool]:
        """Return whether a branch is protected, and whether developers may merge into it all the same."""
        with translate_errors("GitLab", f"looking up branch {branch}"):
            found = self._api.projects.get(project_id, lazy=True).branches.get(branch)
        return bool(found.protected), bool(found.developers_can_merge)

    def _request(self, project_id: int, iid: int) -> Any:  # noqa: ANN401  # the package's types have no managers
        return self._api.projects.get(project_id, lazy=True).mergerequests.get(iid, lazy=True)


def _asked(doing: str, ask: Callable[[], object]) -> Refusal | None:
    with translate_errors("GitLab", doing):
        try:
            ask()
        except GitlabError as error:
            if error.response_code in ANSWERS:
                return Refusal(code=error.response_code, text=str(error.error_message)[:500])
            raise
    return None
