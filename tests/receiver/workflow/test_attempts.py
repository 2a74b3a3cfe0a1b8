"""Why an iteration begins and what it reuses."""

from typing import Any

import pytest
from msgspec.structs import replace

from pipelines.language import Phase, PhaseReport, PrepareResult, ProjectPath, ReportOutcome
from pipelines.language.catalogue import Catalogue
from pipelines.language.repository import Repository, Stack
from receiver.workflow.attempts import REUSES, next_attempt, reuse_key
from receiver.workflow.run import Cause, Run, RunStatus

P = Phase
REPOSITORY = ProjectPath("payk12/contacts")
OTHER = ProjectPath("payk12/api")
BASES = {REPOSITORY: "a" * 40, OTHER: "f" * 40}


@pytest.fixture
def catalogue(world: Any) -> Catalogue:
    stack = Stack(preset="python", image="python:3.11@sha256:1")
    repository = Repository(key="contacts", project=REPOSITORY, agent="default", stack=stack)
    return replace(world.catalogue, repositories={REPOSITORY: repository}, sha256="0" * 64)  # type: ignore[no-any-return]


def made(world: Any, phase: Phase, **changes: Any) -> PhaseReport:
    """Return an accepted report by the current job client."""
    if phase is P.PREPARE:
        result = PrepareResult(base_sha=BASES[REPOSITORY], baseline=None)
        report = replace(world.report(P.REPRODUCTION), phase=phase, result=result)
    else:
        report = world.report(phase)
    return replace(report, **{"client": "1.0"} | changes)  # type: ignore[no-any-return]


@pytest.fixture
def run(world: Any) -> Run:
    phases = (P.ANALYSIS, P.PREPARE, P.REPRODUCTION, P.IMPLEMENTATION, P.TESTING, P.REVIEW)
    reports = tuple(made(world, phase) for phase in phases)
    return world.run(RunStatus.RUNNING, base_shas=BASES, reports=reports)  # type: ignore[no-any-return]


@pytest.mark.parametrize("cause", Cause)
def test_a_cause_says_which_phases_still_hold(cause: Cause, run: Run, catalogue: Catalogue) -> None:
    attempt = next_attempt(run, cause, catalogue=catalogue)
    assert (attempt.number, attempt.cause) == (2, cause)
    assert {one.phase for one in attempt.reuses} == REUSES[cause] - {P.REVIEW, P.MERGE_REQUEST}  # these say no base
    assert attempt.keeps_plan == (cause not in {Cause.ADMITTED, Cause.ANSWERED, Cause.REPLANNED})


def test_what_was_reused_once_is_reused_again(run: Run, catalogue: Catalogue) -> None:
    later = replace(run, iteration=2)
    attempt = next_attempt(later, Cause.SENT_BACK, catalogue=catalogue)
    assert (attempt.number, {one.iteration for one in attempt.reuses}) == (3, {1})


@pytest.mark.parametrize(
    "changes", [{"client": ""}, {"outcome": ReportOutcome.FAILED}, {"repository": OTHER}, {"result": None}]
)
def test_a_report_that_cannot_be_judged_is_made_again(
    changes: dict[str, Any], world: Any, run: Run, catalogue: Catalogue
) -> None:
    run = replace(run, reports=(made(world, P.ANALYSIS), made(world, P.REPRODUCTION, **changes)))
    attempt = next_attempt(run, Cause.SENT_BACK, catalogue=catalogue)
    assert [one.phase for one in attempt.reuses] == [P.ANALYSIS]


def test_a_reproduction_that_said_no_is_made_again(world: Any, run: Run, catalogue: Catalogue) -> None:
    no = replace(world.result(P.REPRODUCTION), reproduced=False)
    run = replace(run, reports=(made(world, P.REPRODUCTION, result=no),))
    assert next_attempt(run, Cause.SENT_BACK, catalogue=catalogue).reuses == ()


def test_every_part_of_the_key_counts(world: Any, catalogue: Catalogue) -> None:
    report = made(world, P.REPRODUCTION)
    stack = Stack(preset="python", image="python:3.12")
    repository = replace(catalogue.repositories[REPOSITORY], stack=stack)
    test = replace(world.result(P.REPRODUCTION), test_sha256="e" * 64)
    known = {"base_shas": BASES, "catalogue": catalogue, "client": "1.0"}
    variants: list[tuple[PhaseReport, dict[str, Any]]] = [
        (report, {}),
        (report, {"base_shas": {**BASES, OTHER: "9" * 40}}),
        (report, {"catalogue": replace(catalogue, sha256="1" * 64)}),
        (report, {"catalogue": replace(catalogue, repositories={REPOSITORY: repository})}),
        (report, {"client": "1.1"}),
        (replace(report, result=test), {}),
        (made(world, P.PREPARE), {}),
    ]
    keys = [reuse_key(one, **known | changes) for one, changes in variants]
    assert None not in keys
    assert len(set(keys)) == len(variants)


def test_a_moved_base_commit_leaves_nothing_to_reuse(world: Any, catalogue: Catalogue) -> None:
    moved = {**BASES, REPOSITORY: "9" * 40}
    for phase in (P.PREPARE, P.REPRODUCTION):
        assert reuse_key(made(world, phase), base_shas=moved, catalogue=catalogue, client="1.0") is None
