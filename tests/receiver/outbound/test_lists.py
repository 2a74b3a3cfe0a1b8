"""Lists are read to their last page: GitLab's over the SDK, Jira's as the emulator gives them."""

import ast
import json
from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx2
import pytest
import requests
from requests.adapters import BaseAdapter

from pipelines.language import IssueKey, ProjectPath
from receiver.outbound import gitlab
from receiver.outbound.effects.desk import Desk
from receiver.outbound.gitlab.commits_api import Commits
from receiver.outbound.gitlab.connection import Connection
from receiver.outbound.gitlab.hooks_api import Hooks
from receiver.outbound.gitlab.jobs_api import GitLabJobs
from receiver.outbound.gitlab.members import DEVELOPER, Users
from receiver.outbound.gitlab.merging_api import MergeRequestMerging
from receiver.outbound.gitlab.pipelines_api import Pipelines
from receiver.outbound.gitlab.repositories_api import Repositories

COUNT = 5
BOT = 3
TIME = "2026-11-30T08:00:00.000Z"


class PagedGitLab(BaseAdapter):
    """Answers every list with five entries, two on a page, whatever is asked for; it knows whose the token is."""

    def __init__(self, entry: Callable[[int], dict[str, Any]]) -> None:
        super().__init__()
        self._entry = entry

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        """Give the page that the address names."""
        address = str(request.url)
        page = int(address.partition("&page=")[2] or 1)
        entries: Any = [self._entry(number) for number in range(2 * page - 2, min(2 * page, COUNT))]
        if address.endswith("/user"):
            entries = {"id": BOT}
        answer = requests.Response()
        answer.status_code, answer.request, answer.url = 200, request, address
        answer.raw = BytesIO(json.dumps(entries).encode())
        answer.headers["Content-Type"] = "application/json"
        if 2 * page < COUNT:
            answer.headers["Link"] = f'<{address.partition("&page=")[0]}&page={page + 1}>; rel="next"'
        return answer

    def close(self) -> None:
        """Hold nothing."""


def connected(entry: Callable[[int], dict[str, Any]]) -> Connection:
    connection = Connection("http://gitlab.invalid", "token")
    connection.api.session.mount("http://", PagedGitLab(entry))
    return connection


def person(number: int) -> dict[str, Any]:
    return {"id": number, "username": f"u{number}", "state": "active", "access_level": DEVELOPER}


def pipeline(number: int) -> dict[str, Any]:
    return {"id": number, "web_url": "", "name": "PL-1", "created_at": TIME, "downstream_pipeline": {"id": number}}


def job(number: int) -> dict[str, Any]:
    times = dict.fromkeys(("started_at", "finished_at", "duration"))
    return {"id": number, "name": f"j{number}", "stage": "s", "status": "success", "allow_failure": False, **times}


def merge_request(number: int) -> dict[str, Any]:
    """Only the last one is that of the project's own branch."""
    source = 7 if number == COUNT - 1 else 8
    branches = {"source_branch": "b", "target_branch": "main", "source_project_id": source}
    return {"iid": number, "web_url": "", "state": "opened", "sha": "a", "author": {}, **branches}


def note(number: int) -> dict[str, Any]:
    times = {"created_at": TIME, "updated_at": TIME}
    return {"id": number, "body": "ours", "system": False, "author": {"id": BOT}, **times}


def approval_note(number: int) -> dict[str, Any]:
    return note(number) | {"body": "approved this merge request", "system": True, "author": {"id": number}}


def thread(number: int) -> dict[str, Any]:
    return {"id": f"t{number}", "notes": [note(number) | {"resolvable": True, "resolved": False}]}


def hook(number: int) -> dict[str, Any]:
    return {"id": number, "url": "https://bug-fix.example.com/hooks/gitlab"}


def version(number: int) -> dict[str, Any]:
    return {"id": number, "created_at": TIME, "head_commit_sha": str(number)}


def entry_of_a_folder(number: int) -> dict[str, Any]:
    return {"path": f"src/{number}", "name": str(number), "type": "blob", "mode": "100644", "id": "a" * 40}


def diff(number: int) -> dict[str, Any]:
    return {"old_path": f"src/{number}", "new_path": f"src/{number}"}


PATHS = [f"src/{number}" for number in range(COUNT)]
LISTS: dict[str, tuple[Callable[[int], dict[str, Any]], Callable[[Connection], int]]] = {
    "members of a group": (person, lambda c: len(Users(c.api).of_group("acme/web"))),
    "members of a project": (person, lambda c: len(Users(c.api).of_project(7, level=DEVELOPER))),
    "levels of members": (person, lambda c: len(Users(c.api).levels(7))),
    "users of an address": (person, lambda c: len(Users(c.api).with_address("a@b.example"))),
    "jobs of a pipeline": (job, lambda c: len(Pipelines(c).jobs(7, ProjectPath("a/b"), 1))),
    "children of a pipeline": (pipeline, lambda c: len(Pipelines(c).children(7, 1))),
    "pipelines of a name": (pipeline, lambda c: len(Pipelines(c).named(7, ref="main", name="PL-1"))),
    "bridges of a parent": (pipeline, lambda c: len(GitLabJobs(c).triggered(7, 1))),
    "notes": (note, lambda c: len(Repositories(c).notes.with_marker(7, 1, "ours"))),
    "merge requests": (
        merge_request,
        lambda c: COUNT if Repositories(c).merge_request_of(7, branch="b", target="main") else 0,
    ),
    "versions of a merge request": (
        version,
        lambda c: COUNT if Repositories(c).pushed_at(7, 1, head=str(COUNT - 1)) else 0,
    ),
    "files of a folder": (entry_of_a_folder, lambda c: len(Commits(c).folder(7, PATHS, ref="main"))),
    "paths of a commit": (diff, lambda c: len(Commits(c).changed_paths(7, "a" * 40))),
    "merge requests by number": (merge_request, lambda c: len(Repositories(c).merge_requests(7, range(COUNT)))),
    "heads of a merge request": (version, lambda c: len(MergeRequestMerging(c).versions(7, 1))),
    "open threads": (thread, lambda c: MergeRequestMerging(c).talk(7, 1).open_threads),
    "threads of suggestions": (thread, lambda c: len(Repositories(c).suggestions.threads(7, 1, "ours"))),
    "notes since a time": (note, lambda c: len(Repositories(c).notes.since(7, 1, since=datetime.fromisoformat(TIME)))),
    "the thread of a note": (
        thread,
        lambda c: COUNT if Repositories(c).notes.thread_of(7, 1, COUNT - 1) == f"t{COUNT - 1}" else 0,
    ),
    "hooks of a project": (
        hook,
        lambda c: len(Hooks(c).of(ProjectPath("acme/web"), public_url="https://bug-fix.example.com")),
    ),
}
FIRST_PAGE = {
    ("hooks_api.py", "http_list"): "the newest failed deliveries are sent again, the next ones by the next sweep",
    ("commits_api.py", "list"): "it is counted up to a bound",
}
"""Lists of which one page is wanted, with the reason."""


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_gitlab_is_read_to_its_last_page(name: str) -> None:
    entry, count = LISTS[name]
    assert count(connected(entry)) == COUNT


def test_every_list_says_how_far_it_is_read() -> None:
    first_page = set()
    for path in Path(gitlab.__file__).parent.glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
                continue
            said = {word.arg: ast.unparse(word.value) for word in call.keywords}
            if call.func.attr in {"list", "http_list"} and not {"get_all", "iterator"} & said.keys():
                pytest.fail(f"{path.name}:{call.lineno} reads the first page and does not say that this is enough")
            if said.get("get_all") == "False":
                first_page.add((path.name, call.func.attr))
    assert first_page == FIRST_PAGE.keys()


@pytest.fixture
def paged(world: Any) -> Any:
    """Let Jira give two entries on a page."""
    httpx2.post(f"{world.jira_url}/_sandbox/faults", json={"page_size": 2}, timeout=60).raise_for_status()
    assert len(world.comments()) == 2
    return world


KEY = IssueKey("PL-479")


@pytest.mark.integration
@pytest.mark.anyio
async def test_the_newest_comments_of_a_ticket_are_seen_and_ours_are_found_again(desk: Desk, paged: Any) -> None:
    said = [paged.say("mara", f"comment {number}") for number in range(3)]
    ours = desk.jira.add_comment(KEY, "Waits for approval.\n\nMARK")
    pasted = paged.say("mara", "Waits for approval.\n\nMARK")
    assert [one.id for one in desk.jira.comments(KEY)][-5:] == [*said, ours, pasted]
    assert desk.jira.comments_with(KEY, marker="MARK") == [ours]


@pytest.mark.integration
@pytest.mark.anyio
async def test_a_ticket_that_comes_with_its_first_comments_gets_the_others(desk: Desk, paged: Any) -> None:
    for number in range(3):
        paged.say("mara", f"comment {number}")
    assert [one.body for one in desk.jira.issue(KEY).ticket.comments][-3:] == ["comment 0", "comment 1", "comment 2"]
