"""Threads and reactions by GitLab's paths and bodies (doc/api/discussions.md, doc/api/emoji_reactions.md)."""

import json
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from receiver.outbound.errors import RefusedError
from receiver.outbound.gitlab.connection import Connection
from receiver.outbound.gitlab.notes_api import MergeRequestNotes
from tests.receiver.outbound.test_gitlab_answers import Body

PATH = "/api/v4/projects/2/merge_requests/5"
TIME = "2026-11-23T09:00:00.000Z"
THREAD = "6a9c1750b37d513a43987b574953fceb50b03ce7"


class GitLab(BaseAdapter):
    """Answers what it was told to, 404 to everything else, and keeps what it was asked."""

    def __init__(self, answers: dict[tuple[str, str], object], status: int = 404) -> None:
        super().__init__()
        self.answers = answers
        self.status = status
        self.asked: list[tuple[str, str, Any]] = []

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        path = str(request.path_url).partition("?")[0]
        this = (str(request.method), path)
        self.asked.append((*this, json.loads(request.body) if request.body else None))
        answer = requests.Response()
        answer.status_code = 200 if this in self.answers else self.status
        answer.headers["Content-Type"] = "application/json"
        answer.raw = Body(json.dumps(self.answers.get(this, {"message": "404 Not found"})).encode())
        answer.request, answer.url = request, str(request.url)
        return answer

    def close(self) -> None:
        """Hold nothing."""


def notes(gitlab: GitLab) -> MergeRequestNotes:
    connection = Connection("http://gitlab.invalid", "token")
    connection.api.session.mount("http://", gitlab)
    return MergeRequestNotes(connection.api, own=lambda: 7)


def a_note(**changes: Any) -> dict[str, Any]:
    facts = {
        "id": 9,
        "type": None,
        "body": "/bug-fix status",
        "author": {"id": 3},
        "created_at": TIME,
        "updated_at": TIME,
        "system": False,
        "internal": False,
    }
    return facts | changes


def test_eyes_are_put_on_a_note() -> None:
    gitlab = GitLab({("POST", f"{PATH}/notes/9/award_emoji"): {"id": 1, "name": "eyes"}})
    assert notes(gitlab).react(2, 5, 9, "eyes")
    assert gitlab.asked == [("POST", f"{PATH}/notes/9/award_emoji", {"name": "eyes"})]


def test_a_gitlab_that_knows_no_reaction_or_has_it_costs_nothing_and_other_refusals_are_told() -> None:
    assert not notes(GitLab({})).react(2, 5, 9, "eyes")
    with pytest.raises(RefusedError):
        notes(GitLab({}, status=403)).react(2, 5, 9, "eyes")


def test_an_answer_goes_into_its_thread() -> None:
    gitlab = GitLab({("POST", f"{PATH}/discussions/{THREAD}/notes"): a_note(id=12)})
    assert notes(gitlab).add(2, 5, "Done.", discussion=THREAD) == 12
    assert gitlab.asked == [("POST", f"{PATH}/discussions/{THREAD}/notes", {"body": "Done."})]


def test_an_answer_whose_thread_is_gone_stands_on_the_merge_request() -> None:
    gitlab = GitLab({("POST", f"{PATH}/notes"): a_note(id=12)})
    assert notes(gitlab).add(2, 5, "Done.", discussion=THREAD) == 12
    assert [path for _, path, _ in gitlab.asked] == [f"{PATH}/discussions/{THREAD}/notes", f"{PATH}/notes"]


def test_the_thread_of_a_note_is_found() -> None:
    threads = [
        {"id": "f" * 40, "individual_note": True, "notes": [a_note(id=8)]},
        {"id": THREAD, "individual_note": False, "notes": [a_note(id=6), a_note(id=9)]},
    ]
    gitlab = GitLab({("GET", f"{PATH}/discussions"): threads})
    assert notes(gitlab).thread_of(2, 5, 9) == THREAD
    assert notes(gitlab).thread_of(2, 5, 10) == ""
    assert notes(GitLab({})).thread_of(2, 5, 9) == ""


@pytest.mark.parametrize(
    ("told", "field", "expected"),
    [
        ({}, "is_changed", False),
        ({"updated_at": "2026-11-23T09:00:01.000Z"}, "is_changed", True),
        ({"type": "DiffNote"}, "is_in_thread", True),
        ({}, "is_in_thread", False),
        ({"system": True}, "is_system", True),
        ({"internal": True}, "is_internal", True),
        ({"confidential": True}, "is_internal", True),
    ],
)
def test_a_note_is_read_as_gitlab_tells_it(told: dict[str, Any], field: str, expected: bool) -> None:  # noqa: FBT001  # a table's column
    found = notes(GitLab({("GET", f"{PATH}/notes/9"): a_note(**told)})).get(2, 5, 9)
    assert getattr(found, field) == expected


def test_a_note_that_is_gone_is_none() -> None:
    assert notes(GitLab({})).get(2, 5, 9) is None
