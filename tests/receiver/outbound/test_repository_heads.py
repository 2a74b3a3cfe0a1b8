"""One repository that can't be read is left out with a reason; a GitLab that is away is asked again."""

import json
from io import BytesIO
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from pipelines.language import ProjectPath
from receiver.outbound.effects.repository_heads import Heads, read_heads
from receiver.outbound.errors import UnavailableError
from receiver.outbound.gitlab.commits_api import Commits
from receiver.outbound.gitlab.connection import Connection
from receiver.outbound.gitlab.repositories_api import Repositories

SHA = "a" * 40
PROJECT: dict[str, Any] = {"id": 7, "web_url": "http://gitlab.invalid/acme/web", "default_branch": "main"}
BRANCH: dict[str, Any] = {"commit": {"id": SHA}}
WEB, PORTAL = ProjectPath("acme/web"), ProjectPath("acme/portal")


class GitLabOfTwo(BaseAdapter):
    """Knows `acme/web`, and answers as told when asked for `acme/portal`."""

    def __init__(self, project: tuple[int, dict[str, Any]], branch: tuple[int, dict[str, Any]]) -> None:
        super().__init__()
        self._answers = {
            "/projects/acme%2Fweb": (200, PROJECT),
            "/projects/7/repository/branches/main": (200, BRANCH),
            "/projects/acme%2Fportal": project,
            "/projects/8/repository/branches/main": branch,
        }

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        """Answer as told."""
        answer = requests.Response()
        answer.request, answer.url = request, str(request.url)
        answer.status_code, body = self._answers[answer.url.partition("/api/v4")[2]]
        answer.headers["Content-Type"] = "application/json"
        answer.raw = BytesIO(json.dumps(body).encode())
        return answer

    def close(self) -> None:
        """Hold nothing."""


def heads(project: tuple[int, dict[str, Any]], branch: tuple[int, dict[str, Any]] = (200, BRANCH)) -> Heads:
    connection = Connection("http://gitlab.invalid", "token")
    connection.api.session.mount("http://", GitLabOfTwo(project, branch))
    return read_heads(Repositories(connection), Commits(connection), [WEB, PORTAL])


THERE = {**PROJECT, "id": 8}


@pytest.mark.parametrize(
    ("project", "branch", "why"),
    [
        ((404, {"message": "404 Project Not Found"}), (200, BRANCH), "404"),
        ((403, {"message": "403 Forbidden"}), (200, BRANCH), "403"),
        ((200, PROJECT), (200, BRANCH), "acme/portal is acme/web under an earlier or later name"),
        ((200, {"id": 8, "web_url": ""}), (200, BRANCH), "switched off, or empty"),
        ((200, {**THERE, "default_branch": None}), (200, BRANCH), "switched off, or empty"),
        ((200, {**THERE, "archived": True}), (200, BRANCH), "archived"),
        ((200, THERE), (404, {"message": "404 Branch Not Found"}), "no commit on its default branch main"),
        ((200, THERE), (403, {"message": "403 Forbidden"}), "403"),
    ],
    ids=["gone", "forbidden", "renamed", "no repository", "empty", "archived", "no branch", "not to be read"],
)
def test_a_repository_that_can_not_be_read_is_left_out_with_the_reason(
    project: tuple[int, dict[str, Any]], branch: tuple[int, dict[str, Any]], why: str
) -> None:
    found = heads(project, branch)
    assert found.shas == {WEB: SHA}
    assert why in found.left_out[PORTAL]


@pytest.mark.parametrize("status", [401, 429, 500, 502, 503])
def test_a_gitlab_that_is_away_leaves_nothing_out(status: int) -> None:
    with pytest.raises(UnavailableError):
        heads((status, {}))
    with pytest.raises(UnavailableError):
        heads((200, THERE), (status, {}))


def test_all_that_can_be_read_is_there() -> None:
    assert heads((200, THERE)) == Heads(shas={PORTAL: SHA, WEB: SHA}, left_out={})
