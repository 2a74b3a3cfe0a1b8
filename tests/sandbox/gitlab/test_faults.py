"""Faults of the API's answers, on demand: refused, lost after the work was done, slow, limited."""

from typing import Any

import gitlab
import httpx2
import pytest
import requests

pytestmark = pytest.mark.integration
COMMIT = {
    "branch": "topic",
    "start_branch": "main",
    "commit_message": "Fix",
    "actions": [{"action": "create", "file_path": "x", "content": "x"}],
}


@pytest.fixture
def project(emulated: Any) -> Any:
    return emulated.client().projects.get("payk12/contacts", lazy=True)


def branches(project: Any) -> list[str]:
    return [one.name for one in project.branches.list(get_all=True)]


def test_the_next_requests_that_match_are_refused_and_not_carried_out(emulated: Any, project: Any) -> None:
    emulated.faults(requests=[{"method": "POST", "path": "/api/v4/*/commits", "times": 2, "status": 502}])
    for _ in range(2):
        with pytest.raises(gitlab.GitlabCreateError, match="502"):
            project.commits.create(COMMIT)
    assert branches(project) == ["main"]
    project.commits.create(COMMIT)
    assert branches(project) == ["main", "topic"]


@pytest.mark.parametrize("status", [500, None])
def test_an_answer_is_lost_after_the_work_was_done(emulated: Any, project: Any, status: int | None) -> None:
    emulated.faults(requests=[{"method": "POST", "when": "after", "status": status}])
    with pytest.raises((gitlab.GitlabCreateError, requests.ConnectionError)):
        project.commits.create(COMMIT)
    assert branches(project) == ["main", "topic"]


def test_429_tells_when_to_come_back(emulated: Any) -> None:
    emulated.faults(requests=[{"status": 429, "retry_after": 7}])
    answer = httpx2.get(f"{emulated.url}/api/v4/user", headers={"private-token": emulated.token("bot")}, timeout=60)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")


def test_the_client_waits_as_long_as_429_says_and_goes_on(emulated: Any, project: Any) -> None:
    emulated.faults(requests=[{"status": 429, "retry_after": 0}])
    assert branches(project) == ["main"]


def test_a_rate_limit_counts_requests(emulated: Any) -> None:
    emulated.faults(rate_limit={"requests": 3, "period_s": 60})
    headers = {"private-token": emulated.token("bot")}
    statuses = [httpx2.get(f"{emulated.url}/api/v4/user", headers=headers, timeout=60).status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    httpx2.delete(f"{emulated.url}/_sandbox/faults", timeout=60).raise_for_status()
    assert httpx2.get(f"{emulated.url}/api/v4/user", headers=headers, timeout=60).status_code == 200


def test_lists_are_paged_as_small_as_asked_for_until_the_switch_is_turned_off(emulated: Any, project: Any) -> None:
    for number in range(4):
        project.commits.create({**COMMIT, "branch": f"b{number}"})
    emulated.faults(page_size=2)
    first = project.branches.list(page=1, per_page=100)
    assert ([one.name for one in first], len(branches(project))) == (["b0", "b1"], 5)
    httpx2.delete(f"{emulated.url}/_sandbox/faults", timeout=60).raise_for_status()
    assert len(project.branches.list(page=1, per_page=100)) == 5


def test_a_fault_that_is_misspelt_is_refused(emulated: Any) -> None:
    answer = httpx2.post(f"{emulated.url}/_sandbox/faults", json={"requests": [{"statsu": 500}]}, timeout=60)
    assert (answer.status_code, "statsu" in answer.json()["error"]) == (400, True)


def test_the_dump_tells_what_is_there_and_what_was_asked(emulated: Any, project: Any) -> None:
    project.commits.create(COMMIT)
    dump = httpx2.get(f"{emulated.url}/_sandbox/state", timeout=60).json()
    (contacts,) = [one for one in dump["projects"] if one["path_with_namespace"] == "payk12/contacts"]
    assert set(contacts["branches"]) == {"main", "topic"}
    assert contacts["members"]["bug-fix-bot"] == 30
    assert dump["requests"]["counts"] == {"POST 201": 1}
    assert dump["requests"]["entries"][-1]["path"] == "/api/v4/projects/payk12/contacts/repository/commits"
