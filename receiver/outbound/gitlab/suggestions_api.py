"""Suggestions on the diff of a merge request in GitLab. An adapter; decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from gitlab import Gitlab
from gitlab.exceptions import GitlabError
from msgspec import Struct

from receiver.outbound.sdk_errors import translate_errors

_OUTDATED: Final = "changed this line in"
"""What GitLab writes itself into a thread whose line a push changed (SystemNotes::MergeRequestsService)."""
_AT_ONCE_S: Final = 5
"""Within these seconds of that note, the push resolved the thread (`resolve_outdated_diff_discussions`)."""


class DiffView(Struct, frozen=True, kw_only=True):
    """A merge request and the commits that its diff compares."""

    state: str
    source_branch: str
    target_branch: str
    base_sha: str
    start_sha: str
    head_sha: str


class SuggestionThread(Struct, frozen=True, kw_only=True):
    """A thread that our bot began."""

    id: str
    body: str
    is_resolved: bool
    by_person: bool
    """It was resolved, by somebody else, and not by a push."""
    is_appliable: bool
    is_applied: bool


class Line(Struct, frozen=True, kw_only=True):
    """A line of a diff."""

    path: str
    new: int
    old: int | None = None
    """Its number before; None: it is new."""


class Suggestions:
    """Suggestions as our bot sees and writes them."""

    def __init__(self, api: Gitlab, *, own: Callable[[], int]) -> None:
        """`own` says who our bot is."""
        self._api = api
        self._own = own

    def view(self, project_id: int, iid: int) -> DiffView:
        """Return a merge request with its diff's commits, as of the last time that GitLab reloaded it."""
        with translate_errors("GitLab", f"reading merge request !{iid}"):
            one = self._api.projects.get(project_id, lazy=True).mergerequests.get(iid)
        refs = one.diff_refs or {}
        return DiffView(
            state=one.state,
            source_branch=one.source_branch,
            target_branch=one.target_branch,
            base_sha=refs.get("base_sha") or "",
            start_sha=refs.get("start_sha") or "",
            head_sha=refs.get("head_sha") or "",
        )

    def threads(self, project_id: int, iid: int, marker: str) -> list[SuggestionThread]:
        """Return the threads that our bot began with a note that holds a marker, oldest first."""
        with translate_errors("GitLab", f"reading the threads of !{iid}"):
            found = self._of(project_id, iid).discussions.list(get_all=True)
        ours = [one for one in found if self._is_ours(one.attributes["notes"][0], marker)]
        return [self._thread(one.id, one.attributes["notes"]) for one in ours]

    def suggest(self, project_id: int, iid: int, body: str, *, at: Line, view: DiffView) -> bool:
        """Begin a thread on a line of the diff; False when the diff has no such line."""
        position = {
            "position_type": "text",
            "base_sha": view.base_sha,
            "start_sha": view.start_sha,
            "head_sha": view.head_sha,
            "old_path": at.path,
            "new_path": at.path,
            "new_line": at.new,
        } | ({} if at.old is None else {"old_line": at.old})
        with translate_errors("GitLab", f"suggesting on !{iid}"):
            try:
                self._of(project_id, iid).discussions.create({"body": body, "position": position})
            except GitlabError as error:
                if error.response_code == 400 and "line_code" in str(error.error_message):
                    return False
                raise
        return True

    def begin(self, project_id: int, iid: int, body: str) -> None:
        """Begin a thread that stands on no line."""
        with translate_errors("GitLab", f"writing a note on !{iid}"):
            self._of(project_id, iid).discussions.create({"body": body})

    def resolve(self, project_id: int, iid: int, thread: str) -> None:
        """Resolve a thread; one that is gone is as good."""
        with translate_errors("GitLab", f"resolving a thread of !{iid}"):
            try:
                self._of(project_id, iid).discussions.update(thread, {"resolved": True})
            except GitlabError as error:
                if error.response_code != 404:
                    raise

    def is_draft(self, project_id: int, iid: int) -> bool:
        """Return whether a merge request is a draft."""
        with translate_errors("GitLab", f"reading merge request !{iid}"):
            return bool(self._api.projects.get(project_id, lazy=True).mergerequests.get(iid).draft)

    def is_protected(self, project_id: int, branch: str) -> bool:
        """Return whether a branch is protected."""
        with translate_errors("GitLab", f"looking up branch {branch}"):
            return bool(self._api.projects.get(project_id, lazy=True).branches.get(branch).protected)

    def _is_ours(self, note: dict[str, Any], marker: str) -> bool:
        return marker in (note.get("body") or "") and (note.get("author") or {}).get("id") == self._own()

    def _thread(self, thread: str, notes: list[dict[str, Any]]) -> SuggestionThread:
        first = notes[0]
        suggested = first.get("suggestions") or [{}]
        resolver = (first.get("resolved_by") or {}).get("id")
        return SuggestionThread(
            id=thread,
            body=first["body"],
            is_resolved=bool(first.get("resolved")),
            by_person=resolver not in {None, self._own()} and not _by_push(notes),
            is_appliable=bool(suggested[0].get("appliable")),
            is_applied=bool(suggested[0].get("applied")),
        )

    def _of(self, project_id: int, iid: int) -> Any:  # noqa: ANN401  # the package's types have no managers
        return self._api.projects.get(project_id, lazy=True).mergerequests.get(iid, lazy=True)


def _by_push(notes: list[dict[str, Any]]) -> bool:
    at = notes[0].get("resolved_at")
    if at is None:
        return False
    moved = (
        datetime.fromisoformat(one["created_at"]) for one in notes if one.get("system") and _OUTDATED in one["body"]
    )
    return any(abs((datetime.fromisoformat(at) - one).total_seconds()) <= _AT_ONCE_S for one in moved)
