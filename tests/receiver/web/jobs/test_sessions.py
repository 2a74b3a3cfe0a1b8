"""Who gets a session: real jobs of the emulated GitLab with real ID tokens, over sockets; and everybody who doesn't."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import gitlab
import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from pipelines.job.communication.receiver_client import ReceiverClient
from pipelines.language import Phase, RunId
from pipelines.language.wire import RunSpec, SessionRequest, decode
from tests.receiver.web.jobs.conftest import wait_for

pytestmark = pytest.mark.integration

PROPOSED = "p" * 43


def test_a_running_job_of_our_pipeline_gets_a_session_and_is_told_what_to_do(door: Any) -> None:
    job, token = door.world.token(door.pipeline, "analysis")
    answer = door.ask(token)
    assert answer.status_code == 201, answer.text
    session = answer.json()
    assert session["gateway_url"] == "http://receiver.example/gateway"
    told = httpx2.get(f"{door.url}/api/jobs/spec", headers={"authorization": f"Bearer {session['token']}"}, timeout=60)
    spec = decode(told.content, RunSpec)
    assert (spec.phase, spec.run, spec.iteration, spec.branch) == (
        "analysis",
        "00000000000000aa",
        1,
        "bug-fix/PL-479-apostrophes",
    )
    (stored,) = door.desk.rows("SELECT job_id, phase, repository, pipeline_id, token_sha256 FROM sessions")
    assert stored == (job, "analysis", None, door.pipeline.id, hashlib.sha256(session["token"].encode()).hexdigest())
    assert door.desk.one("SELECT pipeline_id FROM claims") == door.pipeline.id


def test_a_job_of_the_child_pipeline_gets_a_session_for_its_phase_and_repository(door: Any) -> None:
    child = door.world.child(door.pipeline)
    _, token = door.world.token(child, "testing: payk12/contacts")
    assert door.ask(token, "testing", repository="payk12/contacts").status_code == 201
    assert door.desk.rows("SELECT phase, repository, pipeline_id FROM sessions") == [
        ("testing", "payk12/contacts", child.id)
    ]


def test_an_id_token_opens_one_session_and_whoever_steals_it_comes_too_late(door: Any) -> None:
    _, token = door.world.token(door.pipeline, "analysis")
    assert door.ask(token, proposed_token=PROPOSED).status_code == 201
    for stolen in ({}, {"proposed_token": "q" * 43}):
        again = door.ask(token, **stolen)
        assert (again.status_code, "used before" in again.json()["detail"]) == (403, True)
    assert door.desk.one("SELECT count(*) FROM sessions") == 1
    assert any("used before" in reason for reason in door.desk.refusals())


def test_a_proposed_token_that_could_be_guessed_is_refused(door: Any) -> None:
    _, token = door.world.token(door.pipeline, "analysis")
    for weak in ("", "short", "p" * 42, "p" * 42 + "!", "p" * 87):
        assert door.ask(token, proposed_token=weak).status_code == 403
    assert door.desk.one("SELECT count(*) FROM sessions") == 0


class Lossy(httpx2.HTTPTransport):
    """A network that loses the answer to the first request."""

    lost = 0

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = super().handle_request(request)
        if not self.lost:
            answer.read()
            self.lost = answer.status_code
            raise httpx2.ReadError("the answer was lost", request=request)
        return answer


def test_the_job_s_client_gets_its_session_although_the_answer_was_lost(door: Any) -> None:
    _, token = door.world.token(door.pipeline, "analysis")
    network = Lossy()
    client = ReceiverClient(door.url, transport=network)
    client.open_session(
        SessionRequest(run=RunId("00000000000000aa"), iteration=1, phase=Phase.ANALYSIS), id_token=token
    )
    assert client.spec().phase is Phase.ANALYSIS
    assert network.lost == 201
    assert door.desk.one("SELECT count(*) FROM sessions") == 1
    client.close()


def test_a_job_that_a_person_retried_is_refused_with_the_cure(door: Any) -> None:
    """It would run with that person's rights."""
    pipeline = door.other(ours=True)
    job, ours = door.world.token(pipeline, "analysis")
    person = gitlab.Gitlab(door.world.url, private_token=door.world.secrets.admin_token).projects.get("payk12/bug-fix")
    person.jobs.get(job).cancel()
    wait_for(lambda: True if person.jobs.get(job).status == "canceled" else None)
    person.jobs.get(job).retry()
    again, token = door.world.token(pipeline, "analysis")
    answer = door.ask(token)
    assert again != job
    assert answer.status_code == 403
    assert all(part in answer.json()["detail"] for part in ("retried it in GitLab", "set it again"))
    assert door.ask(door.world.signed(ours, user_id=None)).status_code == 401
    assert door.desk.one("SELECT count(*) FROM sessions") == 0


def test_a_job_may_only_be_what_its_name_says(door: Any) -> None:
    _, analysis = door.world.token(door.pipeline, "analysis")
    _, lint = door.world.token(door.pipeline, "lint")
    _, testing = door.world.token(door.world.child(door.pipeline), "testing: payk12/contacts")
    for token, phase, repository in (
        (analysis, "merge_request", "payk12/contacts"),
        (analysis, "analysis", "payk12/contacts"),
        (lint, "analysis", None),
        (testing, "implementation", "payk12/contacts"),
        (testing, "testing", "payk12/other"),
        (testing, "testing", None),
    ):
        answer = door.ask(token, phase, repository=repository)
        assert (answer.status_code, "is named" in answer.json()["detail"]) == (403, True)
    assert door.desk.one("SELECT count(*) FROM sessions") == 0
    assert len(door.desk.refusals()) >= 5


def test_a_job_faster_than_our_commit_comes_back_a_moment_later(door: Any) -> None:
    _, token = door.world.token(door.pipeline, "analysis")
    door.desk.rows("DELETE FROM pipelines")
    early = door.ask(token)
    assert (early.status_code, int(early.headers["retry-after"]) > 0) == (425, True)
    door.desk.rows(
        "INSERT INTO pipelines (id, project_id, run_id, iteration, status, url, seen_at)"
        " SELECT %s, %s, id, 1, 'running', '', now() FROM runs",
        door.pipeline.id,
        door.world.project.id,
    )
    assert door.ask(token).status_code == 201


def test_a_second_pipeline_of_an_iteration_is_refused_and_cancelled(door: Any) -> None:
    other = door.other(ours=False)
    _, token = door.world.token(other, "analysis")
    for _ in range(2):
        answer = door.ask(token)
        assert (answer.status_code, "being cancelled" in answer.json()["detail"]) == (409, True)
    assert door.desk.rows("SELECT kind, (payload->>'pipeline')::int, (payload->>'project_id')::int FROM effects") == [
        ("CancelPipeline", other.id, door.world.project.id)
    ]
    _, ours = door.world.token(door.pipeline, "analysis")
    assert door.ask(ours).status_code == 201


def test_of_two_pipelines_that_we_started_by_accident_the_first_to_ask_holds_the_iteration(door: Any) -> None:
    other = door.other(ours=True)
    _, first = door.world.token(other, "analysis")
    _, second = door.world.token(door.pipeline, "analysis")
    assert door.ask(first).status_code == 201
    answer = door.ask(second)
    assert (answer.status_code, f"Pipeline {other.id} is the run's fix 1" in answer.json()["detail"]) == (409, True)
    assert door.desk.rows("SELECT (payload->>'pipeline')::int FROM effects") == [(door.pipeline.id,)]


def test_the_child_of_a_foreign_pipeline_is_refused(door: Any) -> None:
    door.world.child(door.pipeline)
    foreign = door.world.child(door.other(ours=False))
    _, token = door.world.token(foreign, "testing: payk12/contacts")
    assert door.ask(token, "testing", repository="payk12/contacts").status_code == 409
    assert door.desk.rows("SELECT (payload->>'pipeline')::int FROM effects") == [(foreign.id,)]


def test_a_job_that_has_ended_gets_nothing(door: Any) -> None:
    job, token = door.world.token(door.other(ours=True), "analysis")
    door.world.project.jobs.get(job).cancel()
    answer = door.ask(token)
    assert (answer.status_code, "not running" in answer.json()["detail"]) == (403, True)


@pytest.mark.parametrize(
    ("claims", "status", "says"),
    [
        ({"project_id": "999"}, 403, "not the automation project"),
        ({"ref": "evil"}, 403, "branch"),
        ({"ref_protected": "false"}, 403, "not protected"),
        ({"pipeline_source": "push"}, 403, "not started by"),
        ({"pipeline_source": "merge_request_event"}, 403, "not started by"),
        ({"job_id": "999999"}, 403, "does not know the job"),
        ({"pipeline_id": "999999"}, 403, "another pipeline"),
        ({"iss": "http://evil.example"}, 401, "issuer"),
        ({"aud": "http://evil.example"}, 401, "udience"),
        ({"jti": None}, 401, "jti"),
        ({"exp": None}, 401, "exp"),
        ({"ref_type": None}, 401, "ref_type"),
        ({"exp": 1_000_000_000}, 401, "expired"),
    ],
)
def test_each_claim_that_does_not_fit_is_refused_with_its_sentence(
    claims: dict[str, Any], status: int, says: str, door: Any
) -> None:
    _, token = door.world.token(door.pipeline, "analysis")
    answer = door.ask(door.world.signed(token, **claims))
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert says in answer.json()["detail"]
    assert door.desk.one("SELECT count(*) FROM sessions") == 0


@pytest.mark.parametrize("change", ["iteration = 1", "status = 'escalated'", "iteration = 2"])
def test_a_job_of_another_project_writes_nothing_into_a_run_s_story(change: str, door: Any) -> None:
    _, token = door.world.token(door.pipeline, "analysis")
    door.desk.rows(f"UPDATE runs SET {change}")  # noqa: S608 - a constant of this test
    foreign = door.ask(door.world.signed(token, project_id="999"))
    assert (foreign.status_code, "not the automation project" in foreign.json()["detail"]) == (403, True)
    assert door.desk.refusals() == []
    assert door.ask(door.world.signed(token, ref="evil")).status_code == 403
    assert ["branch" in reason for reason in door.desk.refusals()] == [True]


def test_a_token_that_is_meant_for_others_as_well_is_refused(door: Any) -> None:
    _, token = door.world.token(door.pipeline, "analysis")
    assert door.ask(door.world.signed(token, aud=["http://receiver.example", "http://evil.example"])).status_code == 401


def test_clocks_may_be_a_little_apart_and_no_more(door: Any) -> None:
    _, token = door.world.token(door.pipeline, "analysis")
    now = int(time.time())
    for claims, status in (({"nbf": now + 60}, 401), ({"exp": now - 60}, 401), ({"nbf": now + 5}, 201)):
        assert door.ask(door.world.signed(token, **claims)).status_code == status


def part(document: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def test_only_the_issuer_s_own_rs256_signature_counts(door: Any) -> None:
    _, token = door.world.token(door.pipeline, "analysis")
    said = jwt.decode(token, options={"verify_signature": False})
    kid = jwt.get_unverified_header(token)["kid"]
    stranger = generate_private_key(public_exponent=65537, key_size=2048)
    modulus = door.world.ci.site.signer.keys()["keys"][0]["n"].encode()
    signed_part = f"{part({'alg': 'HS256', 'kid': kid, 'typ': 'JWT'})}.{part(said)}"
    digest = hmac.new(modulus, signed_part.encode(), hashlib.sha256).digest()
    forged = {
        "none": f"{part({'alg': 'none', 'kid': kid})}.{part(said)}.",
        "hs256 with the public key": f"{signed_part}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}",
        "another key": jwt.encode(said, stranger, algorithm="RS256", headers={"kid": kid}),
        "no kid": jwt.encode(said, stranger, algorithm="RS256"),
        "a changed claim": ".".join([token.split(".")[0], part(said | {"job_id": "1"}), token.split(".")[2]]),
        "no token": "x",
    }
    for name, one in forged.items():
        assert (name, door.ask(one).status_code) == (name, 401)
    assert door.desk.one("SELECT count(*) FROM sessions") == 0


def test_unknown_keys_are_looked_up_once_in_a_while_and_known_ones_go_on_working(door: Any) -> None:
    _, token = door.world.token(door.pipeline, "analysis")
    stranger = generate_private_key(public_exponent=65537, key_size=2048)
    said = jwt.decode(token, options={"verify_signature": False})
    codes = [
        door.ask(jwt.encode(said, stranger, algorithm="RS256", headers={"kid": f"k{number}"})) for number in range(5)
    ]
    assert [answer.status_code for answer in codes] == [401, 503, 503, 503, 503]
    assert "retry-after" in codes[-1].headers
    assert door.ask(token).status_code == 201


@pytest.mark.parametrize(
    ("change", "status"), [("status = 'escalated'", 403), ("iteration = 2", 403), ("iteration = 0", 425)]
)
def test_a_run_that_has_ended_or_is_elsewhere_lets_nobody_in(change: str, status: int, door: Any) -> None:
    _, token = door.world.token(door.pipeline, "analysis")
    door.desk.rows(f"UPDATE runs SET {change}")  # noqa: S608 - a constant of this test
    assert door.ask(token).status_code == status


@pytest.mark.parametrize("run", ["0" * 16, "", "x\0y", "../../etc", "0" * 10_000])
def test_a_run_that_there_is_not_is_refused_and_breaks_nothing(run: str, door: Any) -> None:
    _, token = door.world.token(door.pipeline, "analysis")
    assert door.ask(token, run=run).status_code == 403


def test_while_gitlab_is_away_nobody_is_refused_for_good(door: Any) -> None:
    _, token = door.world.token(door.pipeline, "analysis")
    fault = {"requests": [{"path": "*/jobs/*", "status": 502}]}
    httpx2.post(f"{door.world.url}/_sandbox/faults", json=fault, timeout=60).raise_for_status()
    answer = door.ask(token)
    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
    assert door.ask(token).status_code == 201
