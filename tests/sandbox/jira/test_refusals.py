"""The emulator refuses as Jira does, and says loudly what it doesn't know."""

from typing import Any

import httpx2
import jira
import pytest

pytestmark = pytest.mark.integration


def test_an_unknown_issue_is_404_in_jira_s_words(unchanged: Any) -> None:
    with pytest.raises(jira.JIRAError, match="Issue does not exist or you do not have permission to see it") as refused:
        unchanged.client().issue("PL-1")
    assert refused.value.status_code == 404


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Basic !!"}, {"authorization": "Basic Ym9iOndyb25n"}, {"authorization": "Digest x"}],
)
def test_without_good_credentials_nobody_reads_anything(unchanged: Any, headers: dict[str, str]) -> None:
    answer = httpx2.get(f"{unchanged.url}/rest/api/2/issue/PL-479", headers=headers, timeout=60)
    assert answer.status_code == 401
    assert answer.json() == {"errorMessages": ["Client must be authenticated to access this resource."], "errors": {}}


def test_somebody_s_token_with_another_s_name_is_refused(unchanged_cloud: Any) -> None:
    auth = ("dana@example.org", "mara-token")
    assert httpx2.get(f"{unchanged_cloud.url}/rest/api/2/myself", auth=auth, timeout=60).status_code == 401


def test_cloud_takes_no_personal_access_token(unchanged_cloud: Any) -> None:
    headers = {"authorization": "Bearer mara-token"}
    answer = httpx2.get(f"{unchanged_cloud.url}/rest/api/2/myself", headers=headers, timeout=60)
    assert answer.status_code == 403


def test_another_version_of_rest_is_refused(unchanged: Any) -> None:
    answer = httpx2.get(f"{unchanged.url}/rest/api/3/myself", timeout=60)
    assert answer.status_code == 404
    assert "does not know GET /rest/api/3/myself" in answer.json()["errorMessages"][0]


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("GET", "/issue/PL-479/votes", None, "does not know GET /rest/api/2/issue/PL-479/votes"),
        ("GET", "/issue/PL-479?colour=red", None, "unknown query parameter: colour"),
        ("GET", "/issue/PL-479?expand=operations", None, "can't expand operations"),
        ("POST", "/issue/PL-479/comment", {"body": "x", "parent": 1}, "unknown body parameter: parent"),
        ("POST", "/issue/PL-479/comment", {"body": {"type": "doc", "version": 1}}, "must be a string"),
        ("POST", "/issue/PL-479/transitions", {"transition": {}}, "Missing 'transition' identifier"),
        ("POST", "/issue/PL-479/remotelink", {"object": {"url": "https://x.example"}}, "'title' is required"),
        ("PUT", "/issue/PL-479", ["no object"], "must be a JSON object"),
    ],
)
def test_what_it_does_not_know_is_named(unchanged_cloud: Any, method: str, path: str, body: Any, said: str) -> None:
    with unchanged_cloud.http() as http:
        answer = http.request(method, path, json=body) if body is not None else http.request(method, path)
    assert answer.status_code in {400, 404}
    payload = answer.json()
    assert said in " ".join([*payload["errorMessages"], *payload["errors"].values()])


def test_a_request_fails_as_it_is_told_in_jira_s_shape(cloud: Any) -> None:
    cloud.control("POST", "faults", requests=[{"method": "GET", "path": "*/myself", "status": 429, "retry_after": 3}])
    with cloud.http() as http:
        first, second = http.get("/myself"), http.get("/myself")
    assert (first.status_code, first.headers["retry-after"]) == (429, "3")
    assert set(first.json()) == {"errorMessages", "errors"}
    assert second.status_code == 200


def test_an_answer_can_be_lost_after_the_comment_was_made(cloud: Any) -> None:
    fault = {"method": "POST", "path": "*/comment", "when": "after", "status": None}
    cloud.control("POST", "faults", requests=[fault])
    with cloud.http() as http, pytest.raises(httpx2.TransportError):
        http.post("/issue/PL-479/comment", json={"body": "on it"})
    assert [comment.body for comment in cloud.client().comments("PL-479")][-1] == "on it"


def test_the_state_tells_no_token(unchanged_cloud: Any) -> None:
    state = httpx2.get(f"{unchanged_cloud.url}/_sandbox/state", timeout=60).text
    assert "Contact creation fails" in state
    assert "-token" not in state
