import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from receiver.outbound.errors import RefusedError
from receiver.outbound.gitlab.connection import Connection
from receiver.outbound.gitlab.pipelines_api import CHUNK, Pipelines
from receiver.outbound.gitlab.repositories_api import Repositories


class Body:
    """An answer's bytes, which counts how often it is read."""

    def __init__(self, content: bytes) -> None:
        self.left = content
        self.reads = 0

    def read(self, size: int) -> bytes:
        self.reads += 1
        taken, self.left = self.left[:size], self.left[size:]
        return taken

    def close(self) -> None:
        """Hold nothing."""


class Wire(BaseAdapter):
    """Answers every request with the same body."""

    def __init__(self, body: Body) -> None:
        super().__init__()
        self.body = body

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        answer = requests.Response()
        answer.status_code = 200
        answer.headers["Content-Type"] = "application/json"
        answer.raw = self.body
        answer.request = request
        answer.url = str(request.url)
        return answer

    def close(self) -> None:
        """Hold nothing."""


Answering = Callable[[Body], Connection]


@pytest.fixture
def answering() -> Answering:
    def connect(body: Body) -> Connection:
        connection = Connection("http://gitlab.invalid", "token")
        connection.api.session.mount("http://", Wire(body))
        return connection

    return connect


def listed(iid: int, **changes: Any) -> dict[str, Any]:
    return {
        "iid": iid,
        "web_url": f"http://gitlab.invalid/!{iid}",
        "state": "opened",
        "sha": "a" * 40,
        "source_branch": "bug-fix/PL-1",
        "source_project_id": 2,
        "target_branch": "main",
        "author": {"id": 7},
        **changes,
    }


@pytest.mark.parametrize("change", [{"source_project_id": 99}, {"source_project_id": None}, {"target_branch": "old"}])
def test_a_forks_merge_request_and_one_into_another_branch_are_not_the_branchs_own(
    answering: Answering, change: dict[str, Any]
) -> None:
    foreign = listed(9, **change)
    for requests_, expected in (([foreign, listed(4)], 4), ([foreign], None)):
        repositories = Repositories(answering(Body(json.dumps(requests_).encode())))
        found = repositories.merge_request_of(2, branch="bug-fix/PL-1", target="main")
        assert (found.iid if found else None) == expected


def test_a_note_is_ours_by_its_marker_and_its_author(answering: Answering) -> None:
    """Anybody who reads a note's source can paste its marker into one of their own."""
    notes = [
        {"id": 1, "body": "pasted <!-- m -->", "author": {"id": 8}},
        {"id": 2, "body": "ours <!-- m -->", "author": {"id": 7}},
        {"id": 3, "body": "ours, another", "author": {"id": 7}},
        {"id": 4, "body": "of somebody who is no more <!-- m -->", "author": None},
    ]
    repositories = Repositories(answering(Body(json.dumps(notes).encode())))
    repositories._bot = 7
    assert repositories.notes.with_marker(2, 1, "<!-- m -->") == [2]


def test_an_artifact_is_read_in_large_pieces(answering: Answering) -> None:
    body = Body(bytes(3 * CHUNK + 1))
    read = Pipelines(answering(body)).artifact(1, 2, "a.png", limit=4 * CHUNK)
    assert (len(read), body.reads) == (3 * CHUNK + 1, 5)


def test_an_artifact_over_its_limit_is_not_read_to_its_end(answering: Answering) -> None:
    body = Body(bytes(9 * CHUNK))
    with pytest.raises(RefusedError, match="larger than"):
        Pipelines(answering(body)).artifact(1, 2, "a.png", limit=2 * CHUNK)
    assert body.reads == 3


def test_a_path_that_leaves_the_artifacts_is_not_asked_for(answering: Answering) -> None:
    body = Body(b"x")
    with pytest.raises(RefusedError, match="not a path within"):
        Pipelines(answering(body)).artifact(1, 2, "../../../../user", limit=CHUNK)
    assert body.reads == 0


def test_the_time_that_newer_gitlabs_tell_with_an_approval_is_taken(answering: Answering) -> None:
    at = "2026-03-01T09:00:00.123Z"
    told = {"approved": True, "approved_by": [{"user": {"id": 3, "username": "mara"}, "approved_at": at}]}
    repositories = Repositories(answering(Body(json.dumps(told).encode())))
    assert repositories.approved_at(1, 1) == {3: datetime.fromisoformat(at)}


def test_an_approval_stands_also_while_more_are_needed(answering: Answering) -> None:
    told = {"approved": False, "approved_by": [{"user": {"id": 3, "username": "mara"}}]}
    assert Repositories(answering(Body(json.dumps(told).encode()))).approvals(1, 1) == ({3: "mara"}, False)
