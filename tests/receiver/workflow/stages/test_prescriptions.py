"""A failed attempt that a command of the repository mends: when a remedy is applied, and what it counts."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from pipelines.catalogue.file import read
from pipelines.language import CheckResult, Phase, PhaseReport, ReportOutcome
from pipelines.language.remedy import Action
from pipelines.language.repository import Commands
from receiver import limits
from receiver.cli import remedy_folder
from receiver.workflow.effects import StartPipeline
from receiver.workflow.remedy_state import RemedyState
from receiver.workflow.run import Cause, Decision, RemedyView, Run, RunStatus
from tests.plans import CONTACTS
from tests.receiver.workflow.stages.test_failed_attempts import at, ended, no

P = Phase
ROOT = Path(__file__).resolve().parents[4]
CATALOGUE = """\
version: 1
automation: {project: payk12/bug-fix}
jira: {project: PL, start: {allowed: ["group:payk12-developers"]}}
repositories:
  contacts: {project: payk12/contacts, stack: python, commands: {lint: ruff check, format: ruff format .}}
"""
UGLY = ("Would reformat: src/contacts/store.py", "1 file would be reformatted")


@pytest.fixture
def world(world: Any) -> Any:
    """Return a world whose repository has a formatter."""
    remedies = remedy_folder.read(ROOT / "bug-fix.yml")
    world.catalogue = read(CATALOGUE, source="bug-fix.yml", remedies=remedies)
    return world


def lint_failed(world: Any, *lines: str, **changes: Any) -> PhaseReport:
    result = replace(world.result(P.TESTING), lint=CheckResult(exit_code=1, duration_s=1.0, lines=lines or UGLY))
    return no(world, P.TESTING, "Lint was clean before the patch and ends with 1 now.", result=result, **changes)


def at_work(world: Any, iteration: int = 1, **changes: Any) -> Run:
    """Return a run whose fix of this iteration is made."""
    made = [P.ANALYSIS, P.PREPARE, P.REPRODUCTION, P.IMPLEMENTATION]
    reports = tuple(replace(world.report(one), client="1.0") for one in made if one is not P.PREPARE)
    facts = {"iteration": iteration, "pipelines": at(world, iteration), "reports": reports, **changes}
    facts["base_shas"] = {CONTACTS: "a" * 40}
    return world.run(RunStatus.RUNNING, **facts)  # type: ignore[no-any-return]


def applied(iteration: int, state: RemedyState, remedy: str = "formatting") -> RemedyView:
    return RemedyView(iteration=iteration, repository=CONTACTS, remedy=remedy, state=state)


def prescribed(decision: Decision) -> list[str]:
    assert decision.attempt is not None
    return [one.remedy for one in decision.attempt.remedies]


def test_what_only_the_formatter_has_to_mend_is_mended_by_it_and_counts_as_no_attempt(world: Any) -> None:
    decision = ended(world, at_work(world), lint_failed(world))
    attempt = decision.attempt
    assert attempt is not None
    assert (decision.status, attempt.number, attempt.cause) == (RunStatus.STARTING, 2, Cause.HEALED)
    (one,) = attempt.remedies
    assert (one.repository, one.remedy, one.tier, one.confidence, one.action) == (
        *(CONTACTS, "formatting", 1, 1, Action.COMMIT),
    )
    assert StartPipeline(iteration=2) in decision.effects
    assert decision.reason.startswith(
        "Attempt 1 failed, and a remedy is known for it (formatting in payk12/contacts). It is applied, "
        "verified and tested; it counts as no attempt. Lint was clean before the patch"
    )
    later = at_work(world, 2, remedies=(applied(2, RemedyState.VERIFIED),), healings=1)
    assert later.fixes_tried == 1


def test_the_plan_and_the_reproduction_are_kept_and_everything_after_the_change_is_shown_anew(world: Any) -> None:
    attempt = ended(world, at_work(world), lint_failed(world)).attempt
    assert attempt is not None
    assert {one.phase for one in attempt.reuses} == {P.ANALYSIS, P.REPRODUCTION}
    assert [one.output[0].lines for one in attempt.diagnoses] == [UGLY]


@pytest.mark.parametrize(
    "change",
    [
        "no command",
        "stricter policy",
        "other words",
        "no change to mend",
        "another phase",
        "verified red",
        "just applied",
        "too often",
    ],
)
def test_where_a_remedy_does_not_hold_an_agent_makes_another_attempt(world: Any, change: str) -> None:
    run, report = at_work(world), lint_failed(world)
    match change:
        case "no command":
            repository = world.catalogue.repositories[CONTACTS]
            stack = replace(repository.stack, commands=Commands(lint="ruff check"))
            world.catalogue = replace(world.catalogue, repositories={CONTACTS: replace(repository, stack=stack)})
        case "stricter policy":
            healing = replace(world.catalogue.healing, at_least={"formatting": Action.ESCALATE})
            world.catalogue = replace(world.catalogue, healing=healing)
        case "other words":
            report = lint_failed(world, "src/contacts/store.py:1:1: F821 Undefined name `quote`")
        case "no change to mend":
            run = replace(run, reports=tuple(one for one in run.reports if one.phase is not P.IMPLEMENTATION))
        case "another phase":
            report = no(world, P.IMPLEMENTATION, "The patch would reformat a file", result=None)
        case "verified red":
            run = at_work(world, 3, remedies=(applied(2, RemedyState.RED),), healings=1)
            report = lint_failed(world, iteration=3)
        case "just applied":
            run = at_work(world, 2, remedies=(applied(2, RemedyState.VERIFIED),), healings=1)
            report = lint_failed(world, iteration=2)
        case "too often":
            run = at_work(world, 5, healings=limits.HEALINGS)
            report = lint_failed(world, iteration=5)
    decision = ended(world, run, report)
    assert decision.attempt is not None
    assert (decision.attempt.cause, decision.attempt.remedies) == (Cause.FAILED, ())


def test_a_remedy_that_helped_an_earlier_change_is_applied_to_a_later_one(world: Any) -> None:
    run = at_work(world, 3, remedies=(applied(2, RemedyState.VERIFIED),), healings=1)
    assert prescribed(ended(world, run, lint_failed(world, iteration=3))) == ["formatting"]


def test_a_remedy_that_verifies_red_costs_no_attempt_and_the_next_one_is_told_why(world: Any) -> None:
    run = at_work(world, 2, remedies=(applied(2, RemedyState.RED),), healings=1)
    run = replace(run, reports=tuple(one for one in run.reports if one.phase is not P.IMPLEMENTATION))
    why = "The remedy formatting does not heal it: lint still ends with 1."
    red = replace(world.report(P.IMPLEMENTATION, ReportOutcome.REJECTED, reason=why), iteration=2, result=None)
    decision = ended(world, run, red)
    assert decision.attempt is not None
    assert (decision.attempt.number, decision.attempt.cause) == (3, Cause.FAILED)
    assert decision.attempt.diagnoses[0].messages == (why,)
    assert decision.reason.startswith("Attempt 1 of 3 failed")


def test_of_several_repositories_either_all_are_healed_or_an_agent_works(world: Any) -> None:
    other = replace(lint_failed(world), repository="payk12/api")
    decision = ended(world, at_work(world), lint_failed(world), other)
    assert decision.attempt is not None
    assert decision.attempt.cause is Cause.FAILED


def test_the_last_attempt_is_healed_as_well(world: Any) -> None:
    run = at_work(world, 3)
    assert run.fixes_tried == world.catalogue.policy.iterations
    assert prescribed(ended(world, run, lint_failed(world, iteration=3))) == ["formatting"]


def nullable(world: Any, **changes: Any) -> PhaseReport:
    said = 'src/contacts/store.py:3: error: Incompatible default for argument "since" (default has type "None")'
    return lint_failed(world, said, **changes)


def test_what_an_agent_makes_is_prescribed_with_the_declared_action(world: Any) -> None:
    decision = ended(world, at_work(world), nullable(world))
    assert decision.attempt is not None
    assert decision.attempt.cause is Cause.HEALED
    (one,) = decision.attempt.remedies
    assert (one.remedy, one.tier, one.action) == ("nullable-annotation", 1, Action.SUGGEST)


@pytest.mark.parametrize("action", [Action.SUGGEST, Action.DRAFT, Action.PROPOSE])
def test_a_stricter_policy_lets_people_judge_what_the_formatter_made(world: Any, action: Action) -> None:
    healing = replace(world.catalogue.healing, at_least={"formatting": action})
    world.catalogue = replace(world.catalogue, healing=healing)
    attempt = ended(world, at_work(world), lint_failed(world)).attempt
    assert attempt is not None
    assert [(one.remedy, one.action) for one in attempt.remedies] == [("formatting", action)]


def test_one_that_verified_red_is_not_made_again(world: Any) -> None:
    run = at_work(world, 3, remedies=(applied(2, RemedyState.RED, "nullable-annotation"),), healings=1)
    attempt = ended(world, run, nullable(world, iteration=3)).attempt
    assert attempt is not None
    assert (attempt.cause, attempt.remedies) == (Cause.FAILED, ())
