"""What becomes of a merge request, by what is known of it: one fact changed at a time, then all of them at once."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.language.policy import MergePolicy
from receiver.workflow import lifecycle
from receiver.workflow.merging.judgement import (
    COUNTED_SOURCES,
    Block,
    Judgement,
    Merge,
    NewAttempt,
    PeopleMerge,
    Rebase,
    Wait,
    judge,
)
from receiver.workflow.merging.merge_facts import Approval, HeadOrigin, MergeFacts, OwnPipeline, TrainState
from receiver.workflow.merging.merge_statuses import STATUSES, Meaning
from tests.merge_facts import BOT, HEAD, MARA, PUSHED, TOMAS, approval, facts, pipeline

OLD = PUSHED - timedelta(minutes=1)
BOTH = (approval(), approval(TOMAS, "tomas"))


def text(judgement: Judgement) -> str:
    match judgement:
        case Wait(why=said) | PeopleMerge(why=said) | Block(sentence=said) | NewAttempt(sentence=said):
            return said
        case Rebase(sentence=said):
            return said
        case Merge():
            return "merge"


def test_what_is_approved_green_and_undisputed_is_merged_at_exactly_its_head() -> None:
    assert judge(facts()) == Merge(sha=HEAD, by_train=False, approved_by=("mara",))


@pytest.mark.parametrize(
    ("changes", "kind", "said"),
    [
        ({"merge": MergePolicy.MANUAL}, PeopleMerge, "policy.merge"),
        ({"origin": HeadOrigin.UNPROVEN}, PeopleMerge, "not what was tested"),
        ({"contradicted": ("t::one",)}, PeopleMerge, "t::one fails"),
        ({"contradicted": ("t::one", "t::two")}, PeopleMerge, "2 tests"),
        ({"must_fix": 1}, PeopleMerge, "must be fixed"),
        ({"state": "closed"}, Block, "closed"),
        ({"state": "locked"}, Wait, "GitLab is merging it"),
        ({"may_merge": False}, Block, "may not merge into `main`"),
        ({"is_draft": True}, Block, "draft"),
        ({"open_threads": 1}, Block, "A thread is"),
        ({"open_threads": 3}, Block, "3 threads are"),
        ({"goes_after": ("payk12/api!3",)}, Wait, "payk12/api!3 goes first"),
        ({"is_rebasing": True}, Wait, "rebasing"),
        ({"pipeline": None}, Wait, "no pipeline"),
        ({"pipeline": pipeline(is_of_head=False)}, Wait, "no pipeline"),
        ({"pipeline": pipeline(source="api")}, Block, "`api`"),
        ({"pipeline": pipeline(source="external")}, Block, "`external`"),
        ({"train": TrainState.RIDING}, Wait, "merge train"),
        ({"train": TrainState.LEFT}, Block, "came off"),
        ({"status": "need_rebase", "was_rebased": True}, Block, "asked once to rebase"),
    ],
)
def test_each_hindrance_has_its_answer_and_its_sentence(changes: dict[str, Any], kind: type, said: str) -> None:
    found = judge(facts(**changes))
    assert isinstance(found, kind)
    assert said in text(found)


@pytest.mark.parametrize("status", lifecycle.STATUSES)
def test_only_a_pipeline_that_succeeded_lets_it_be_merged(status: str) -> None:
    found = judge(facts(pipeline=pipeline(status=status)))
    assert isinstance(found, Merge) == (status == "success")


@pytest.mark.parametrize(
    ("approvals", "changes", "said"),
    [
        ((), {}, "waits for an approval"),
        ((approval(BOT, "bug-fix-bot"),), {}, "our own accounts"),
        ((approval(is_bot=True),), {}, "made for a token"),
        ((approval(),), {"pushers": frozenset({BOT, MARA})}, "mara pushed to the branch"),
        ((approval(may_develop=False),), {}, "no developer"),
        ((approval(at=OLD),), {}, "before the last change"),
        ((approval(at=PUSHED),), {}, "before the last change"),
        ((approval(at=None),), {}, "before the last change"),
        ((approval(),), {"tree_since": None}, "before the last change"),
        ((approval(),), {"approvals_wanted": 2}, "one more approval"),
        ((approval(),), {"approvals_required": 3, "approvals_left": 2}, "2 approvals"),
        ((approval(), approval()), {"approvals_wanted": 2}, "one more approval"),
        (BOTH, {"approvals_required": 2, "approvals_left": 1}, "one more approval"),
    ],
)
def test_an_approval_counts_only_from_a_person_after_the_last_change(
    approvals: tuple[Approval, ...], changes: dict[str, Any], said: str
) -> None:
    found = judge(facts(approvals=approvals, **changes))
    assert isinstance(found, Wait)
    assert said in found.why


def test_as_many_approvals_are_wanted_as_the_stricter_of_policy_and_rules_says() -> None:
    assert isinstance(judge(facts(approvals=BOTH, approvals_wanted=2)), Merge)
    assert isinstance(judge(facts(approvals=BOTH, approvals_required=2, approvals_wanted=1)), Merge)
    assert isinstance(judge(facts(approvals=BOTH, approvals_required=3, approvals_wanted=2)), Wait)


EXPECTED = {
    Meaning.MERGEABLE: Merge,
    Meaning.COMPUTING: Wait,
    Meaning.WAITS: Wait,
    Meaning.BLOCKED: Block,
    Meaning.REBASE: Rebase,
    Meaning.CONFLICT: NewAttempt,
}


@pytest.mark.parametrize("status", STATUSES)
def test_each_known_status_of_gitlab_has_its_answer_and_a_sentence(status: str) -> None:
    known, found = STATUSES[status], judge(facts(status=status))
    assert isinstance(found, EXPECTED[known.meaning])
    assert known.sentence.endswith(".")
    if isinstance(found, Wait):
        assert (found.why, found.is_short) == (known.sentence, known.meaning is Meaning.COMPUTING)


@pytest.mark.parametrize("status", ["", "mergeable_soon", "can_be_merged"])
def test_a_status_that_is_not_known_blocks_and_is_named(status: str) -> None:
    found = judge(facts(status=status))
    assert isinstance(found, Block)
    assert (status or "nothing") in found.sentence


def test_where_the_project_uses_merge_trains_it_goes_on_one() -> None:
    assert judge(facts(train=TrainState.OFF)) == Merge(sha=HEAD, by_train=True, approved_by=("mara",))


def test_a_rebase_is_asked_for_only_when_people_have_approved() -> None:
    assert isinstance(judge(facts(status="need_rebase")), Rebase)
    assert isinstance(judge(facts(status="need_rebase", approvals=())), Wait)


APPROVALS = st.builds(
    Approval,
    user=st.integers(min_value=6, max_value=10),
    name=st.just("x"),
    at=st.sampled_from([None, OLD, PUSHED, PUSHED + timedelta(seconds=1)]),
    is_bot=st.booleans(),
    may_develop=st.booleans(),
)
USERS = st.frozensets(st.integers(min_value=6, max_value=10), max_size=2)
FACTS = st.builds(
    MergeFacts,
    state=st.sampled_from(["opened", "closed", "locked", "merged"]),
    head_sha=st.just(HEAD),
    status=st.sampled_from([*STATUSES, *["mergeable"] * 30, "new"]),
    target_branch=st.just("main"),
    is_draft=st.sampled_from([False, False, True]),
    is_rebasing=st.sampled_from([False, False, True]),
    may_merge=st.sampled_from([True, True, False]),
    origin=st.sampled_from(HeadOrigin),
    was_rebased=st.booleans(),
    tree_since=st.sampled_from([None, PUSHED]),
    approvals=st.lists(APPROVALS, max_size=5).map(tuple),
    approvals_required=st.integers(min_value=0, max_value=2),
    approvals_left=st.integers(min_value=0, max_value=1),
    our_bots=USERS,
    pushers=USERS,
    open_threads=st.sampled_from([0, 0, 1]),
    pipeline=st.none()
    | st.builds(
        OwnPipeline,
        id=st.just(1),
        status=st.sampled_from(["success", "success", *lifecycle.STATUSES]),
        source=st.sampled_from(["push", "merge_request_event", "api", "external"]),
        is_of_head=st.booleans(),
    ),
    contradicted=st.sampled_from([(), (), ("t",)]),
    must_fix=st.sampled_from([0, 0, 1]),
    goes_after=st.sampled_from([(), (), ("a!1",)]),
    train=st.sampled_from(TrainState),
    merge=st.sampled_from([MergePolicy.WHEN_APPROVED, MergePolicy.WHEN_APPROVED, MergePolicy.MANUAL]),
    approvals_wanted=st.integers(min_value=0, max_value=2),
)


def stands(one: Approval, known: MergeFacts) -> bool:
    """Say again, in other words, what an approval has to be."""
    since: datetime | None = known.tree_since
    is_person = one.user not in known.our_bots and one.user not in known.pushers and not one.is_bot
    return is_person and one.may_develop and one.at is not None and since is not None and one.at > since


@given(FACTS)
def test_nothing_is_merged_without_approval_of_the_tree_a_green_pipeline_and_peace(known: MergeFacts) -> None:
    found = judge(known)
    assert text(found)
    if not isinstance(found, Merge):
        return
    people = {one.user for one in known.approvals if stands(one, known)}
    assert len(people) >= max(known.approvals_required, known.approvals_wanted, 1)
    assert known.approvals_left == 0
    assert known.pipeline is not None
    assert (known.pipeline.status, known.pipeline.is_of_head) == ("success", True)
    assert known.pipeline.source in COUNTED_SOURCES
    assert (known.state, known.status, known.merge) == ("opened", "mergeable", MergePolicy.WHEN_APPROVED)
    assert (known.open_threads, known.contradicted, known.must_fix, known.goes_after) == (0, (), 0, ())
    assert known.may_merge
    assert (known.is_draft, known.is_rebasing) == (False, False)
    assert known.origin is not HeadOrigin.UNPROVEN
    assert known.train in {TrainState.NONE, TrainState.OFF}
    assert (found.sha, found.by_train) == (known.head_sha, known.train is TrainState.OFF)
