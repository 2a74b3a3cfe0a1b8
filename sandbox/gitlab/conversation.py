"""The REST shapes of notes, of their threads and of the emoji on them: what an API client reads. Changes nothing.

Field names follow lib/api/entities/note.rb, discussion.rb and award_emoji.rb of GitLab.
"""

from collections.abc import Sequence

from sandbox.gitlab import entities, suggestions, threads
from sandbox.gitlab.hook_model import Json
from sandbox.gitlab.merge_request_model import Award, DiffRefs, MergeRequest, Note, NoteType, Position, Suggestion
from sandbox.gitlab.state import State


def note(state: State, mr: MergeRequest, value: Note) -> Json:
    """Shape Note; what only notes of threads and notes on the diff have is left out of the others."""
    resolvable = threads.resolvable(value)
    return {
        "id": value.id,
        "type": value.type.value,
        "body": value.body,
        "attachment": None,
        "author": entities.user_basic(state, value.author_id),
        "created_at": entities.stamp(value.created_at),
        "updated_at": entities.stamp(value.updated_at),
        "system": value.system,
        "noteable_id": mr.id,
        "noteable_type": "MergeRequest",
        "project_id": mr.project_id,
        **({} if value.type is not NoteType.DIFF else {"commit_id": None, "position": position(value.position)}),
        "resolvable": resolvable,
        **(_resolution(state, value) if resolvable else {}),
        **({} if value.type is not NoteType.DIFF else _suggestions(mr, value)),
        "confidential": value.internal,
        "internal": value.internal,
        "imported": False,
        "imported_from": "none",
        "noteable_iid": mr.iid,
        "commands_changes": {},
    }


def _suggestions(mr: MergeRequest, value: Note) -> Json:
    return {"suggestions": [suggestion(mr, value, one) for one in value.suggestions]}


def suggestion(mr: MergeRequest, value: Note, one: Suggestion) -> Json:
    """Shape Suggestion; GitLab's page calls the field `applicable`, its code `appliable`."""
    return {
        "id": one.id,
        "from_line": suggestions.from_line(value, one),
        "to_line": suggestions.to_line(value, one),
        "appliable": suggestions.inapplicable_reason(mr, value, one) is None,
        "applied": one.applied,
        "from_content": one.from_content,
        "to_content": one.to_content,
    }


def _resolution(state: State, value: Note) -> Json:
    return {
        "resolved": value.resolved_at is not None,
        "resolved_by": entities.user_basic(state, value.resolved_by_id),
        "resolved_at": entities.stamp(value.resolved_at),
    }


def discussion(state: State, mr: MergeRequest, thread: Sequence[Note]) -> Json:
    """Shape Discussion."""
    return {
        "id": thread[0].discussion_id,
        "individual_note": thread[0].type is NoteType.COMMENT,
        "notes": [note(state, mr, one) for one in thread],
    }


def position(value: Position | None) -> Json | None:
    """Shape a note's position; hooks tell `ignore_whitespace_change` as well."""
    if value is None:
        return None
    return {
        **diff_refs(value.refs),
        "old_path": value.old_path,
        "new_path": value.new_path,
        "position_type": "text",
        "old_line": value.old_line,
        "new_line": value.new_line,
        "line_range": value.line_range,
    }


def diff_refs(value: DiffRefs) -> Json:
    """Shape DiffRefs."""
    return {"base_sha": value.base_sha, "start_sha": value.start_sha, "head_sha": value.head_sha}


def award(state: State, value: Award, on: MergeRequest | Note) -> Json:
    """Shape AwardEmoji."""
    return {
        "id": value.id,
        "name": value.name,
        "user": entities.user_basic(state, value.user_id),
        "created_at": entities.stamp(value.created_at),
        "updated_at": entities.stamp(value.created_at),
        "awardable_id": on.id,
        "awardable_type": type(on).__name__,
        "url": None,
    }
