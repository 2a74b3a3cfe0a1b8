"""An attempt that reuses what earlier ones made: which jobs it needs, and where those get their inputs from."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import json, to_builtins
from msgspec.structs import replace

from pipelines.language import Artifact, ArtifactKind, Phase, ProjectPath
from pipelines.language.catalogue import Catalogue
from pipelines.language.wire import InputSource, RepositoryPhase, RunSpec, decode, sha256
from receiver.workflow.attempts import reuse_key
from tests.plans import a_plan
from tests.receiver.web.jobs.reported import BASE, REPRODUCED, a_report

pytestmark = pytest.mark.integration

P = Phase
CONTACTS = ProjectPath("payk12/contacts")
TEST = b"def test_it(): ...\n"
CLIENT = "1.0"


@pytest.fixture
def second(desk: Any, jobs: Callable[..., Any], has_reported: Callable[..., None]) -> Callable[..., Any]:
    """Return the API of a job in the second attempt, which reuses plan, baseline and reproduction of the first."""

    def make(phase: Phase, *, client: str = CLIENT) -> Any:
        first = jobs(P.REPRODUCTION)
        assert first.blob(TEST).status_code == 201
        kept = Artifact(
            kind=ArtifactKind.REPRODUCTION_TEST,
            path=".bug-fix/reproduction/reproduction_test.py",
            sha256=sha256(TEST),
            size=len(TEST),
        )
        reproduced = {"result": replace(REPRODUCED, test_sha256=sha256(TEST)), "artifacts": (kept,), "client": CLIENT}
        given: dict[Phase, dict[str, Any]] = {P.ANALYSIS: {}, P.PREPARE: {"client": CLIENT}, P.REPRODUCTION: reproduced}
        catalogue = decode(json.encode(desk.one("SELECT catalogue FROM runs")), Catalogue)
        desk.rows("UPDATE runs SET iteration = 2")
        keys = []
        for job, (one, changes) in enumerate(given.items(), start=1):
            has_reported(one, job=job, **changes)
            key = reuse_key(a_report(one, **changes), base_shas={CONTACTS: BASE}, catalogue=catalogue, client=CLIENT)
            keys.append(key)
        report = desk.one("SELECT id FROM reports WHERE phase = 'analysis'")
        plan = json.encode(to_builtins(a_plan())).decode()
        desk.rows(
            "INSERT INTO plans (run_id, iteration, report_id, plan, accepted_at)"
            " VALUES ('00000000000000aa', 1, %s, %s, now())",
            report,
            plan,
        )
        desk.rows(
            "INSERT INTO iterations (run_id, number, cause, plan_id, started_at)"
            " SELECT run_id, 2, 'sent_back', id, now() FROM plans"
        )
        for job, key in enumerate(keys, start=1):
            desk.rows(
                "INSERT INTO reused_reports (run_id, iteration, report_id, key_sha256)"
                " SELECT run_id, 2, id, %s FROM reports WHERE job_id = %s",
                key,
                job,
            )
        return jobs(phase, iteration=2, client=client)

    return make


def done(api: Any) -> set[Phase]:
    """Return the phases that `generate` is told to leave out."""
    answer = api.spec()
    assert answer.status_code == 200, answer.text
    told = decode(answer.content, RunSpec)
    assert {one.repository for one in told.done} <= {CONTACTS}
    return {one.phase for one in told.done}


def test_only_a_new_implementation_is_needed(second: Any) -> None:
    assert done(second(P.GENERATE)) == {P.PREPARE, P.REPRODUCTION}


def test_the_first_attempt_is_prepared_by_the_parent_pipeline(jobs: Any, has_reported: Any) -> None:
    has_reported(P.ANALYSIS)
    told = decode(jobs(P.GENERATE).spec().content, RunSpec)
    assert told.done == (RepositoryPhase(phase=P.PREPARE, repository=CONTACTS),)


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ("UPDATE runs SET base_shas = jsonb_build_object('payk12/contacts', repeat('e', 40))", set()),
        ("UPDATE runs SET catalogue = jsonb_set(catalogue, '{sha256}', to_jsonb(repeat('9', 64)))", set()),
        ("UPDATE blobs SET content = NULL", {P.PREPARE}),
    ],
)
def test_what_does_not_hold_any_more_runs_again(change: str, left: set[Phase], second: Any, desk: Any) -> None:
    api = second(P.GENERATE)
    desk.rows(change)
    assert done(api) == left


def test_another_job_client_makes_it_anew(second: Any) -> None:
    assert done(second(P.GENERATE, client="1.1")) == set()


def test_a_reused_input_is_fetched_from_the_receiver_and_nothing_else_is(second: Any, has_reported: Any) -> None:
    api = second(P.TESTING)
    has_reported(P.IMPLEMENTATION, job=9, iteration=2)
    spec = decode(api.spec().content, RunSpec)
    sources = {one.phase: (one.source, one.content) for one in spec.inputs}
    assert sources == {P.IMPLEMENTATION: (InputSource.ARTIFACT, None), P.REPRODUCTION: (InputSource.RECEIVER, None)}
    assert spec.prepared is not None
    assert api.read_blob(sha256(TEST)).content == TEST
    other = b"another blob of the run"
    assert api.blob(other).status_code == 201
    assert api.read_blob(sha256(other)).status_code == 404


@pytest.mark.parametrize("client", [CLIENT, ""])
def test_a_report_that_names_bytes_of_another_run_opens_them_to_no_job(
    client: str, second: Any, has_reported: Any, desk: Any
) -> None:
    theirs = b"what another run found"
    api = second(P.TESTING, client=client)
    another = '{"id": "00000000000000bb", "issue_key": "PL-480"}'
    desk.rows("INSERT INTO runs SELECT (jsonb_populate_record(runs, %s)).* FROM runs", another)
    desk.rows(
        "INSERT INTO blobs (sha256, content, size, run_id, created_at) VALUES (%s, %s, 1, '00000000000000bb', now())",
        sha256(theirs),
        theirs,
    )
    forged = Artifact(
        kind=ArtifactKind.CHANGE_SET, path=".bug-fix/implementation/change-set.json", sha256=sha256(theirs), size=1
    )
    has_reported(P.IMPLEMENTATION, job=9, iteration=2, artifacts=(forged,))
    desk.rows("UPDATE runs SET confidential = true")  # so that all inputs come from the receiver
    (named,) = [one for one in decode(api.spec().content, RunSpec).inputs if one.phase is P.IMPLEMENTATION]
    assert (named.source, named.content) == (InputSource.RECEIVER, None)
    assert api.read_blob(sha256(theirs)).status_code == 404
    assert api.blob(theirs).status_code == 201, "it is not told that others have them"
    assert api.read_blob(sha256(theirs)).content == theirs


def test_a_client_of_the_release_before_is_told_the_bytes(second: Any, has_reported: Any) -> None:
    api = second(P.TESTING, client="")
    has_reported(P.IMPLEMENTATION, job=9, iteration=2)
    contents = {one.phase: one.content for one in decode(api.spec().content, RunSpec).inputs}
    assert contents == {P.IMPLEMENTATION: None, P.REPRODUCTION: TEST}


def test_an_own_report_goes_before_a_reused_one(second: Any, has_reported: Any) -> None:
    api = second(P.TESTING)
    has_reported(P.IMPLEMENTATION, job=9, iteration=2)
    has_reported(P.REPRODUCTION, job=10, iteration=2, state="pending")
    assert api.spec().status_code == 425


def test_a_job_of_a_confidential_run_fetches_all_of_its_inputs(second: Any, has_reported: Any, desk: Any) -> None:
    api = second(P.TESTING)
    patch = b"the patch"
    assert api.blob(patch).status_code == 201
    kept = Artifact(
        kind=ArtifactKind.CHANGE_SET, path=".bug-fix/change-set.json", sha256=sha256(patch), size=len(patch)
    )
    has_reported(P.IMPLEMENTATION, job=9, iteration=2, artifacts=(kept,))
    assert api.read_blob(sha256(patch)).status_code == 404, "GitLab has it as an artifact"
    desk.rows("UPDATE runs SET confidential = true")
    told = decode(api.spec().content, RunSpec).inputs
    assert {(one.source, one.content) for one in told} == {(InputSource.RECEIVER, None)}
    assert api.read_blob(sha256(patch)).content == patch
