"""Files and folders, read from git."""

import base64
import hashlib
import mimetypes

from sandbox.gitlab import auth
from sandbox.gitlab.model import Access
from sandbox.gitlab.paging import PAGE, page
from sandbox.gitlab.repository import Entry, Repository
from sandbox.gitlab.state import State
from sandbox.http import HttpError, Request, Response, Route


async def _file(state: State, request: Request) -> tuple[Repository, str, Entry]:
    project, _ = auth.project(state, request, Access.REPORTER)
    repository = Repository(project.repository)
    ref = request.arg("ref") or project.default_branch
    sha = await repository.resolve(project.default_branch if ref == "HEAD" else ref)
    if sha is None:
        raise HttpError(404, {"message": "404 Commit Not Found"})
    entry = await repository.entry(sha, request.params["file_path"])
    if entry is None or entry.type != "blob":
        raise HttpError(404, {"message": "404 File Not Found"})
    return repository, sha, entry


async def get(state: State, request: Request) -> Response:
    """Give a file with its content in base64."""
    repository, sha, entry = await _file(state, request)
    content = await repository.blob(entry.id)
    last = await repository.log(sha, limit=1, paths=[entry.path])
    return Response.json(
        {
            "file_name": entry.path.rpartition("/")[2],
            "file_path": entry.path,
            "size": len(content),
            "encoding": "base64",
            "content": base64.b64encode(content).decode(),
            "content_sha256": hashlib.sha256(content).hexdigest(),
            "ref": request.arg("ref"),
            "blob_id": entry.id,
            "commit_id": sha,
            "last_commit_id": last[0].id if last else sha,
            "execute_filemode": entry.mode == "100755",
        }
    )


async def raw(state: State, request: Request) -> Response:
    """Give a file's content."""
    repository, _, entry = await _file(state, request)
    kind = mimetypes.guess_type(entry.path)[0] or "text/plain"
    return Response(body=await repository.blob(entry.id), headers={"content-type": kind, "x-gitlab-blob-id": entry.id})


async def tree(state: State, request: Request) -> Response:
    """List a folder."""
    project, _ = auth.project(state, request, Access.REPORTER)
    repository = Repository(project.repository)
    sha = await repository.resolve(request.arg("ref") or project.default_branch)
    if sha is None:
        raise HttpError(404, {"message": "404 Tree Not Found"})
    recursive = request.arg("recursive").lower() in {"true", "1"}
    entries = await repository.tree(sha, request.arg("path"), recursive=recursive)
    if request.arg("path") and not entries:
        raise HttpError(404, {"message": "404 invalid revision or path Not Found"})
    found = sorted(entries, key=lambda one: (one.type != "tree", one.path))
    return page(request, found, _tree_entry, base_url=state.url)


def _tree_entry(one: Entry) -> dict[str, str]:
    return {
        "id": one.id,
        "name": one.path.rpartition("/")[2],
        "type": one.type,
        "path": one.path,
        "mode": one.mode,
    }


_REPOSITORY = "/api/v4/projects/:id/repository"
_TREE = ("ref", "path", "recursive", "pagination", *PAGE)
ROUTES = (
    Route("GET", f"{_REPOSITORY}/files/:file_path", get, required=("ref",)),
    Route("GET", f"{_REPOSITORY}/files/:file_path/raw", raw, query=("ref", "lfs")),
    Route("GET", f"{_REPOSITORY}/tree", tree, query=_TREE),
)
