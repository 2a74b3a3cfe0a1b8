"""Somebody who uses GitLab's pages, and on what: the ground of all acts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec

from sandbox.gitlab.merge_request_model import MergeRequest, Note
from sandbox.gitlab.model import Project, User
from sandbox.gitlab.state import State
from sandbox.http import HttpError, Request, Router


class OnMergeRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which merge request."""

    project: str
    iid: int


class OnNote(OnMergeRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which note of a merge request, and so which thread."""

    note: int


@dataclass(frozen=True)
class Person:
    """Somebody who uses GitLab's pages."""

    state: State
    router: Router
    user: User

    async def asks(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401 - what the route answers
        """Use a route below `/api/v4`, and give its answer."""
        mine = (one for one in self.state.tokens.values() if one.user_id == self.user.id and "api" in one.scopes)
        token = next(mine, None) or self.state.add_token(self.user)
        sent = {name: value for name, value in (body or {}).items() if value is not None}
        request = Request(
            method=method,
            path=f"/api/v4{path}",
            query=(),
            headers={"private-token": token.value, "content-type": "application/json"},
            body=json.dumps(sent).encode(),
        )
        response = await self.router(request)
        return json.loads(response.body) if isinstance(response.body, bytes) and response.body else None

    def found(self, on: OnMergeRequest) -> tuple[Project, MergeRequest]:
        """Give a merge request."""
        project = self.state.project(on.project)
        mr = project.merge_requests.get(on.iid) if project else None
        if project is None or mr is None:
            raise HttpError(404, {"error": f"there is no merge request {on.project}!{on.iid}"})
        return project, mr

    def note(self, on: OnNote) -> Note:
        """Give a note of a merge request."""
        found = next((one for one in self.found(on)[1].notes if one.id == on.note), None)
        if found is None:
            raise HttpError(404, {"error": f"{on.project}!{on.iid} has no note {on.note}"})
        return found


def project_url(project: str) -> str:
    """Give the path of a project below `/api/v4`."""
    return f"/projects/{quote(project, safe='')}"


def url(on: OnMergeRequest) -> str:
    """Give the path of a merge request below `/api/v4`."""
    return f"{project_url(on.project)}/merge_requests/{on.iid}"
