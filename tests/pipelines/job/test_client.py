"""How a job talks to its receiver: patient with what may pass, short with a no."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest
import stamina

from pipelines.job.communication.errors import ExitCode, JobError, ReceiverRefusedError
from pipelines.job.communication.receiver_client import ReceiverClient
from pipelines.language import Phase, RunId
from pipelines.language.wire import Session, SessionRequest, encode, sha256

REQUEST = SessionRequest(run=RunId("0123456789abcdef"), iteration=1, phase=Phase.GENERATE)
SESSION = encode(Session(token="s-1", expires_at="2030-01-01T00:00:00Z", gateway_url="http://r/gateway"))


class Script:
    """Answers in the order given; the last one again and again."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def client(script: Script, *, patience_s: float = 30.0) -> ReceiverClient:
    return ReceiverClient("http://receiver", patience_s=patience_s, transport=httpx2.MockTransport(script))


def opened(*answers: httpx2.Response | Exception, patience_s: float = 30.0) -> tuple[ReceiverClient, Script]:
    script = Script(httpx2.Response(201, content=SESSION), *answers)
    made = client(script, patience_s=patience_s)
    made.open_session(REQUEST, id_token="id-1")
    return made, script


@pytest.fixture(autouse=True)
def waits() -> Iterator[list[float]]:
    """Record how long the client would wait, and wait no more than a moment."""
    found: list[float] = []

    def note(details: stamina.instrumentation.RetryDetails) -> None:
        found.append(details.wait_for)

    stamina.instrumentation.set_on_retry_hooks([note])
    yield found
    stamina.instrumentation.set_on_retry_hooks(None)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
def test_what_may_pass_is_asked_again(status: int) -> None:
    made, script = opened(httpx2.Response(status, headers={"retry-after": "0"}), httpx2.Response(202, json={}))
    made.report(b"{}")
    assert [request.url.path for request in script.requests[1:]] == ["/api/jobs/report"] * 2


def test_a_lost_connection_is_tried_again() -> None:
    made, script = opened(httpx2.ConnectError("refused"), httpx2.Response(202, json={}))
    made.report(b"{}")
    assert len(script.requests) == 3


def test_the_receiver_says_how_long_to_wait(waits: list[float]) -> None:
    made, _ = opened(httpx2.Response(425, headers={"retry-after": "0.05"}), httpx2.Response(202, json={}))
    made.report(b"{}")
    assert waits == [0.05]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422])
def test_a_no_is_not_argued_with(status: int) -> None:
    problem = {"status": status, "detail": "The iteration is claimed by another pipeline."}
    made, script = opened(httpx2.Response(status, json=problem))
    with pytest.raises(ReceiverRefusedError, match="claimed by another pipeline") as caught:
        made.spec()
    assert caught.value.exit_code is ExitCode.REFUSED
    assert len(script.requests) == 2


def test_patience_ends_with_a_sentence_that_says_what_to_check() -> None:
    made, _ = opened(httpx2.Response(503, text="database down"), patience_s=0.3)
    with pytest.raises(JobError, match=r"database down.*Check that it runs") as caught:
        made.report(b"{}")
    assert caught.value.exit_code is ExitCode.FAILED


def test_the_id_token_goes_out_once_and_the_session_token_from_then_on() -> None:
    made, script = opened(httpx2.Response(202, json={}))
    made.report(b"{}")
    assert [request.headers["authorization"] for request in script.requests] == ["Bearer id-1", "Bearer s-1"]


def test_a_blob_is_put_under_its_hash() -> None:
    made, script = opened(httpx2.Response(201, json={}))
    assert made.put_blob(b"patch") == sha256(b"patch")
    assert script.requests[-1].method == "PUT"
    assert script.requests[-1].url.path == f"/api/jobs/blobs/{sha256(b'patch')}"


def test_without_an_id_token_the_job_says_what_its_definition_lacks() -> None:
    with pytest.raises(JobError, match="id_tokens"):
        client(Script(httpx2.Response(201, content=SESSION))).open_session(REQUEST, id_token="")


def test_an_answer_of_another_release_is_named() -> None:
    made, _ = opened(httpx2.Response(200, json={"run": 1}))
    with pytest.raises(JobError, match="of one release"):
        made.spec()
