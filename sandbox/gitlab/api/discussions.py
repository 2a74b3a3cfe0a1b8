"""Discussions: threads, plain ones and on lines of the diff; replying, resolving (lib/api/discussions.rb)."""

from dataclasses import replace
from typing import Literal

import msgspec

from sandbox.gitlab import activity, conversation, positions, suggestions, threads
from sandbox.gitlab.api.given import names, parse, required
from sandbox.gitlab.api.merge_requests import find
from sandbox.gitlab.api.notes import checked, edit, editable, note_of, remove, visible
from sandbox.gitlab.auth import JobToken
from sandbox.gitlab.merge_request_model import DiffRefs, MergeRequest, Note, NoteType, Position
from sandbox.gitlab.model import Access, Project, User
from sandbox.gitlab.paging import PAGE, page
from sandbox.gitlab.repository import Repository
from sandbox.gitlab.state import State
from sandbox.http import HttpError, Request, Response, Route

NO_SUCH_LINE = {"message": '400 Bad request - Note {:line_code=>["can\'t be blank", "must be a valid line code"]}'}


class Place(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of a diff."""

    base_sha: str
    start_sha: str
    head_sha: str
    position_type: Literal["text"]
    """Notes on pictures and on whole files are refused by name."""
    old_path: str = ""
    new_path: str = ""
    old_line: int | None = None
    new_line: int | None = None
    line_range: dict[str, object] | None = None


class NewDiscussion(msgspec.Struct, frozen=True, kw_only=True):
    """The first note of a thread."""

    body: str
    position: Place | None = None


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A note in a thread."""

    body: str


class EditOfNote(msgspec.Struct, frozen=True, kw_only=True):
    """Either the text or whether it is resolved."""

    body: str | None = None
    resolved: bool | None = None


class Resolution(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a thread is resolved."""

    resolved: bool


def listed(state: State, request: Request) -> Response:
    """List discussions, oldest first."""
    project, user, mr = find(state, request, job_token=JobToken.ACCEPTED)
    found = threads.threads(visible(state, project, user, mr))
    return page(request, found, lambda thread: conversation.discussion(state, mr, thread), base_url=state.url)


def _thread(
    state: State, request: Request, *, job_token: JobToken = JobToken.REFUSED
) -> tuple[Project, User, MergeRequest, list[Note]]:
    project, user, mr = find(state, request, job_token=job_token)
    wanted = request.params["discussion_id"]
    found = [note for note in visible(state, project, user, mr) if note.discussion_id == wanted]
    if not found:
        raise HttpError(404, {"message": "404 Discussion Not Found"})
    return project, user, mr, found


def get(state: State, request: Request) -> Response:
    """Give one discussion."""
    _, _, mr, thread = _thread(state, request, job_token=JobToken.ACCEPTED)
    return Response.json(conversation.discussion(state, mr, thread))


def notes(state: State, request: Request) -> Response:
    """List the notes of a discussion, oldest first."""
    _, _, mr, thread = _thread(state, request, job_token=JobToken.ACCEPTED)
    return Response.json([conversation.note(state, mr, one) for one in thread])


async def create(state: State, request: Request) -> Response:
    """Start a thread."""
    project, user, mr = find(state, request)
    new = parse(request, NewDiscussion)
    body = checked(new.body)
    async with project.lock:
        placed = None if new.position is None else await _placed(project, new.position)
        kind = NoteType.DISCUSSION if placed is None else NoteType.DIFF
        note = activity.add_note(state, mr, user, body, kind=kind)
        if placed is not None:
            note.original_position, note.line_code = placed
            await _bring_up_to_date(project, mr, note, placed[0])
            await suggestions.make(state, project, note)
        mr.updated_at = state.now()
        await activity.note_changed(state, project, mr, note, user, action="create")
    return Response.json(conversation.discussion(state, mr, [note]), status=201)


async def _placed(project: Project, given: Place) -> tuple[Position, str]:
    """Find the line of a diff, or refuse as GitLab does: it must be one of a file that the diff changes."""
    position = Position(
        refs=DiffRefs(base_sha=given.base_sha, start_sha=given.start_sha, head_sha=given.head_sha),
        old_path=given.old_path or given.new_path,
        new_path=given.new_path or given.old_path,
        old_line=given.old_line,
        new_line=given.new_line,
        line_range=given.line_range,
    )
    code = await positions.line_code(Repository(project.repository), position)
    if code is None:
        raise HttpError(400, NO_SUCH_LINE)
    return position, code


async def _bring_up_to_date(project: Project, mr: MergeRequest, note: Note, position: Position) -> None:
    """Move a note that was put on an older diff to the newest one (DiffPositionableNote#update_position)."""
    note.position = position
    if mr.refs is None or mr.refs == position.refs:
        return
    traced = await positions.trace(Repository(project.repository), position, mr.refs)
    if traced.outdated or traced.position is None:
        note.change_position = traced.position
    else:
        note.position = replace(traced.position, line_range=position.line_range)


async def reply(state: State, request: Request) -> Response:
    """Reply in a thread; a note on its own becomes one by that."""
    project, user, mr, thread = _thread(state, request)
    if thread[0].system:
        raise HttpError(400, {"message": "400 Bad request - Replies to system notes are not allowed."})
    body = checked(parse(request, Reply).body)
    if thread[0].type is NoteType.COMMENT:
        thread[0].type = NoteType.DISCUSSION
    note = activity.add_reply(state, mr, user, body, thread=thread)
    await suggestions.make(state, project, note)
    mr.updated_at = state.now()
    await activity.note_changed(state, project, mr, note, user, action="create")
    return Response.json(conversation.note(state, mr, note), status=201)


async def resolve(state: State, request: Request) -> Response:
    """Resolve a thread, or open it again: developers may, and the author of the merge request."""
    project, user, mr, thread = _thread(state, request)
    wanted = parse(request, Resolution).resolved
    if not any(map(threads.resolvable, thread)) or not _may_resolve(state, project, user, mr):
        raise HttpError(403, {"message": "403 Forbidden"})
    await _settle(state, project, user, mr, thread, resolved=wanted)
    return Response.json(conversation.discussion(state, mr, thread))


def _may_resolve(state: State, project: Project, user: User, mr: MergeRequest) -> bool:
    return user.id == mr.author_id or state.access(user, project) >= Access.DEVELOPER


async def _settle(
    state: State, project: Project, user: User, mr: MergeRequest, found: list[Note], *, resolved: bool
) -> None:
    was_open = not threads.all_resolved(mr)
    for note in found:
        if not threads.resolvable(note) or (note.resolved_at is not None) == resolved:
            continue
        note.resolved_by_id, note.resolved_at = (user.id, state.now()) if resolved else (None, None)
        note.resolved_by_push = None
    if was_open and threads.all_resolved(mr):
        await activity.all_threads_resolved(state, project, mr, user)


async def update_note(state: State, request: Request) -> Response:
    """Edit a note of a thread, or resolve it."""
    project, user, mr, _ = _thread(state, request)
    note, wanted = note_of(request, mr), parse(request, EditOfNote)
    if (wanted.body is None) == (wanted.resolved is None):
        both = (
            "are mutually exclusive"
            if wanted.body is not None
            else "are missing, exactly one parameter must be provided"
        )
        raise HttpError(400, {"error": f"body, resolved {both}"})
    if wanted.body is not None:
        return await edit(state, project, user, mr, note, wanted.body)
    if not _may_resolve(state, project, user, mr):
        raise HttpError(403, {"message": "403 Forbidden"})
    if not threads.resolvable(note):
        raise HttpError(400, {"message": "400 Bad request - Note is not resolvable"})
    await _settle(state, project, user, mr, [note], resolved=bool(wanted.resolved))
    return Response.json(conversation.note(state, mr, note))


def delete_note(state: State, request: Request) -> Response:
    """Delete a note of a thread."""
    project, user, mr, _ = _thread(state, request)
    note = note_of(request, mr)
    editable(state, project, user, note)
    return remove(mr, note)


_DISCUSSIONS = "/api/v4/projects/:id/merge_requests/:iid/discussions"
_NOTES = f"{_DISCUSSIONS}/:discussion_id/notes"
ROUTES = (
    Route("GET", _DISCUSSIONS, listed, query=PAGE),
    Route("POST", _DISCUSSIONS, create, params=names(NewDiscussion), required=required(NewDiscussion)),
    Route("GET", f"{_DISCUSSIONS}/:discussion_id", get),
    Route("PUT", f"{_DISCUSSIONS}/:discussion_id", resolve, required=names(Resolution)),
    Route("GET", _NOTES, notes, query=PAGE),
    Route("POST", _NOTES, reply, required=names(Reply)),
    Route("PUT", f"{_NOTES}/:note_id", update_note, params=names(EditOfNote)),
    Route("DELETE", f"{_NOTES}/:note_id", delete_note),
)
