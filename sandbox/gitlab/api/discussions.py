"""Discussions: notes grouped in threads. No diff notes, no resolving: such requests are refused by name."""

import secrets
from itertools import groupby

import msgspec

from sandbox.gitlab import activity, review
from sandbox.gitlab.api.given import names, parse
from sandbox.gitlab.api.merge_requests import find
from sandbox.gitlab.api.notes import checked, visible
from sandbox.gitlab.auth import JobToken
from sandbox.gitlab.paging import PAGE, page
from sandbox.gitlab.state import Json, MergeRequest, Note, State
from sandbox.http import HttpError, Request, Response, Route


class NewDiscussion(msgspec.Struct, frozen=True, kw_only=True):
    """The first note's body, or a reply's."""

    body: str


def _shape(state: State, mr: MergeRequest, notes: list[Note]) -> Json:
    return {
        "id": notes[0].discussion_id,
        "individual_note": notes[0].individual,
        "notes": [review.note(state, mr, note) for note in notes],
    }


def _threads(notes: list[Note]) -> list[list[Note]]:
    first = {note.discussion_id: note.id for note in reversed(notes)}
    ordered = sorted(notes, key=lambda note: (first[note.discussion_id], note.id))
    return [list(group) for _, group in groupby(ordered, key=lambda note: note.discussion_id)]


def listed(state: State, request: Request) -> Response:
    """List discussions, oldest first."""
    project, user, mr = find(state, request, job_token=JobToken.ACCEPTED)
    threads = _threads(visible(state, project, user, mr))
    return page(request, threads, lambda notes: _shape(state, mr, notes), base_url=state.url)


def _thread(request: Request, mr: MergeRequest) -> list[Note]:
    wanted = request.params["discussion_id"]
    found = [note for note in mr.notes if note.discussion_id == wanted]
    if not found:
        raise HttpError(404, {"message": "404 Discussion Not Found"})
    return found


def get(state: State, request: Request) -> Response:
    """Give one discussion."""
    _, _, mr = find(state, request, job_token=JobToken.ACCEPTED)
    return Response.json(_shape(state, mr, _thread(request, mr)))


async def create(state: State, request: Request) -> Response:
    """Start a thread."""
    project, user, mr = find(state, request)
    body = checked(parse(request, NewDiscussion).body)
    note = activity.add_note(state, mr, user, body, discussion_id=secrets.token_hex(20), individual=False)
    await activity.note_changed(state, project, mr, note, user, action="create")
    return Response.json(_shape(state, mr, [note]), status=201)


async def reply(state: State, request: Request) -> Response:
    """Reply in a thread."""
    project, user, mr = find(state, request)
    thread = _thread(request, mr)
    if thread[0].system:
        raise HttpError(400, {"message": "400 Bad request - Replies to system notes are not allowed."})
    body = checked(parse(request, NewDiscussion).body)
    for one in thread:
        one.individual = False
    note = activity.add_note(
        state, mr, user, body, discussion_id=thread[0].discussion_id, individual=False, internal=thread[0].internal
    )
    await activity.note_changed(state, project, mr, note, user, action="create")
    return Response.json(review.note(state, mr, note), status=201)


_DISCUSSIONS = "/api/v4/projects/:id/merge_requests/:iid/discussions"
ROUTES = (
    Route("GET", _DISCUSSIONS, listed, query=PAGE),
    Route("POST", _DISCUSSIONS, create, required=names(NewDiscussion)),
    Route("GET", f"{_DISCUSSIONS}/:discussion_id", get),
    Route("POST", f"{_DISCUSSIONS}/:discussion_id/notes", reply, required=names(NewDiscussion)),
)
