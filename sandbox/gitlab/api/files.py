"""Files, folders and comparisons, read from git."""

import base64
import hashlib
import mimetypes

from sandbox.gitlab import auth, entities
from sandbox.gitlab.paging import PAGE, page
from sandbox.gitlab.repository import Entry, Repository
from sandbox.gitlab.state import Access, State
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


async def compare(state: State, request: Request) -> Response:
    """Compare two refs: from their merge base unless `straight`."""
    project, _ = auth.project(state, request, Access.REPORTER)
    repository = Repository(project.repository)
    old = await repository.resolve(request.arg("from"))
    new = await repository.resolve(request.arg("to"))
    if old is None or new is None:
        raise HttpError(404, {"message": "404 Ref Not Found"})
    straight = request.arg("straight").lower() in {"true", "1"}
    base = old if straight else await repository.merge_base(old, new) or old
    commits = list(reversed(await repository.log(new, f"^{old}")))
    head = await repository.commit(new) if commits else None
    return Response.json(
        {
            "commit": entities.commit(state, project, head) if head else None,
            "commits": [entities.commit(state, project, one) for one in commits],
            "diffs": [entities.diff(one) for one in await repository.diff(base, new)],
            "compare_timeout": False,
            "compare_same_ref": old == new,
            "web_url": f"{state.url}/{project.path_with_namespace}/-/compare/{old}...{new}",
        }
    )


async def merge_base(state: State, request: Request) -> Response:
    """Give the best common ancestor of two or more refs."""
    project, _ = auth.project(state, request, Access.REPORTER)
    repository = Repository(project.repository)
    found = [await repository.resolve(ref) for ref in request.args("refs")]
    heads = [sha for sha in found if sha]
    if len(heads) != len(found) or len(heads) < 2:
        raise HttpError(400, {"message": "Could not find ref: give at least two that exist"})
    base: str | None = heads[0]
    for other in heads[1:]:
        base = await repository.merge_base(base, other) if base else None
    if base is None:
        raise HttpError(404, {"message": "404 Merge Base Not Found"})
    return Response.json(entities.commit(state, project, await repository.commit(base)))


_REPOSITORY = "/api/v4/projects/:id/repository"
_TREE = ("ref", "path", "recursive", "pagination", *PAGE)
ROUTES = (
    Route("GET", f"{_REPOSITORY}/files/:file_path", get, required=("ref",)),
    Route("GET", f"{_REPOSITORY}/files/:file_path/raw", raw, query=("ref", "lfs")),
    Route("GET", f"{_REPOSITORY}/tree", tree, query=_TREE),
    Route("GET", f"{_REPOSITORY}/compare", compare, required=("from", "to"), query=("straight", "unidiff")),
    Route("GET", f"{_REPOSITORY}/merge_base", merge_base, required=("refs",)),
)
