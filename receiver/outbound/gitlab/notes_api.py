"""Notes on merge requests in GitLab, with their threads and reactions. An adapter; decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import islice, takewhile
from typing import Any

from gitlab import Gitlab
from gitlab.base import RESTObject
from gitlab.exceptions import GitlabError
from msgspec import Struct

from receiver import limits
from receiver.outbound.sdk_errors import translate_errors

_THUMBS = ("thumbsup", "thumbsdown")


class Note(Struct, frozen=True, kw_only=True):
    """A note on a merge request."""

    id: int
    author_id: int
    body: str
    is_internal: bool
    """Not everybody who sees the merge request sees it."""
    created_at: datetime
    is_changed: bool = False
    """It was edited since, or somebody reacted to it: GitLab moves one time for both."""
    is_system: bool = False
    """GitLab wrote it itself."""
    is_in_thread: bool = False


class MergeRequestNotes:
    """Notes as our bot sees and writes them."""

    def __init__(self, api: Gitlab, *, own: Callable[[], int]) -> None:
        """`own` says who our bot is."""
        self._api = api
        self._own = own

    def get(self, project_id: int, iid: int, note: int) -> Note | None:
        """Return a note as it is now; None when it was deleted, or is not for us to see."""
        with translate_errors("GitLab", f"reading note {note} on !{iid}"):
            try:
                return _note(self._of(project_id, iid).notes.get(note))
            except GitlabError as error:
                if error.response_code == 404:
                    return None
                raise

    def thread_of(self, project_id: int, iid: int, note: int) -> str:
        """Return the thread that a note stands in; empty when GitLab has none, or keeps them from us."""
        with translate_errors("GitLab", f"looking for the thread of note {note} on !{iid}"):
            try:
                threads = self._of(project_id, iid).discussions.list(iterator=True)
                found = (one.id for one in threads if any(int(n["id"]) == note for n in one.attributes["notes"]))
                return str(next(found, ""))
            except GitlabError as error:
                if error.response_code == 404:
                    return ""
                raise

    def since(self, project_id: int, iid: int, *, since: datetime) -> list[Note]:
        """Return the notes that people and bots wrote on a merge request since a time, oldest first."""
        with translate_errors("GitLab", f"reading the notes on !{iid}"):
            wanted = {"sort": "desc", "order_by": "created_at", "activity_filter": "only_comments"}
            listed = self._of(project_id, iid).notes.list(iterator=True, **wanted)
            newest_first = map(_note, islice(listed, limits.NOTES_READ))
            return list(takewhile(lambda note: note.created_at >= since, newest_first))[::-1]

    def with_marker(self, project_id: int, iid: int, marker: str) -> list[int]:
        """Return our notes on a merge request that hold a marker, oldest first; anybody can paste a marker."""
        with translate_errors("GitLab", f"reading the notes on !{iid}"):
            found = self._of(project_id, iid).notes.list(sort="asc", order_by="created_at", get_all=True)
        return [int(note.id) for note in found if marker in note.body and (note.author or {}).get("id") == self._own()]

    def thumbs(self, project_id: int, iid: int, note: int) -> dict[str, bool]:
        """Return who gave a note a thumb, and whether it points up; both count as none. Leaves our bot out.

        A note that is gone has none.
        """
        with translate_errors("GitLab", f"reading what people think of note {note} on !{iid}"):
            try:
                given = self._of(project_id, iid).notes.get(note, lazy=True).awardemojis.list(get_all=True)
            except GitlabError as error:
                if error.response_code == 404:
                    return {}
                raise
        people = [one for one in given if one.user["id"] != self._own()]
        up, down = ({str(one.user["username"]) for one in people if one.name == name} for name in _THUMBS)
        return {user: user in up for user in up ^ down}

    def add(self, project_id: int, iid: int, body: str, *, discussion: str = "") -> int:
        """Write a note on a merge request, in a thread where one is given, and return its id.

        A thread that is gone gets no answer; the merge request itself does.
        """
        request, data = self._of(project_id, iid), {"body": body}
        with translate_errors("GitLab", f"writing a note on !{iid}"):
            if discussion:
                try:
                    return int(request.discussions.get(discussion, lazy=True).notes.create(data).id)
                except GitlabError as error:
                    if error.response_code != 404:
                        raise
            return int(request.notes.create(data).id)

    def edit(self, project_id: int, iid: int, note: int, body: str) -> bool:
        """Replace a note's text; False when somebody deleted it."""
        with translate_errors("GitLab", f"editing note {note} on !{iid}"):
            return _unless_gone(lambda: self._of(project_id, iid).notes.update(note, {"body": body}))

    def react(self, project_id: int, iid: int, note: int, emoji: str) -> bool:
        """React to a note; False when it is gone, or has our reaction already (GitLab says 404 of both)."""
        with translate_errors("GitLab", f"reacting to note {note} on !{iid}"):
            award = self._of(project_id, iid).notes.get(note, lazy=True).awardemojis
            return _unless_gone(lambda: award.create({"name": emoji}))

    def _of(self, project_id: int, iid: int) -> Any:  # noqa: ANN401  # the package's types have no managers
        return self._api.projects.get(project_id, lazy=True).mergerequests.get(iid, lazy=True)


def _unless_gone(act: Callable[[], object]) -> bool:
    try:
        act()
    except GitlabError as error:
        if error.response_code == 404:
            return False
        raise
    return True


def _note(one: RESTObject) -> Note:
    created = datetime.fromisoformat(one.created_at)
    return Note(
        id=int(one.id),
        author_id=int(one.author["id"]),
        body=one.body or "",
        is_internal=bool(getattr(one, "internal", False) or getattr(one, "confidential", False)),
        created_at=created,
        is_changed=datetime.fromisoformat(one.updated_at) > created,
        is_system=bool(one.system),
        is_in_thread=getattr(one, "type", None) is not None,
    )
