"""What was said on a merge request, as its page shows it: threads, suggestions, emoji."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sandbox.gitlab import suggestions, threads
from sandbox.gitlab.merge_request_model import Award, MergeRequest, Note, Suggestion
from sandbox.gitlab.model import Project
from sandbox.gitlab_pages.frame import Pages
from sandbox.gitlab_pages.markdown import render


def shown(pages: Pages, project: Project, mr: MergeRequest) -> list[dict[str, Any]]:
    """Give the threads, oldest first; a note on its own is a thread of one."""
    return [_thread(pages, project, mr, one) for one in threads.threads(mr.notes)]


def _thread(pages: Pages, project: Project, mr: MergeRequest, notes: list[Note]) -> dict[str, Any]:
    position = notes[0].position
    settled = [one for one in notes if one.resolved_at is not None]
    return {
        "notes": [_note(pages, project, mr, one) for one in notes],
        "is_thread": any(map(threads.resolvable, notes)),
        "resolved_by": pages.person(settled[-1].resolved_by_id)
        if threads.is_resolved(notes) and settled[-1].resolved_by_id
        else None,
        "resolved": threads.is_resolved(notes),
        "place": position and f"{position.new_path}, line {position.new_line or position.old_line}",
        "outdated": notes[0].change_position is not None,
    }


def _note(pages: Pages, project: Project, mr: MergeRequest, note: Note) -> dict[str, Any]:
    body = suggestions.without_blocks(note) if note.suggestions else note.body
    return {
        "id": note.id,
        "system": note.system,
        "internal": note.internal,
        "author": pages.person(note.author_id),
        "body": note.body if note.system else render(body, uploads=f"/-/project/{project.id}"),
        "created": pages.moment(note.created_at),
        "edited": pages.moment(note.updated_at) if note.updated_at != note.created_at else None,
        "awards": awards(note.awards),
        "suggestions": [
            {
                "removed": one.from_content.splitlines(),
                "added": one.to_content.splitlines(),
                "line": suggestions.from_line(note, one),
                "state": _state(mr, note, one),
            }
            for one in note.suggestions
        ],
    }


def _state(mr: MergeRequest, note: Note, one: Suggestion) -> str:
    if one.applied:
        return "Applied"
    return "" if suggestions.inapplicable_reason(mr, note, one) is None else "Can't be applied"


def awards(given: Sequence[Award]) -> list[tuple[str, int]]:
    """Count emoji by name, in the order in which they came."""
    return list(Counter(one.name for one in given).items())
