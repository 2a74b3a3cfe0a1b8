"""Emoji on merge requests and on their notes: list, get, award, take back (lib/api/award_emoji.rb)."""

import msgspec

from sandbox.gitlab import activity, awards, conversation
from sandbox.gitlab.api.given import names, number, parse
from sandbox.gitlab.api.merge_requests import find
from sandbox.gitlab.api.notes import note_of
from sandbox.gitlab.merge_request_model import Award, MergeRequest, Note
from sandbox.gitlab.model import Project, User
from sandbox.gitlab.paging import PAGE, page
from sandbox.gitlab.state import State
from sandbox.http import HttpError, Request, Response, Route


class NewAward(msgspec.Struct, frozen=True, kw_only=True):
    """An emoji's name, without colons."""

    name: str


def _awardable(state: State, request: Request) -> tuple[Project, User, MergeRequest, Note | None]:
    """Give what the route is about: a note, or the merge request itself."""
    project, user, mr = find(state, request)
    return project, user, mr, note_of(request, mr) if "note_id" in request.params else None


def listed(state: State, request: Request) -> Response:
    """List the emoji, oldest first."""
    _, _, mr, note = _awardable(state, request)
    found = (note or mr).awards
    return page(request, found, lambda one: conversation.award(state, one, note or mr), base_url=state.url)


def get(state: State, request: Request) -> Response:
    """Give one emoji."""
    _, _, mr, note = _awardable(state, request)
    return Response.json(conversation.award(state, _award(request, note or mr), note or mr))


def _award(request: Request, on: MergeRequest | Note) -> Award:
    wanted = number(request, "award_id")
    found = next((one for one in on.awards if one.id == wanted), None)
    if found is None:
        raise HttpError(404, {"message": "404 Not found"})
    return found


async def create(state: State, request: Request) -> Response:
    """Award an emoji; GitLab answers 404 for every reason not to."""
    project, user, mr, note = _awardable(state, request)
    on = note or mr
    name = awards.normalized(parse(request, NewAward).name)
    if isinstance(on, Note) and on.system:
        raise _refused("Awardable cannot be awarded emoji")
    if not awards.could_be_one(name):
        raise _refused("Name is not a valid emoji name")
    if name not in awards.KNOWN:
        raise HttpError(400, {"error": f"the GitLab emulator does not know the emoji {name}"})
    if any((one.name, one.user_id) == (name, user.id) for one in on.awards):
        raise _refused("Name has already been taken")
    made = Award(state.next_id("award_emoji"), name, user.id, state.now())
    on.awards.append(made)
    await activity.award_changed(state, project, mr, note, made, user, action="award")
    return Response.json(conversation.award(state, made, on), status=201)


def _refused(why: str) -> HttpError:
    return HttpError(404, {"message": f"404 Award Emoji {why} Not Found"})


async def revoke(state: State, request: Request) -> Response:
    """Take an emoji back: who awarded it may, and administrators; 401 for the others."""
    project, user, mr, note = _awardable(state, request)
    found = _award(request, note or mr)
    if found.user_id != user.id and not user.admin:
        raise HttpError(401, {"message": "401 Unauthorized"})
    (note or mr).awards.remove(found)
    await activity.award_changed(state, project, mr, note, found, user, action="revoke")
    return Response(status=204)


_MR = "/api/v4/projects/:id/merge_requests/:iid"
ROUTES = tuple(
    route
    for awards_of in (f"{_MR}/notes/:note_id/award_emoji", f"{_MR}/award_emoji")
    for route in (
        Route("GET", awards_of, listed, query=PAGE),
        Route("POST", awards_of, create, required=names(NewAward)),
        Route("GET", f"{awards_of}/:award_id", get),
        Route("DELETE", f"{awards_of}/:award_id", revoke),
    )
)
