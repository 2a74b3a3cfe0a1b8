"""What people do in GitLab's pages: `POST /_sandbox/people/:username/:act`. GitLab has no such routes.

Each act asks the emulated GitLab for what the page would ask, with that person's rights, and gives its answer or its
refusal. A name or a field that isn't there is a 400 that says which there are.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from sandbox.gitlab.people import changes, verdicts, words
from sandbox.gitlab.people.person import OnMergeRequest, OnNote, Person
from sandbox.gitlab.state import State
from sandbox.http import Body, HttpError, Request, Response, Route, Router

Act = Callable[[Person, Any], Awaitable[object]]
ACTS: Final[dict[str, tuple[type[msgspec.Struct], Act]]] = {
    "approve": (OnMergeRequest, verdicts.approve),
    "unapprove": (OnMergeRequest, verdicts.unapprove),
    "review": (verdicts.Review, verdicts.review),
    "comment": (words.Words, words.comment),
    "suggest": (words.Suggesting, words.suggest),
    "answer": (words.Answer, words.answer),
    "edit": (words.Answer, words.edit),
    "delete": (OnNote, words.delete),
    "resolve": (OnNote, words.resolve),
    "unresolve": (OnNote, words.unresolve),
    "dismiss": (OnNote, words.resolve),
    "react": (words.Emoji, words.react),
    "unreact": (words.Emoji, words.unreact),
    "apply": (verdicts.Applying, verdicts.apply),
    "push": (changes.Pushing, changes.push),
    "merge": (changes.Merging, changes.merge),
    "rebase": (OnMergeRequest, changes.rebase),
    "close": (OnMergeRequest, changes.close),
    "reopen": (OnMergeRequest, changes.reopen),
    "draft": (OnMergeRequest, changes.draft),
    "ready": (OnMergeRequest, changes.ready),
    "revert": (changes.Reverting, changes.revert),
}


@dataclass(frozen=True)
class People:
    """Who can act, and the routes that they use."""

    state: State
    router: Router


async def act(people: People, request: Request) -> Response:
    """Let somebody do something."""
    username, name = request.params["username"], request.params["act"]
    user = people.state.user(username)
    if user is None:
        raise HttpError(400, {"error": f"there is no user {username}"})
    if name not in ACTS:
        raise HttpError(400, {"error": f"there is no act {name}; there are: {', '.join(sorted(ACTS))}"})
    shape, do = ACTS[name]
    try:
        given = msgspec.json.decode(request.body or b"{}", type=shape)
    except msgspec.DecodeError as error:
        fields = ", ".join(one.name for one in msgspec.structs.fields(shape))
        raise HttpError(400, {"error": f"{name}: {error}; its fields are: {fields}"}) from error
    return Response.json(await do(Person(people.state, people.router, user), given))


ROUTES = (Route("POST", "/_sandbox/people/:username/:act", act, body=Body.FREE),)
