"""When a look at the merge is wanted, and what looks lead to."""

from typing import Any

import pytest
from msgspec.structs import replace

from pipelines.language import ProjectPath
from pipelines.language.policy import MergePolicy, Policy, TargetPipeline
from receiver.workflow.effects import MergeWhenReady, RebaseMergeRequest
from receiver.workflow.events.merge_request_events import FOR_PEOPLE, MergeAnswer
from receiver.workflow.events.pipeline_events import PipelineChanged
from receiver.workflow.outcomes import tell
from receiver.workflow.run import Learned, MergeRequestView, RunStatus, Verdict
from receiver.workflow.stages import merge_stage


@pytest.fixture
def merging(world: Any) -> Any:
    """Return the world of a catalogue in which the workflow merges."""
    policy = Policy(merge=MergePolicy.WHEN_APPROVED, target_pipeline=TargetPipeline.RUN)
    world.catalogue = replace(world.catalogue, policy=policy)
    return world


def own(world: Any, status: str) -> PipelineChanged:
    pipeline: PipelineChanged = world.pipeline(status, pipeline=500, project=ProjectPath("payk12/contacts"))
    return replace(pipeline, project_id=2, source="push")


def looks(decision: Any) -> list[MergeWhenReady]:
    return [effect for effect in decision.effects if isinstance(effect, MergeWhenReady)]


@pytest.mark.parametrize("action", ["approved", "approval"])
def test_an_approval_and_a_green_pipeline_each_lead_to_a_look(merging: Any, action: str) -> None:
    run = merging.run(RunStatus.IN_REVIEW)
    wanted = [MergeWhenReady(iteration=run.iteration, repository=merging.repository)]
    assert looks(merging.decide(merging.merge_request(action, "opened"), run)) == wanted
    assert looks(merging.decide(own(merging, "success"), run)) == wanted
    assert looks(merging.decide(own(merging, "failed"), run)) == []
    assert looks(merging.decide(merging.merge_request("unapproved", "opened"), run)) == []


def test_where_people_merge_nothing_is_looked_at(world: Any) -> None:
    run = world.run(RunStatus.IN_REVIEW)
    assert looks(world.decide(world.merge_request("approved", "opened"), run)) == []
    assert looks(world.decide(own(world, "success"), run)) == []


@pytest.mark.parametrize("status", [one for one in RunStatus if one is not RunStatus.IN_REVIEW])
def test_a_run_that_is_not_in_review_merges_nothing(merging: Any, status: RunStatus) -> None:
    assert merge_stage.wanted(merging.run(status), merging.repository, merging.catalogue) == ()


def test_a_branch_that_has_to_be_rebased_is_rebased_by_gitlab(merging: Any) -> None:
    run, event = merging.run(RunStatus.IN_REVIEW), merging.judged(MergeAnswer.REBASE)
    wanted = RebaseMergeRequest(iteration=run.iteration, repository=merging.repository, head_sha=event.head_sha)
    assert merging.decide(event, run).effects == (wanted,)


@pytest.mark.parametrize("answer", sorted(FOR_PEOPLE))
def test_what_people_have_to_do_is_told_them_once(merging: Any, answer: MergeAnswer) -> None:
    run, event = merging.run(RunStatus.IN_REVIEW), merging.judged(answer)
    for is_new in (True, False):
        learned = Learned(is_new=is_new, was_confidential=False)
        decision = merge_stage.judged(event, run, learned=learned, catalogue=merging.catalogue)
        assert decision.effects == (tell(run) if is_new else ())


@pytest.mark.parametrize("answer", sorted(set(MergeAnswer) - FOR_PEOPLE))
def test_what_people_have_done_is_not_asked_of_them_any_more(merging: Any, answer: MergeAnswer) -> None:
    run, event = merging.run(RunStatus.IN_REVIEW), merging.judged(answer)
    for was_for_people in (True, False) if answer is not MergeAnswer.MERGED else (True,):
        learned = Learned(is_new=True, was_confidential=False, was_for_people=was_for_people)
        decision = merge_stage.judged(event, run, learned=learned, catalogue=merging.catalogue)
        assert set(tell(run)).issubset(decision.effects) is was_for_people


def test_a_merge_is_followed_by_a_look_at_those_that_come_next(merging: Any) -> None:
    run = merging.run(RunStatus.IN_REVIEW)
    other = MergeRequestView(repository=ProjectPath("payk12/api"), project_id=9, iid=4, state="opened")
    run = replace(run, merge_requests=(*run.merge_requests, other))
    decision = merging.decide(merging.judged(MergeAnswer.MERGED), run)
    assert looks(decision) == [MergeWhenReady(iteration=run.iteration, repository=other.repository)]


@pytest.mark.parametrize("answer", MergeAnswer)
def test_a_look_moves_no_run_by_itself(merging: Any, answer: MergeAnswer) -> None:
    for status in RunStatus:
        decision = merging.decide(merging.judged(answer), merging.run(status))
        assert (decision.status, decision.verdict) in {(None, Verdict.NOTED), (None, Verdict.ACTED)}
