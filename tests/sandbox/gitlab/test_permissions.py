"""One table: who may do what, and what the others are told."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from sandbox.gitlab.model import JobSubject
from tests.sandbox.gitlab.conftest import Receiver

pytestmark = pytest.mark.integration

CONTACTS = "/api/v4/projects/payk12%2Fcontacts"
MR = f"{CONTACTS}/merge_requests/1"
COMMIT = {
    "branch": "t2",
    "start_branch": "main",
    "commit_message": "x",
    "actions": [{"action": "create", "file_path": "y", "content": "y"}],
}
NEW_MR = {"source_branch": "topic2", "target_branch": "main", "title": "x"}
WHO = ("none", "wrong", "nobody", "gwen", "starter", "tomas", "mara", "root")
TABLE: list[tuple[str, str, dict[str, Any] | None, tuple[int, ...]]] = [
    ("GET", "/api/v4/user", None, (401, 401, 200, 200, 200, 200, 200, 200)),
    ("GET", CONTACTS, None, (401, 401, 404, 200, 200, 200, 200, 200)),
    ("GET", f"{CONTACTS}/members/all/1", None, (401, 401, 404, 404, 404, 404, 404, 404)),
    ("GET", f"{CONTACTS}/members/all/2", None, (401, 401, 404, 200, 200, 200, 200, 200)),
    ("GET", f"{CONTACTS}/repository/branches/main", None, (401, 401, 404, 403, 200, 200, 200, 200)),
    ("GET", f"{CONTACTS}/repository/tree", None, (401, 401, 404, 403, 200, 200, 200, 200)),
    ("GET", MR, None, (401, 401, 404, 403, 200, 200, 200, 200)),
    ("POST", f"{CONTACTS}/repository/commits", COMMIT, (401, 401, 404, 403, 403, 201, 201, 201)),
    ("POST", f"{CONTACTS}/merge_requests", NEW_MR, (401, 401, 404, 403, 403, 201, 201, 201)),
    ("PUT", MR, {"title": "new"}, (401, 401, 404, 403, 403, 200, 200, 200)),
    ("POST", f"{MR}/notes", {"body": "hi"}, (401, 401, 404, 403, 201, 201, 201, 201)),
    ("PUT", f"{MR}/merge", {}, (401, 401, 404, 403, 401, 401, 200, 200)),
    ("GET", f"{CONTACTS}/hooks", None, (401, 401, 404, 403, 403, 403, 200, 200)),
    ("DELETE", f"{CONTACTS}/repository/branches/main", None, (401, 401, 404, 403, 403, 403, 403, 403)),
]


def furnish(emulated: Any) -> None:
    """Add two branches, and a merge request for one of them."""
    project = emulated.client().projects.get("payk12/contacts")
    for branch in ("topic", "topic2"):
        project.commits.create({**COMMIT, "branch": branch})
    project.mergerequests.create({**NEW_MR, "source_branch": "topic"})


@pytest.fixture(scope="session")
def standing(emulate: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return an emulator for tests that change nothing."""
    with emulate(tmp_path_factory.mktemp("standing"), Receiver(url="http://127.0.0.1:9")) as made:
        furnish(made)
        yield made


@pytest.fixture
def call(emulated: Any) -> Callable[..., int]:
    furnish(emulated)
    return caller(emulated)


def caller(emulated: Any) -> Callable[..., int]:
    def send(method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]) -> int:
        return httpx2.request(method, f"{emulated.url}{path}", json=body, headers=headers, timeout=60).status_code

    return send


@pytest.mark.parametrize(("method", "path", "body", "statuses"), TABLE, ids=lambda value: str(value)[:60])
def test_the_permission_table(
    request: pytest.FixtureRequest, method: str, path: str, body: Any, statuses: tuple[int, ...]
) -> None:
    emulated = request.getfixturevalue("standing" if method == "GET" else "emulated")
    if method != "GET":
        furnish(emulated)
    call = caller(emulated)
    got = {}
    first_success = True
    for who, wanted in zip(WHO, statuses, strict=True):
        if wanted < 300 and method != "GET" and not first_success:
            continue  # the first who may do it has done it
        first_success = first_success and wanted >= 300
        token = {"none": "", "wrong": "glpat-wrong"}.get(who) if who in {"none", "wrong"} else emulated.token(who)
        got[who] = (call(method, path, body, {"private-token": token} if token else {}), wanted)
    assert {who: given for who, (given, _) in got.items()} == {who: wanted for who, (_, wanted) in got.items()}


def test_a_token_without_the_api_scope_only_reads(standing: Any) -> None:
    call = caller(standing)
    reader = standing.state.add_token(standing.state.user("mara"), scopes=frozenset({"read_api"})).value
    headers = {"authorization": f"Bearer {reader}"}
    assert call("GET", MR, None, headers) == 200
    assert call("POST", f"{MR}/notes", {"body": "x"}, headers) == 403


def test_a_blocked_users_token_is_refused(emulated: Any, call: Callable[..., int]) -> None:
    emulated.state.user("tomas").state = "blocked"
    assert call("GET", CONTACTS, None, {"private-token": emulated.token("tomas")}) == 403


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", MR, 200),
        ("GET", f"{MR}/notes", 200),
        ("POST", f"{MR}/notes", 401),
        ("PUT", f"{MR}/merge", 401),
        ("GET", f"{CONTACTS}/hooks", 401),
        ("GET", "/api/v4/user", 401),
    ],
)
def test_a_job_token_reads_merge_requests_and_notes_and_little_else(
    standing: Any, method: str, path: str, status: int
) -> None:
    standing.jobs["eyJob"] = JobSubject(
        user_id=standing.state.user("bug-fix-starter").id,
        project_id=standing.state.project("payk12/bug-fix").id,
        job_id=1,
    )
    call = caller(standing)
    body = {"body": "x"} if method == "POST" else None
    assert call(method, path, body, {"job-token": "eyJob"}) == status
    assert call("GET", MR, None, {"job-token": "eyWrong"}) == 401


def test_a_job_token_sees_nothing_beyond_the_allowlist(emulated: Any, call: Callable[..., int]) -> None:
    emulated.jobs["eyJob"] = JobSubject(
        user_id=emulated.state.user("mara").id, project_id=emulated.state.project("payk12/other").id, job_id=1
    )
    assert call("GET", MR, None, {"job-token": "eyJob"}) == 404


def test_what_the_emulator_does_not_know_is_named(emulated: Any) -> None:
    headers = {"private-token": emulated.token("mara")}
    unknown = httpx2.get(f"{emulated.url}/api/v4/projects/1/wikis", headers=headers, timeout=60)
    assert (unknown.status_code, "GET /api/v4/projects/1/wikis" in unknown.json()["error"]) == (404, True)
    parameter = httpx2.get(f"{emulated.url}{CONTACTS}/hooks?colour=red", headers=headers, timeout=60)
    assert (parameter.status_code, "colour" in parameter.json()["error"]) == (400, True)
    field = httpx2.put(
        f"{emulated.url}{CONTACTS}/merge_requests/1", headers=headers, json={"milestone_id": 1}, timeout=60
    )
    assert (field.status_code, "milestone_id" in field.json()["error"]) == (400, True)
