"""What follows from what people and the repositories' own CI do with a merge request."""

from typing import Any

import pytest
from msgspec.structs import replace

from pipelines.language import PipelineKind, ProjectPath
from pipelines.language.policy import Policy, TargetPipeline
from receiver.workflow.effects import StartTargetPipeline, UpdateMergeRequestNote, UpdateTicketNote
from receiver.workflow.events.event import Event
from receiver.workflow.events.pipeline_events import PipelineChanged, PipelineId
from receiver.workflow.run import Decision, Learned, PipelineView, Run, RunStatus, Verdict
from receiver.workflow.stages import merge_request_stage


@pytest.fixture
def skipping(world: Any) -> Any:
    """Return a function that decides under the policy to hold the repositories' own pipelines back."""

    def ask(event: Event, run: Run) -> Decision:
        policy = Policy(target_pipeline=TargetPipeline.SKIP_UNTIL_APPROVED)
        world.catalogue = replace(world.catalogue, policy=policy)
        decision: Decision = world.decide(event, run)
        return decision

    return ask


def started(decision: Decision) -> list[StartTargetPipeline]:
    return [effect for effect in decision.effects if isinstance(effect, StartTargetPipeline)]


@pytest.mark.parametrize("status", [RunStatus.IN_REVIEW, RunStatus.ESCALATED])
def test_an_approval_starts_the_pipeline_that_waits_for_it(world: Any, skipping: Any, status: RunStatus) -> None:
    approval = world.merge_request("approved", "opened")
    decision = skipping(approval, replace(world.run(RunStatus.IN_REVIEW), status=status))
    assert decision.effects == (
        StartTargetPipeline(iteration=1, repository=world.repository, head_sha=approval.head_sha, approved_by=3),
    )
    assert decision.reason == "mara approved payk12/contacts!1: its own pipeline may run."
    assert decision.status is None


def test_an_approval_of_no_known_commit_is_not_said_to_start_anything(world: Any, skipping: Any) -> None:
    approval = replace(world.merge_request("approved", "opened"), head_sha="")
    decision = skipping(approval, world.run(RunStatus.IN_REVIEW))
    assert [effect.head_sha for effect in started(decision)] == [""]
    assert decision.reason.endswith("but not this commit as far as is known: approve it again.")


def test_pipelines_are_held_back_unless_the_catalogue_says_otherwise() -> None:
    assert Policy().target_pipeline is TargetPipeline.SKIP_UNTIL_APPROVED


def test_an_approval_starts_nothing_where_pipelines_are_not_held_back(world: Any) -> None:
    world.catalogue = replace(world.catalogue, policy=Policy(target_pipeline=TargetPipeline.RUN))
    decision = world.decide(world.merge_request("approved", "opened"), world.run(RunStatus.IN_REVIEW))
    assert (decision.verdict, started(decision)) == (Verdict.NOTED, [])


@pytest.mark.parametrize(
    ("action", "state"),
    [("approval", "opened"), ("unapproved", "opened"), ("update", "opened"), ("approved", "merged")],
)
def test_nothing_but_the_approval_of_an_open_one_starts_it(world: Any, skipping: Any, action: str, state: str) -> None:
    assert started(skipping(world.merge_request(action, state), world.run(RunStatus.IN_REVIEW))) == []


def test_an_approval_that_is_told_again_starts_nothing_anew(world: Any) -> None:
    catalogue = replace(world.catalogue, policy=Policy(target_pipeline=TargetPipeline.SKIP_UNTIL_APPROVED))
    event, run = world.merge_request("approved", "opened"), world.run(RunStatus.IN_REVIEW)
    again = Learned(is_new=False, was_confidential=False)
    assert started(merge_request_stage.changed(event, run, learned=again, catalogue=catalogue, now=world.now)) == []


APPROVED_BEFORE = [
    (RunStatus.PAUSED, RunStatus.IN_REVIEW),
    (RunStatus.OPENING, RunStatus.IN_REVIEW),
    (RunStatus.RUNNING, RunStatus.ESCALATED),
]


@pytest.mark.parametrize(("before", "after"), APPROVED_BEFORE)
def test_an_approval_that_was_given_before_the_run_waited_for_it_counts_from_then_on(
    world: Any, before: RunStatus, after: RunStatus
) -> None:
    catalogue = replace(world.catalogue, policy=Policy(target_pipeline=TargetPipeline.SKIP_UNTIL_APPROVED))
    run = world.run(RunStatus.IN_REVIEW)
    (known,) = run.merge_requests
    approved = replace(run, status=before, merge_requests=(replace(known, head_sha="a" * 40, approved_by=(3,)),))
    decision = Decision(verdict=Verdict.ACTED, reason="It goes on.", status=after)
    wanted = StartTargetPipeline(iteration=1, repository=world.repository, head_sha="a" * 40, approved_by=3)
    assert started(merge_request_stage.followed(decision, approved, catalogue=catalogue)) == [wanted]
    nobody = replace(approved, merge_requests=(replace(known, head_sha="a" * 40),))
    assert started(merge_request_stage.followed(decision, nobody, catalogue=catalogue)) == []
    stays = replace(decision, status=None)
    assert started(merge_request_stage.followed(stays, approved, catalogue=catalogue)) == []


RENAMED = ["Payk12/Contacts", "payk12/address-book", "another-group/contacts"]


@pytest.mark.parametrize("path", RENAMED)
def test_effects_name_the_repository_as_the_run_knows_it_whatever_the_hook_calls_it(
    world: Any, skipping: Any, path: str
) -> None:
    run = world.run(RunStatus.IN_REVIEW)
    renamed = replace(world.merge_request("approved", "opened"), project=ProjectPath(path))
    assert started(skipping(renamed, run)) == started(skipping(world.merge_request("approved", "opened"), run)) != []
    ended = world.decide(replace(own(world, "failed"), project=ProjectPath(path)), run)
    assert ended.effects == (UpdateTicketNote(), UpdateMergeRequestNote(repository=world.repository))


@pytest.mark.parametrize("path", RENAMED)
def test_a_merge_of_a_renamed_project_ends_the_run(world: Any, path: str) -> None:
    merged = replace(world.merge_request("merge", "merged"), project=ProjectPath(path))
    after, decision = world.apply(world.run(RunStatus.IN_REVIEW), merged)
    assert after.status is RunStatus.MERGED
    assert world.repository in decision.reason


def test_an_approval_by_nobody_in_particular_starts_nothing(world: Any, skipping: Any) -> None:
    nameless = replace(world.merge_request("approved", "opened"), actor_id=None)
    assert started(skipping(nameless, world.run(RunStatus.IN_REVIEW))) == []


def test_an_approval_of_another_merge_request_starts_nothing(world: Any, skipping: Any) -> None:
    other = world.merge_request("approved", "opened", iid=7)
    assert skipping(other, world.run(RunStatus.IN_REVIEW)).verdict is Verdict.IGNORED


def own(world: Any, status: str) -> PipelineChanged:
    pipeline: PipelineChanged = world.pipeline(status, pipeline=500, project=ProjectPath("payk12/contacts"))
    return replace(pipeline, project_id=2, source="push")


@pytest.mark.parametrize("status", ["success", "failed", "canceled"])
def test_the_end_of_a_repositorys_own_pipeline_is_shown(world: Any, status: str) -> None:
    decision = world.decide(own(world, status), world.run(RunStatus.IN_REVIEW))
    assert decision.effects == (UpdateTicketNote(), UpdateMergeRequestNote(repository=world.repository))
    assert decision.verdict is Verdict.ACTED
    assert decision.reason == f"Pipeline 500 of payk12/contacts itself ended as {status}."


def test_a_repositorys_own_pipeline_never_moves_the_run(world: Any) -> None:
    for status in RunStatus:
        run = replace(world.run(RunStatus.IN_REVIEW), status=status)
        after, decision = world.apply(run, own(world, "failed"))
        assert decision.status is None
        assert (after.pipelines, after.status) == (run.pipelines, status)


def test_its_work_is_kept_and_changes_no_note(world: Any) -> None:
    assert world.decide(own(world, "running"), world.run(RunStatus.IN_REVIEW)).effects == ()


def test_a_pipeline_of_the_run_in_a_fixed_repository_is_not_its_own_ci(world: Any) -> None:
    run = world.run(RunStatus.IN_REVIEW)
    mine = PipelineView(
        pipeline=PipelineId(900), project_id=2, kind=PipelineKind.DEPLOY, iteration=1, parent=None, status="running"
    )
    event = replace(world.pipeline("running", pipeline=900), project_id=2, project=world.repository)
    assert merge_request_stage.is_target_pipeline(event, run)
    run = replace(run, pipelines=(*run.pipelines, mine))
    assert not merge_request_stage.is_target_pipeline(event, run)
    assert "belongs to deploy 1; the run is at fix 1" in world.decide(event, run).reason
