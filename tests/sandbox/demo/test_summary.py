"""The document behind `--json`: what people said, what was tried, and how it was merged."""

from decimal import Decimal

from msgspec.structs import replace

from sandbox.demo.story import (
    Costs,
    Diagnosis,
    GivenCommand,
    Iteration,
    Job,
    MergeRequest,
    OpenQuestion,
    Outcome,
    Part,
    Pipeline,
)
from sandbox.demo.summary import summary
from tests.sandbox.demo.stories import NOTHING, a_story

REQUEST = MergeRequest(repository="payk12/contacts", iid=1, url="", source_branch="bug-fix/PL-1", state="opened")


def told(**changes: object) -> dict[str, object]:
    return summary(replace(a_story(), **changes), equal=True, deliveries={}, kept={}, duration_s=1.0)


def test_each_command_is_told_with_its_author_and_its_answer() -> None:
    given = GivenCommand(word="retry", by="Tomás Ferreira", allowed=False, answer="Only developers may.")
    assert told(commands=(given,))["commands"] == [
        {"word": "retry", "by": "Tomás Ferreira", "allowed": False, "answer": "Only developers may."}
    ]


def test_each_attempt_is_told_with_its_cause_what_it_reuses_and_its_cost() -> None:
    job = Job(id=7, name="prepare: contacts", phase="prepare", repository=None, status="success")
    pipeline = Pipeline(id=1, project_id=1, kind="parent", status="success", url="", jobs=(job,))
    first, second = Iteration(number=1, cause="admitted"), Iteration(number=2, cause="failed", reuses=(7, 8))
    cost = replace(NOTHING, cost_usd=Decimal("0.25"))
    parts = (
        Part(iteration=1, cost=cost),
        Part(iteration=1, cost=cost),
        Part(iteration=2, cost=replace(cost, cost_usd=None)),
    )
    costs = Costs(total=NOTHING, by_phase={}, parts=parts)
    assert told(iterations=(first, second), pipelines=(pipeline,), costs=costs)["attempts"] == [
        {"number": 1, "kind": "fix", "cause": "admitted", "class": None, "reused": [], "cost_usd": "0.50"},
        {
            "number": 2,
            "kind": "fix",
            "cause": "failed",
            "class": "code",
            "reused": ["prepare: contacts", "8"],
            "cost_usd": None,
        },
    ]


REVERTED = "2026-12-01T09:00:00Z"


def test_a_merge_is_told_with_its_approvals_its_head_and_who_merged() -> None:
    ours = replace(
        REQUEST,
        state="merged",
        head_sha="a" * 40,
        merge_answer="merged",
        merge_sentence="We merged it.",
        merge_approved_by=("mara",),
    )
    theirs = replace(REQUEST, repository="payk12/api", state="merged", head_sha="b" * 40)
    still = replace(REQUEST, repository="payk12/web")
    outcomes = (Outcome(repository="payk12/contacts", reverted_at=REVERTED),)
    assert told(merge_requests=(ours, theirs, still), outcomes=outcomes)["merge"] == {
        "payk12/contacts": {"approved_by": ["mara"], "sha": "a" * 40, "reverted_at": REVERTED, "how": "We merged it."},
        "payk12/api": {"approved_by": [], "sha": "b" * 40, "reverted_at": None, "how": "People merged it."},
        "payk12/web": None,
    }


def test_what_people_got_is_told_as_it_was_then_though_they_made_the_run_go_on() -> None:
    first, second = Iteration(number=1, cause="admitted"), Iteration(number=2, cause="retried")
    failed = replace(first, diagnoses=(Diagnosis(kind="regression", messages=("One test fails.",)),))
    asked = OpenQuestion(question="What is missing?", alternatives=("retry", "by hand"))
    then = replace(a_story(status="escalated"), iterations=(failed,), escalation=asked)
    now = replace(a_story(status="in_review"), iterations=(failed, second))
    told = {"question": "What is missing?", "alternatives": ["retry", "by hand"]}
    tried = [{"attempt": 1, "cause": "admitted", "told": ["One test fails."]}]
    for story, handed_over in ((now, then), (then, None)):
        found = summary(story, handed_over=handed_over, equal=True, deliveries={}, kept={}, duration_s=1.0)
        assert found["escalation"] == told | {"tried": tried}
    assert summary(now, equal=True, deliveries={}, kept={}, duration_s=1.0)["escalation"] is None
