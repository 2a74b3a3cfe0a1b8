"""The REST shapes of notes and of the emoji on them: what an API client reads. Changes nothing.

Field names follow lib/api/entities/note.rb and award_emoji.rb of GitLab.
"""

from sandbox.gitlab import entities
from sandbox.gitlab.hook_model import Json
from sandbox.gitlab.merge_request_model import Award, MergeRequest, Note
from sandbox.gitlab.state import State


def note(state: State, mr: MergeRequest, value: Note) -> Json:
    """Shape Note."""
    return {
        "id": value.id,
        "type": None,
        "body": value.body,
        "author": entities.user_basic(state, value.author_id),
        "created_at": entities.stamp(value.created_at),
        "updated_at": entities.stamp(value.updated_at),
        "system": value.system,
        "noteable_id": mr.id,
        "noteable_type": "MergeRequest",
        "project_id": mr.project_id,
        "resolvable": False,
        "confidential": value.internal,
        "internal": value.internal,
        "imported": False,
        "imported_from": "none",
        "noteable_iid": mr.iid,
        "commands_changes": {},
    }


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
