"""Where a story ended otherwise than its scenario expects, and when it is over at all."""

from typing import Any

from msgspec.structs import replace

from sandbox.demo.play import surprising
from sandbox.demo.story import OwnPipeline
from sandbox.scenario_format import Expected
from sandbox.scenario_format.expected import HandedOver
from tests.sandbox.demo.test_terminal import moment, told

EXPECTED = Expected(
    outcome="in_review",
    merge_requests={"payk12/api": "opened"},
    own_pipelines={"payk12/api": "success"},
    attachments={"page.png": "picture", "server.log": "text"},
)


def document(**other: Any) -> dict[str, Any]:
    return {
        "outcome": "in_review",
        "run": {"iterations": 1},
        "merge_requests": [{"repository": "payk12/api", "state": "opened"}],
        "own_pipelines": {"payk12/api": {"status": "success", "url": ""}},
        "attachments": {"page.png": "picture", "server.log": "text"},
        "caching": {"read_share": None},
        "spoken": [],
        "merge": {"payk12/api": None},
        "books_equal": True,
        **other,
    }


def test_a_story_that_ended_as_expected_has_no_surprises() -> None:
    assert surprising(document(), EXPECTED) == []


def test_a_pipeline_of_the_repository_that_did_not_end_as_expected_is_named() -> None:
    failed = {"payk12/api": {"status": "failed", "url": ""}}
    assert surprising(document(own_pipelines=failed), EXPECTED) == [
        "own pipelines is {'payk12/api': 'failed'}, expected {'payk12/api': 'success'}"
    ]
    assert surprising(document(own_pipelines={}), EXPECTED)
    unmentioned = replace(EXPECTED, own_pipelines={})
    assert surprising(document(own_pipelines=failed), unmentioned) == []


def test_an_attachment_that_the_model_was_given_otherwise_is_named() -> None:
    [told] = surprising(document(attachments={"page.png": "named", "server.log": "text"}), EXPECTED)
    assert "'page.png': 'named'" in told
    assert surprising(document(attachments={}), replace(EXPECTED, attachments=None)) == []


def test_of_several_pipelines_of_a_repository_the_newest_counts() -> None:
    first = OwnPipeline(id=3, repository="payk12/api", status="failed", url="")
    story = replace(
        told(moment(None, "in_review", "")),
        target_pipelines=(replace(first, id=8, status="running"), first, replace(first, id=5, repository="payk12/x")),
    )
    assert {name: one.id for name, one in story.own_pipelines().items()} == {"payk12/api": 8, "payk12/x": 5}
    assert story.going_on() == ["the own pipeline of payk12/api"]


def test_a_command_that_was_not_obeyed_is_missed() -> None:
    said = [{"word": "retry", "allowed": False}, {"word": "status", "allowed": True}]
    expected = replace(EXPECTED, commands=("retry",))
    told = surprising(document(commands=said), expected)
    assert told == ["commands that were obeyed is ['status'], expected ['retry']"]


def test_what_people_got_is_compared_also_where_nobody_got_the_run() -> None:
    expected = replace(EXPECTED, handed_over=HandedOver(question="What is missing?", tried=3))
    right = {"question": "What is missing?", "tried": [{}, {}, {}], "alternatives": []}
    assert surprising(document(escalation=right), expected) == []
    assert surprising(document(escalation=None), expected) == [
        "the question to people is None, expected What is missing?",
        "what people were told of attempts is 0, expected 3",
    ]


def test_how_far_remedies_came_is_compared_where_a_scenario_names_them() -> None:
    expected = replace(EXPECTED, remedies={"formatting": "verified"})
    remedy = {"id": "formatting", "state": "verified"}
    assert surprising(document(remedies=[remedy]), expected) == []
    assert surprising(document(remedies=[]), expected) == ["remedies is {}, expected {'formatting': 'verified'}"]


def test_whose_approvals_counted_and_what_was_taken_back_are_compared() -> None:
    merged = {"payk12/api": {"approved_by": ["mara"], "reverted_at": "2026-12-01T09:00:00Z"}}
    expected = replace(EXPECTED, approved_by=("mara",), reverted=("payk12/api",))
    assert surprising(document(merge=merged), expected) == []
    assert surprising(document(merge=merged), EXPECTED) == ["taken back is ['payk12/api'], expected []"]
    assert surprising(document(), expected) == [
        "taken back is [], expected ['payk12/api']",
        "whose approvals counted is [], expected ['mara']",
    ]
