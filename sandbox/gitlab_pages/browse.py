"""Pages of projects and repositories: files, folders, commits."""

from typing import Any

from sandbox.gitlab.model import Project
from sandbox.gitlab.repository import Commit, Entry, Repository
from sandbox.gitlab_pages.changes import shown
from sandbox.gitlab_pages.frame import Pages, size
from sandbox.gitlab_pages.markdown import render
from sandbox.http import HttpError, Request, Response, Route

SHOWN_BYTES = 500_000
"""A bigger file is not shown."""


def projects(pages: Pages, _request: Request) -> Response:
    """List all projects."""
    found = [
        {
            "path_with_namespace": one.path_with_namespace,
            "open": sum(mr.state == "opened" for mr in one.merge_requests.values()),
            "pipelines": pages.pipeline_count(one),
        }
        for one in pages.state.projects.values()
    ]
    return pages.render("projects.html", {"projects": found}, title="Projects", project=None)


def commit_shown(pages: Pages, one: Commit) -> dict[str, Any]:
    """Show a commit."""
    return {
        "id": one.id,
        "title": one.title,
        "rest": one.message.partition("\n")[2].strip(),
        "author": one.author.name,
        "at": pages.moment(one.author.at),
    }


async def project(pages: Pages, request: Request) -> Response:
    """Show a project: its files at the default branch and its README."""
    found = pages.project(request)
    return await _folder(pages, found, ref=found.default_branch, path="")


async def tree(pages: Pages, request: Request) -> Response:
    """Show a folder."""
    found = pages.project(request)
    ref, path = await _ref_and_path(found, request.params["rest"])
    return await _folder(pages, found, ref=ref, path=path)


async def _folder(pages: Pages, found: Project, *, ref: str, path: str) -> Response:
    repository = Repository(found.repository)
    sha = await repository.resolve(ref)
    if sha is None:
        raise HttpError(404, {"message": "404 Not found"})
    entries = sorted(await repository.tree(sha, path), key=lambda one: (one.type != "tree", one.path))
    readme = next((one for one in entries if one.path.lower() == "readme.md"), None)
    context = {
        "ref": ref,
        "folder": path,
        "head": commit_shown(pages, await repository.commit(sha)),
        "entries": [_entry(one) for one in entries],
        "readme": render((await repository.blob(readme.id)).decode("utf-8", "replace")) if readme else None,
    }
    return pages.render("project.html", context, title=found.name, project=found, section="project")


def _entry(one: Entry) -> dict[str, str]:
    return {"type": one.type, "path": one.path, "name": one.path.rpartition("/")[2]}


async def _ref_and_path(found: Project, rest: str) -> tuple[str, str]:
    """Tell a ref from a path, though both may hold slashes: the longest branch wins, else the first part."""
    branches = [name for name in await Repository(found.repository).branches() if f"{rest}/".startswith(f"{name}/")]
    ref = max(branches, key=len, default=rest.partition("/")[0])
    return ref, rest[len(ref) + 1 :]


async def blob(pages: Pages, request: Request) -> Response:
    """Show a file."""
    found = pages.project(request)
    ref, path = await _ref_and_path(found, request.params["rest"])
    repository = Repository(found.repository)
    sha = await repository.resolve(ref)
    entry = await repository.entry(sha, path) if sha and path else None
    if entry is None or entry.type != "blob":
        raise HttpError(404, {"message": "404 Not found"})
    content = await repository.blob(entry.id)
    text = content.decode("utf-8", "replace") if b"\0" not in content and len(content) < SHOWN_BYTES else None
    context = {"ref": ref, "path": path, "text": text, "size": size(len(content))}
    return pages.render("blob.html", context, title=path, project=found, section="project")


async def commit(pages: Pages, request: Request) -> Response:
    """Show a commit with what it changed."""
    found = pages.project(request)
    repository = Repository(found.repository)
    sha = await repository.resolve(request.params["sha"])
    if sha is None:
        raise HttpError(404, {"message": "404 Not found"})
    one = await repository.commit(sha)
    base = one.parents[0] if one.parents else await repository.empty_tree()
    diffs = [shown(diff) for diff in await repository.diff(base, sha)]
    context = {"commit": commit_shown(pages, one), "diffs": diffs}
    return pages.render("commit.html", context, title=one.title, project=found, section="project")


ROUTES = (
    Route("GET", "/*project/-/tree/*rest", tree),
    Route("GET", "/*project/-/blob/*rest", blob),
    Route("GET", "/*project/-/commit/:sha", commit),
)
LAST_ROUTES = (Route("GET", "/", projects), Route("GET", "/*project", project))
"""They match nearly everything, so they come last."""
