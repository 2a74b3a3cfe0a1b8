"""Uploads: files for Markdown. Reading them takes their secret only, as images in notes need it."""

import mimetypes
import re
import secrets
from typing import Final

from sandbox.gitlab import auth
from sandbox.gitlab.model import Access, Project
from sandbox.gitlab.state import State
from sandbox.http import HttpError, Request, Response, Route
from sandbox.http.multipart import Upload

MAX_BYTES: Final = 100 * 1024 * 1024
SHOWN: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "video/mp4", "video/webm"})
"""Types that a browser may show; everything else is a download."""


def create(state: State, request: Request) -> Response:
    """Keep a file and give the Markdown that shows it."""
    project, _ = auth.project(state, request, Access.GUEST)
    file = request.fields().get("file")
    if not isinstance(file, Upload):
        raise HttpError(400, {"error": "file is invalid"})
    if len(file.content) > MAX_BYTES:
        raise HttpError(413, {"message": "413 Request Entity Too Large"})
    name = re.sub(r"[^\w.+-]", "_", file.filename.rpartition("/")[2]).lstrip(".") or "file"
    secret = secrets.token_hex(16)
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    project.uploads[secret, name] = (kind, file.content)
    alt, url = name.rpartition(".")[0] or name, f"/uploads/{secret}/{name}"
    shown = kind.startswith(("image/", "video/"))
    return Response.json(
        {
            "id": state.next_id("upload"),
            "alt": alt,
            "url": url,
            "full_path": f"/-/project/{project.id}{url}",
            "markdown": f"{'!' if shown else ''}[{alt if shown else name}]({url})",
        },
        status=201,
    )


def _serve(project: Project | None, request: Request) -> Response:
    found = project.uploads.get((request.params["secret"], request.params["filename"])) if project else None
    if found is None:
        raise HttpError(404, {"message": "404 Not found"})
    kind, content = found
    shown = kind in SHOWN
    return Response(
        body=content,
        headers={
            "content-type": kind if shown else "application/octet-stream",
            "content-disposition": "inline" if shown else f'attachment; filename="{request.params["filename"]}"',
            "x-content-type-options": "nosniff",
        },
    )


def serve(state: State, request: Request) -> Response:
    """Give an upload to a browser that knows its secret."""
    return _serve(state.project(request.params["id"]), request)


_API = "/api/v4/projects/:id/uploads"
_SENT_ALONG = ("avatar",)
"""python-gitlab 8.6 sends it, empty, in every multipart form (client.py, _prepare_send_data); GitLab ignores it."""
ROUTES = (
    Route("POST", _API, create, params=_SENT_ALONG, required=("file",)),
    Route("GET", "/-/project/:id/uploads/:secret/:filename", serve),
)
