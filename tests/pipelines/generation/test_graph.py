"""Plan → jobs and needs."""

from collections.abc import Callable

import pytest

from pipelines.generation.graph import ENDINGS, ChildPipeline, Ending, GraphError, Origin, build
from pipelines.language import Approval, IssueKey, Phase, Plan, PlanOutcome, ProjectPath, RunId
from pipelines.language.catalogue import Catalogue
from pipelines.language.pipeline_key import fix
from pipelines.language.wire import RepositoryPhase
from tests.pipelines.conftest import prepared

Plans = Callable[..., Plan]
Catalogues = Callable[..., Catalogue]


def graph(
    plan: Plan,
    catalogue: Catalogue,
    *,
    run: str = "0123456789abcdef",
    key: str = "PL-479",
    approval: Approval = Approval.NOT_NEEDED,
    confidential: bool = False,
    done: tuple[RepositoryPhase, ...] | None = None,
) -> ChildPipeline:
    return build(
        plan,
        catalogue=catalogue,
        origin=Origin(
            run=RunId(run),
            pipeline=fix(1),
            issue_key=IssueKey(key),
            receiver="http://r.example.com",
        ),
        approval=approval,
        confidential=confidential,
        done=prepared(catalogue) if done is None else done,
    )


def test_each_phase_has_one_job_for_each_repository(plan_of: Plans, catalogue_of: Catalogues) -> None:
    child = graph(plan_of(["payk12/r2", "payk12/r1"]), catalogue_of(["python", "nextjs", "dotnet"]))
    assert [job.name for job in child.jobs] == [
        f"{phase}: payk12/{name}"
        for phase in ("reproduction", "implementation", "testing", "merge_request")
        for name in ("r2", "r1")
    ]


def test_reproduction_and_implementation_overlap(plan_of: Plans, catalogue_of: Catalogues) -> None:
    child = graph(plan_of(["payk12/r1"]), catalogue_of(["python"]))
    needs = {job.stage: job.needs for job in child.jobs}
    assert needs[Phase.REPRODUCTION] == ()
    assert needs[Phase.IMPLEMENTATION] == ()
    assert needs[Phase.TESTING] == ("reproduction: payk12/r1", "implementation: payk12/r1")
    assert needs[Phase.MERGE_REQUEST] == ("implementation: payk12/r1", "testing: payk12/r1")


def test_linked_merge_requests_wait_until_every_repository_is_tested(plan_of: Plans, catalogue_of: Catalogues) -> None:
    child = graph(plan_of(["payk12/r1", "payk12/r2"]), catalogue_of(["python", "python"]))
    last = [job for job in child.jobs if job.stage is Phase.MERGE_REQUEST]
    assert [(job.needs, job.artifacts_from) for job in last] == [
        (None, (f"implementation: payk12/{name}", f"testing: payk12/{name}")) for name in ("r1", "r2")
    ]


def test_a_review_stands_between_testing_and_merge_request_where_policy_asks_for_it(
    plan_of: Plans, catalogue_of: Catalogues
) -> None:
    for mode in ("advise", "once"):
        child = graph(plan_of(["payk12/r1"]), catalogue_of(["python"], f"policy: {{review: {mode}}}\n"))
        assert child.stages[-3:] == (Phase.TESTING, Phase.REVIEW, Phase.MERGE_REQUEST)
        needs = {job.stage: job.needs for job in child.jobs}
        assert needs[Phase.REVIEW] == ("implementation: payk12/r1", "testing: payk12/r1")
        assert needs[Phase.MERGE_REQUEST] == (
            *("implementation: payk12/r1", "testing: payk12/r1", "review: payk12/r1"),
        )
    assert Phase.REVIEW not in graph(plan_of(["payk12/r1"]), catalogue_of(["python"])).stages


@pytest.mark.parametrize("outcome", [outcome for outcome in PlanOutcome if outcome is not PlanOutcome.FIX])
def test_only_the_outcome_fix_leads_to_jobs(outcome: PlanOutcome, plan_of: Plans, catalogue_of: Catalogues) -> None:
    child = graph(plan_of(["payk12/r1"], outcome), catalogue_of(["python"]))
    assert (child.jobs, child.stacks, child.ending) == ((), {}, ENDINGS[outcome])
    silent = graph(plan_of(["payk12/r1"], outcome), catalogue_of(["python"]), confidential=True)
    assert silent.ending is Ending.HANDED_OVER, "the name of a job is read by everybody"


def test_a_repository_named_twice_has_its_jobs_once(plan_of: Plans, catalogue_of: Catalogues) -> None:
    assert len(graph(plan_of(["payk12/r1", "payk12/r1"]), catalogue_of(["python"])).jobs) == 4


@pytest.mark.parametrize(
    ("paths", "arguments", "sentence"),
    [
        ([], {}, "names no repository"),
        (["evil/$(id)"], {}, "names 1 repositories that bug-fix.yml does not"),
        (["payk12/r1"], {"run": "0123\nscript: x"}, "The run id is not one"),
        (["payk12/r1"], {"key": "PL-479: x"}, "The issue key is not one"),
    ],
)
def test_what_the_receiver_would_not_have_accepted_is_refused_without_repeating_it(
    paths: list[str], arguments: dict[str, str], sentence: str, plan_of: Plans, catalogue_of: Catalogues
) -> None:
    with pytest.raises(GraphError, match=sentence) as error:
        graph(plan_of(paths), catalogue_of(["python"]), **arguments)
    assert "$(id)" not in str(error.value)


@pytest.mark.parametrize("approval", Approval)
def test_a_plan_that_waits_for_approval_leads_to_no_jobs_yet(
    approval: Approval, plan_of: Plans, catalogue_of: Catalogues
) -> None:
    child = graph(plan_of(["payk12/r1"]), catalogue_of(["python"]), approval=approval)
    assert child.ending is (Ending.AWAITING_APPROVAL if approval is Approval.AWAITED else None)
    assert bool(child.jobs) == (approval is not Approval.AWAITED)


def test_no_name_in_a_pipeline_says_that_it_is_about_security(plan_of: Plans, catalogue_of: Catalogues) -> None:
    child = graph(plan_of(["payk12/r1"], PlanOutcome.SECURITY_CONCERN), catalogue_of(["python"]))
    assert child.ending is Ending.HANDED_OVER
    assert not [ending for ending in Ending if "secur" in ending]


def of(phase: Phase, *names: str) -> tuple[RepositoryPhase, ...]:
    return tuple(RepositoryPhase(phase=phase, repository=ProjectPath(f"payk12/{name}")) for name in names)


def test_an_attempt_that_needs_a_new_implementation_only_has_no_other_jobs(
    plan_of: Plans, catalogue_of: Catalogues
) -> None:
    done = (*of(Phase.PREPARE, "r1"), *of(Phase.REPRODUCTION, "r1"))
    child = graph(plan_of(["payk12/r1"]), catalogue_of(["python"], "policy: {review: once}\n"), done=done)
    assert [job.stage for job in child.jobs] == [Phase.IMPLEMENTATION, Phase.TESTING, Phase.REVIEW, Phase.MERGE_REQUEST]
    assert child.stages == tuple(job.stage for job in child.jobs)
    assert child.jobs[1].needs == ("implementation: payk12/r1",)


def test_what_can_not_be_reused_has_its_job_in_the_child(plan_of: Plans, catalogue_of: Catalogues) -> None:
    done = (*of(Phase.PREPARE, "r1"), *of(Phase.REPRODUCTION, "r2"))
    child = graph(plan_of(["payk12/r1", "payk12/r2"]), catalogue_of(["python", "python"]), done=done)
    names = [job.name for job in child.jobs]
    assert names[:2] == ["prepare: payk12/r2", "reproduction: payk12/r1"]
    needs = {job.name: job.needs for job in child.jobs}
    assert needs["testing: payk12/r1"] == ("reproduction: payk12/r1", "implementation: payk12/r1")
    assert needs["testing: payk12/r2"] == ("prepare: payk12/r2", "implementation: payk12/r2")
