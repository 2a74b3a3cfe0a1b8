"""Routes of remote links and attachments."""

import hashlib
import hmac
import mimetypes
from typing import Final

from sandbox.http import Request, Response, Route
from sandbox.http.multipart import Upload
from sandbox.jira.auth import authenticate, signed
from sandbox.jira.errors import bad_request, not_found, refusal
from sandbox.jira.model import Attachment, Person, RemoteLink
from sandbox.jira.shapes import Shapes
from sandbox.jira.site import Site


def get_links(site: Site, request: Request, _: Person, shapes: Shapes) -> Response:
    """Return all remote links."""
    issue = site.issue(request.params["key"])
    return Response.json([shapes.link(issue, link) for link in issue.links.values()])


def put_link(site: Site, request: Request, _: Person, shapes: Shapes) -> Response:
    """Create a remote link, or update the one with the same global id: 201 or 200."""
    issue = site.issue(request.params["key"])
    link = _read(request, link_id=int(site.next_id()))
    new = site.put_link(issue, link)
    known = next(one for one in issue.links.values() if one.object is link.object)
    self = shapes.url(f"issue/{issue.key}/remotelink/{known.id}")
    return Response.json({"id": known.id, "self": self}, status=201 if new else 200)


def _read(request: Request, *, link_id: int) -> RemoteLink:
    body = request.json()
    target = body.get("object") if isinstance(body, dict) else None
    if not isinstance(target, dict) or not target.get("url") or not target.get("title"):
        missing = "url" if not (isinstance(target, dict) and target.get("url")) else "title"
        raise bad_request(**{missing: f"'{missing}' is required."})
    known = {"url", "title", "summary", "icon", "status"}
    if set(target) - known:
        raise bad_request(object=f"unknown: {', '.join(sorted(set(target) - known))}")
    global_id = body.get("globalId")
    if global_id is not None and (not isinstance(global_id, str) or not 0 < len(global_id) <= 255):
        raise bad_request(globalId="globalId must have 1 to 255 characters.")
    return RemoteLink(
        id=link_id,
        global_id=global_id,
        object=target,
        application=body.get("application") or {},
        relationship=body.get("relationship"),
    )


def add_attachment(site: Site, request: Request, person: Person, shapes: Shapes) -> Response:
    """Attach a file."""
    issue = site.issue(request.params["key"])
    if request.headers.get("x-atlassian-token") not in {"no-check", "nocheck"}:
        raise refusal(403, "XSRF check failed")
    upload = request.form().get("file")
    if not isinstance(upload, Upload):
        raise bad_request("the form needs a part named 'file' with a file name")
    attachment = Attachment(
        id=site.next_id(),
        filename=upload.filename,
        author=person,
        created=site.now(),
        mime_type=_kind(upload),
        content=upload.content,
    )
    site.attach(issue, attachment, by=person)
    return Response.json([shapes.attachment(attachment)])


def _kind(upload: Upload) -> str:
    """Tell what a file is by its name where the client did not say, as Jira does."""
    if upload.content_type != "application/octet-stream":
        return upload.content_type
    return mimetypes.guess_type(upload.filename)[0] or upload.content_type


def get_attachment(site: Site, request: Request, _: Person, shapes: Shapes) -> Response:
    """Return what is known of a file."""
    return Response.json(shapes.attachment(_attachment(site, request.params["id"])))


def get_content(site: Site, request: Request, _: Person, __: Shapes) -> Response:
    """Say where a file's content is; return it where `redirect=false` asks for that."""
    attachment = _attachment(site, request.params["id"])
    if request.arg("redirect", "true") == "false":
        return _content(attachment)
    address = f"{site.url}/media/{attachment.id}/binary?token={_token(site, attachment)}"
    return Response(status=303, headers={"location": address})


def media(site: Site, request: Request) -> Response:
    """Return a file's content. Cloud's media store asks for no login: the token in the address is the permission."""
    attachment = _attachment(site, request.params["id"])
    if not hmac.compare_digest(request.arg("token"), _token(site, attachment)):
        raise refusal(401, "the token of this address is not valid")
    return _content(attachment)


def _token(site: Site, attachment: Attachment) -> str:
    key = "".join(sorted(site.tokens.values())).encode()
    return hmac.new(key, attachment.id.encode(), hashlib.sha256).hexdigest()


def secure_attachment(site: Site, request: Request) -> Response:
    """Return a file's content where Data Center has it."""
    authenticate(site, request)
    return _content(_attachment(site, request.params["id"]))


def _content(attachment: Attachment) -> Response:
    headers = {
        "content-type": attachment.mime_type,
        "content-disposition": "attachment",
        "x-content-type-options": "nosniff",
    }
    return Response(body=attachment.content, headers=headers)


def _attachment(site: Site, attachment_id: str) -> Attachment:
    for issue in site.issues.values():
        if attachment_id in issue.attachments:
            return issue.attachments[attachment_id]
    raise not_found(f"The attachment with id '{attachment_id}' does not exist")


_LINK: Final = "/rest/api/2/issue/:key/remotelink"
SENT: Final = ("globalId", "application", "relationship", "object")
ROUTES: Final[tuple[Route[Site], ...]] = (
    Route("GET", _LINK, signed(get_links)),
    Route("POST", _LINK, signed(put_link), params=SENT),
    Route("POST", "/rest/api/2/issue/:key/attachments", signed(add_attachment), params=("file",)),
    Route("GET", "/rest/api/2/attachment/content/:id", signed(get_content), query=("redirect",)),
    Route("GET", "/rest/api/2/attachment/:id", signed(get_attachment)),
    Route("GET", "/secure/attachment/:id/:filename", secure_attachment),
    Route("GET", "/media/:id/binary", media, query=("token",)),
)
