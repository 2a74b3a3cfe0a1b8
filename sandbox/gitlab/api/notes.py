"""Notes of merge requests; threads are in `discussions`.

A line with one of GitLab's own quick actions would be carried out by GitLab; here it is refused by name.
"""

import re
from typing import Final

import msgspec

from sandbox.gitlab import activity, conversation, suggestions
from sandbox.gitlab.api.given import names, number, parse, required
from sandbox.gitlab.api.merge_requests import find
from sandbox.gitlab.auth import JobToken
from sandbox.gitlab.merge_request_model import MergeRequest, Note
from sandbox.gitlab.model import Access, Project, User
from sandbox.gitlab.paging import PAGE, page
from sandbox.gitlab.state import State
from sandbox.http import HttpError, Request, Response, Route

MAX_BODY: Final = 1_000_000
"""Characters of a note (doc/administration/instance_limits.md)."""
QUICK_ACTIONS: Final = frozenset(
    {
        *("approve", "assign", "assign_reviewer", "close", "copy_metadata", "done", "draft", "estimate", "label"),
        *("lock", "merge", "milestone", "ready", "relabel", "remove_milestone", "reopen", "request_review", "spend"),
        *("submit_review", "subscribe", "tag", "target_branch", "title", "todo", "unapprove", "unassign", "unlabel"),
        *("unlock", "unsubscribe"),
    }
)


class NewNote(msgspec.Struct, frozen=True, kw_only=True):
    """A note's body."""

    body: str
    internal: bool = False
    confidential: bool = False


class EditNote(msgspec.Struct, frozen=True, kw_only=True):
    """A note's new body."""

    body: str


def checked(body: str) -> str:
    """Give the body if a note may have it."""
    if not body.strip():
        raise HttpError(400, {"message": '400 Bad request - Note {:note=>["can\'t be blank"]}'})
    if len(body) > MAX_BODY:
        raise HttpError(400, {"message": f"400 Bad request - Note is too long (maximum is {MAX_BODY} characters)"})
    for action in re.findall(r"(?m)^/([a-z_]+)(?=\s|$)", body):
        if action in QUICK_ACTIONS:
            raise HttpError(400, {"error": f"the GitLab emulator does not carry out the quick action /{action}"})
    return body


def listed(state: State, request: Request) -> Response:
    """List notes, newest first unless told otherwise."""
    project, user, mr = find(state, request, job_token=JobToken.ACCEPTED)
    key = "updated_at" if request.arg("order_by") == "updated_at" else "created_at"
    kept = {"only_comments": {False}, "only_activity": {True}}.get(request.arg("activity_filter"), {True, False})
    found = [note for note in visible(state, project, user, mr) if note.system in kept]
    found.sort(key=lambda note: (getattr(note, key), note.id), reverse=request.arg("sort", "desc") != "asc")
    return page(request, found, lambda note: conversation.note(state, mr, note), base_url=state.url)


def visible(state: State, project: Project, user: User, mr: MergeRequest) -> list[Note]:
    """Give the notes that this user may see: internal ones from Reporter."""
    return [note for note in mr.notes if not note.internal or state.access(user, project) >= Access.REPORTER]


def note_of(request: Request, mr: MergeRequest) -> Note:
    """Give the route's note; 404 when it is no note of this merge request."""
    wanted = number(request, "note_id")
    found = next((note for note in mr.notes if note.id == wanted), None)
    if found is None:
        raise HttpError(404, {"message": "404 Note Not Found"})
    return found


def get(state: State, request: Request) -> Response:
    """Give one note."""
    _, _, mr = find(state, request, job_token=JobToken.ACCEPTED)
    return Response.json(conversation.note(state, mr, note_of(request, mr)))


async def create(state: State, request: Request) -> Response:
    """Post a note."""
    project, user, mr = find(state, request)
    new = parse(request, NewNote)
    note = activity.add_note(state, mr, user, checked(new.body), internal=new.internal or new.confidential)
    mr.updated_at = state.now()
    await activity.note_changed(state, project, mr, note, user, action="create")
    return Response.json(conversation.note(state, mr, note), status=201)


async def update(state: State, request: Request) -> Response:
    """Edit a note: its author may, and maintainers; nobody a system note."""
    project, user, mr = find(state, request)
    return await edit(state, project, user, mr, note_of(request, mr), parse(request, EditNote).body)


async def edit(state: State, project: Project, user: User, mr: MergeRequest, note: Note, text: str) -> Response:
    """Give a note another text."""
    editable(state, project, user, note)
    body = checked(text)
    if body != note.body:
        note.body, note.updated_at = body, state.now()
        await suggestions.make(state, project, note)
        author = state.users[note.author_id]  # not who edited it: Notes::UpdateService#execute_note_webhook
        await activity.note_changed(state, project, mr, note, author, action="update")
    return Response.json(conversation.note(state, mr, note))


def delete(state: State, request: Request) -> Response:
    """Delete a note: its author may, and maintainers. No hook is sent."""
    project, user, mr = find(state, request)
    note = note_of(request, mr)
    editable(state, project, user, note)
    return remove(mr, note)


def remove(mr: MergeRequest, note: Note) -> Response:
    """Take a note out."""
    mr.notes.remove(note)
    return Response(status=204)


def editable(state: State, project: Project, user: User, note: Note) -> None:
    """Refuse who may not change a note."""
    if note.system or (note.author_id != user.id and state.access(user, project) < Access.MAINTAINER):
        raise HttpError(403, {"message": "403 Forbidden"})


_NOTES = "/api/v4/projects/:id/merge_requests/:iid/notes"
ROUTES = (
    Route("GET", _NOTES, listed, query=("order_by", "sort", "activity_filter", *PAGE)),
    Route("POST", _NOTES, create, params=names(NewNote), required=required(NewNote)),
    Route("GET", f"{_NOTES}/:note_id", get),
    Route("PUT", f"{_NOTES}/:note_id", update, required=names(EditNote)),
    Route("DELETE", f"{_NOTES}/:note_id", delete),
)
