"""Routes of comments."""

from typing import Final

from sandbox.http import Request, Response, Route
from sandbox.jira.auth import signed
from sandbox.jira.errors import bad_request
from sandbox.jira.fields import text_of
from sandbox.jira.model import Json, Person
from sandbox.jira.shapes import Shapes
from sandbox.jira.site import Site

LONGEST: Final = 32_767
"""Characters of a comment: Jira's own default limit."""


def list_comments(site: Site, request: Request, _: Person, shapes: Shapes) -> Response:
    """Return a page of comments, oldest first unless `-created` is asked for."""
    issue = site.issue(request.params["key"])
    order = request.arg("orderBy", "created")
    if order not in {"created", "+created", "-created"}:
        raise bad_request(f"orderBy must be created, +created or -created, not {order!r}")
    comments = sorted(issue.comments.values(), key=lambda one: (one.created, int(one.id)), reverse=order == "-created")
    start, most = int(request.arg("startAt", "0")), request.page_of(int(request.arg("maxResults", "100")), 5000)
    page = comments[start : start + most]
    return Response.json(
        {
            "startAt": start,
            "maxResults": most,
            "total": len(comments),
            "comments": [shapes.comment(issue, comment) for comment in page],
        }
    )


def get_comment(site: Site, request: Request, _: Person, shapes: Shapes) -> Response:
    """Return one comment."""
    issue = site.issue(request.params["key"])
    return Response.json(shapes.comment(issue, site.comment(issue, request.params["id"])))


def add_comment(site: Site, request: Request, person: Person, shapes: Shapes) -> Response:
    """Add a comment."""
    issue = site.issue(request.params["key"])
    body, text = _read(request)
    comment = site.add_comment(
        issue, body=text, by=person, visibility=body.get("visibility"), is_internal=_is_internal(body)
    )
    return Response.json(shapes.comment(issue, comment), status=201)


def change_comment(site: Site, request: Request, person: Person, shapes: Shapes) -> Response:
    """Replace the body of a comment, and who sees it where that is given."""
    issue = site.issue(request.params["key"])
    comment = site.comment(issue, request.params["id"])
    body, text = _read(request)
    comment.is_internal = comment.is_internal or _is_internal(body)
    site.change_comment(issue, comment, body=text, by=person, visibility=body.get("visibility", comment.visibility))
    return Response.json(shapes.comment(issue, comment))


def delete_comment(site: Site, request: Request, person: Person, _: Shapes) -> Response:
    """Delete a comment."""
    issue = site.issue(request.params["key"])
    site.delete_comment(issue, site.comment(issue, request.params["id"]), by=person)
    return Response(status=204)


def _read(request: Request) -> tuple[Json, str]:
    body = request.json()
    if not isinstance(body, dict) or not body.get("body"):
        raise bad_request(comment="Comment body can not be empty!")
    text = text_of(body["body"], field="comment")
    if not text.strip():
        raise bad_request(comment="Comment body can not be empty!")
    if len(text) > LONGEST:
        raise bad_request(
            comment=f"The entered text is too long. It exceeds the allowed limit of {LONGEST:,} characters."
        )
    return body, text


def _is_internal(body: Json) -> bool:
    """Read the property by which a service desk keeps a comment from its customers; no other is known here."""
    found = False
    for one in body.get("properties", ()):
        if one.get("key") != "sd.public.comment" or set(one.get("value", {})) != {"internal"}:
            raise bad_request(f"the Jira emulator does not know the comment property {one!r}")
        found = bool(one["value"]["internal"])
    return found


_COMMENT: Final = "/rest/api/2/issue/:key/comment"
SENT: Final = ("body", "visibility", "properties")
ROUTES: Final[tuple[Route[Site], ...]] = (
    Route("GET", _COMMENT, signed(list_comments), query=("startAt", "maxResults", "orderBy")),
    Route("POST", _COMMENT, signed(add_comment), params=SENT),
    Route("GET", f"{_COMMENT}/:id", signed(get_comment)),
    Route("PUT", f"{_COMMENT}/:id", signed(change_comment), params=SENT),
    Route("DELETE", f"{_COMMENT}/:id", signed(delete_comment)),
)
