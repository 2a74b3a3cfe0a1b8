"""What hooks say of notes and of emoji: GitLab's payload shapes (Gitlab::HookData::NoteBuilder, DataBuilder::Emoji)."""

from sandbox.gitlab import conversation
from sandbox.gitlab.hook_model import Json
from sandbox.gitlab.merge_request_model import Award, MergeRequest, Note, Position
from sandbox.gitlab.model import Project, User
from sandbox.gitlab.payloads import Told, merge_request_attributes, project, repository, user, utc
from sandbox.gitlab.state import State


def _note_url(state: State, one: Project, mr: MergeRequest, value: Note) -> str:
    return f"{state.url}/{one.path_with_namespace}/-/merge_requests/{mr.iid}#note_{value.id}"


def _note_attributes(state: State, one: Project, mr: MergeRequest, value: Note) -> Json:
    return {
        "id": value.id,
        "note": value.body,
        "description": value.body,
        "noteable_type": "MergeRequest",
        "noteable_id": mr.id,
        "author_id": value.author_id,
        "created_at": utc(value.created_at),
        "updated_at": utc(value.updated_at),
        "project_id": one.id,
        "discussion_id": value.discussion_id,
        "attachment": None,
        "line_code": value.line_code,
        "commit_id": None,
        "position": _position(value.position),
        "original_position": _position(value.original_position),
        "change_position": _position(value.change_position),
        "type": value.type.value,
        "resolved_at": utc(value.resolved_at),
        "resolved_by_id": value.resolved_by_id,
        "resolved_by_push": value.resolved_by_push,
        "updated_by_id": None,
        "internal": value.internal,
        "system": value.system,
        "st_diff": None,
        "url": _note_url(state, one, mr, value),
    }


def _position(value: Position | None) -> Json | None:
    shape = conversation.position(value)
    return None if shape is None else {**shape, "ignore_whitespace_change": False}


def _merge_request_of_note(state: State, one: Project, mr: MergeRequest, told: Told) -> Json:
    return {
        key: content
        for key, content in merge_request_attributes(state, one, mr, told).items()
        if key not in {"merge_params", "merge_user_id", "merge_when_pipeline_succeeds"}
    }


def note(state: State, one: Project, mr: MergeRequest, value: Note, actor: User, *, action: str, told: Told) -> Json:
    """Shape the Note Hook of a merge request's note; edits come with action `update`."""
    return {
        "object_kind": "note",
        "event_type": "confidential_note" if value.internal else "note",
        "user": user(actor),
        "project_id": one.id,
        "project": project(state, one),
        "repository": repository(state, one),
        "object_attributes": {**_note_attributes(state, one, mr, value), "action": action},
        "merge_request": _merge_request_of_note(state, one, mr, told),
    }


def emoji(
    state: State,
    one: Project,
    mr: MergeRequest,
    on_note: Note | None,
    award: Award,
    actor: User,
    *,
    action: str,
    told: Told,
) -> Json:
    """Shape the Emoji Hook; `note` is there when the emoji is on one."""
    request_url = f"{state.url}/{one.path_with_namespace}/-/merge_requests/{mr.iid}"
    return {
        "object_kind": "emoji",
        "event_type": action,
        "user": user(actor),
        "project_id": one.id,
        "project": project(state, one),
        "object_attributes": {
            "user_id": award.user_id,
            "created_at": utc(award.created_at),
            "id": award.id,
            "name": award.name,
            "awardable_type": "MergeRequest" if on_note is None else "Note",
            "awardable_id": mr.id if on_note is None else on_note.id,
            "updated_at": utc(award.created_at),
            "action": action,
            "awarded_on_url": request_url if on_note is None else _note_url(state, one, mr, on_note),
        },
        **({} if on_note is None else {"note": _note_attributes(state, one, mr, on_note)}),
        "merge_request": merge_request_attributes(state, one, mr, told),
    }
