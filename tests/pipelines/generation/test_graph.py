"""Plan → jobs and needs."""

from collections.abc import Callable

import pytest

from pipelines.generation.graph import ENDINGS, ChildPipeline, Ending, GraphError, build
from pipelines.language import Approval, IssueKey, Phase, Plan, PlanOutcome, RunId
from pipelines.language.catalogue import Catalogue

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
) -> ChildPipeline:
    return build(
        plan,
        catalogue=catalogue,
        run=RunId(run),
        iteration=1,
        issue_key=IssueKey(key),
        receiver="http://r.example.com",
        approval=approval,
        confidential=confidential,
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
    needs = {job.phase: job.needs for job in child.jobs}
    assert needs[Phase.REPRODUCTION] == ()
    assert needs[Phase.IMPLEMENTATION] == ()
    assert needs[Phase.TESTING] == ("reproduction: payk12/r1", "implementation: payk12/r1")
    assert needs[Phase.MERGE_REQUEST] == ("implementation: payk12/r1", "testing: payk12/r1")


def test_linked_merge_requests_wait_until_every_repository_is_tested(plan_of: Plans, catalogue_of: Catalogues) -> None:
    child = graph(plan_of(["payk12/r1", "payk12/r2"]), catalogue_of(["python", "python"]))
    last = [job for job in child.jobs if job.phase is Phase.MERGE_REQUEST]
    assert [(job.needs, job.artifacts_from) for job in last] == [
        (None, (f"implementation: payk12/{name}", f"testing: payk12/{name}")) for name in ("r1", "r2")
    ]


def test_a_review_stands_between_testing_and_merge_request_where_policy_asks_for_it(
    plan_of: Plans, catalogue_of: Catalogues
) -> None:
    for mode in ("advise", "once"):
        child = graph(plan_of(["payk12/r1"]), catalogue_of(["python"], f"policy: {{review: {mode}}}\n"))
        assert child.stages[-3:] == (Phase.TESTING, Phase.REVIEW, Phase.MERGE_REQUEST)
        needs = {job.phase: job.needs for job in child.jobs}
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
