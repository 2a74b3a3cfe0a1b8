"""What hooks mean: labels, comments, pipelines, jobs, merge requests, notes; and how they are kept apart."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipelines.language import IssueKey, RunId
from receiver.comments.command_line import Command
from receiver.hooks import Delivery, Interests, NotJsonError, Reading, Source, WrongShapeError, read
from receiver.workflow.events.merge_request_events import MergeRequestChanged
from receiver.workflow.events.message_events import CommandTyped, IssueCommented, NotePosted
from receiver.workflow.events.outcome_events import RevertMerged
from receiver.workflow.events.pipeline_events import JobChanged, PipelineChanged
from receiver.workflow.events.run_events import NotInteresting
from receiver.workflow.events.ticket_events import (
    IssueLabelled,
    IssueRestricted,
    LabelChange,
    LabelChanged,
    StartRequested,
)

Read = Callable[..., Reading]
CLOUD_USER = {"accountId": "5b10ac", "displayName": "Mara"}


def json(value: object) -> bytes:
    return msgspec.json.encode(value)


def updated(before: str | None, after: str | None, **changes: Any) -> bytes:
    item = {"field": "labels", "fromString": before, "toString": after}
    hook = {
        "webhookEvent": "jira:issue_updated",
        "timestamp": 1,
        "user": CLOUD_USER,
        "issue": {"key": "PL-479", "fields": {"labels": (after or "").split()}},
        "changelog": {"items": [item]},
    }
    return json(hook | changes)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "bug-fix"),
        (None, "bug-fix"),
        ("a b", "b bug-fix a"),
        ("bug-fixes", "bug-fix bug-fixes"),
        ("BUG-FIX", "bug-fix"),
    ],
)
def test_a_label_that_was_added_starts(reading: Read, before: str | None, after: str) -> None:
    found = reading(Source.JIRA, updated(before, after))
    assert found.event == IssueLabelled(issue_key="PL-479", actor="5b10ac", actor_name="Mara")
    assert (found.kind, found.ordering_key) == ("jira:issue_updated", "ticket:PL-479")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("bug-fix", "bug-fix new"),
        ("bug-fix a", "a bug-fix"),
        ("", "bug-fixes"),
        ("", "no-bug-fix bug_fix Bug-Fix"),
        ("x", "y"),
    ],
)
def test_any_other_change_of_labels_means_nothing(reading: Read, before: str | None, after: str | None) -> None:
    assert isinstance(reading(Source.JIRA, updated(before, after)).event, NotInteresting)


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ("bug-fix", "", LabelChange.REMOVED),
        ("bug-fix", None, LabelChange.REMOVED),
        ("bug-fix a", "a bug-fix-hold", LabelChange.REMOVED),
        ("bug-fix", "bug-fix bug-fix-hold", LabelChange.HELD),
        ("bug-fix-hold bug-fix", "bug-fix", LabelChange.RELEASED),
    ],
)
def test_labels_that_steer_a_run_are_told(
    reading: Read, before: str | None, after: str | None, change: LabelChange
) -> None:
    found = reading(Source.JIRA, updated(before, after))
    assert found.event == LabelChanged(issue_key="PL-479", change=change, actor="5b10ac", actor_name="Mara")
    assert found.ordering_key == "ticket:PL-479"


def test_a_start_label_counts_for_more_than_others_that_change_with_it(reading: Read) -> None:
    assert isinstance(reading(Source.JIRA, updated("", "bug-fix bug-fix-hold")).event, IssueLabelled)


def changed(*items: dict[str, str | None]) -> bytes:
    return updated("bug-fix", "bug-fix", changelog={"items": list(items)})


LEVEL = {"field": "security", "from": None, "fromString": None, "to": "10200", "toString": "School boards only"}


def test_a_security_level_that_was_set_restricts(reading: Read) -> None:
    found = reading(Source.JIRA, changed({"field": "priority", "toString": "High"}, LEVEL))
    assert found.event == IssueRestricted(issue_key="PL-479", level="School boards only")
    assert found.ordering_key == "ticket:PL-479"


@pytest.mark.parametrize("after", ["", None, " "])
def test_a_security_level_that_was_taken_off_means_nothing(reading: Read, after: str | None) -> None:
    found = reading(Source.JIRA, changed({"field": "security", "fromString": "School boards only", "toString": after}))
    assert isinstance(found.event, NotInteresting)
    assert "a confidential run stays so" in found.event.reason


def test_a_label_that_was_set_together_with_a_level_tells_of_both(reading: Read) -> None:
    found = reading(Source.JIRA, changed({"field": "labels", "fromString": "", "toString": "bug-fix"}, LEVEL))
    assert isinstance(found.event, IssueLabelled)
    assert found.event.level == "School boards only"


def test_a_label_that_nobody_set_loses_no_level(reading: Read) -> None:
    items = [{"field": "labels", "fromString": "", "toString": "bug-fix"}, LEVEL]
    found = reading(Source.JIRA, updated("", "", changelog={"items": items}, user=None))
    assert found.event == IssueRestricted(issue_key="PL-479", level="School boards only")


def test_a_level_of_another_project_s_ticket_means_nothing(reading: Read) -> None:
    body = updated("", "", issue={"key": "QX-1"}, changelog={"items": [LEVEL]})
    assert isinstance(reading(Source.JIRA, body).event, NotInteresting)


@pytest.mark.parametrize(
    ("told", "is_time"),
    [
        (1764489600999, True),
        ("1764489600000", True),
        (0, False),
        (-1764489600000, False),
        ("1764489600000" * 40, False),
        ("١٧٦٤٤٨٩٦٠٠٠٠٠", False),
        (True, False),
        (None, False),
        ("yesterday", False),
        ([1764489600000], False),
    ],
)
def test_a_label_is_of_the_time_that_jira_tells_if_that_is_one(
    reading: Read,
    told: object,
    is_time: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    event = reading(Source.JIRA, updated("", "bug-fix", timestamp=told)).event
    assert isinstance(event, IssueLabelled)
    at = event.at and event.at.replace(microsecond=0)
    assert at == (datetime(2025, 11, 30, 8, tzinfo=UTC) if is_time else None)


def test_a_label_present_at_creation_counts(reading: Read) -> None:
    hook = {"webhookEvent": "jira:issue_created", "user": {"name": "mara", "key": "JIRAUSER1"}}
    body = json(hook | {"issue": {"key": "PL-1", "fields": {"labels": ["x", "bug-fix"]}}})
    assert reading(Source.JIRA, body).event == IssueLabelled(
        issue_key="PL-1", actor="JIRAUSER1", actor_name="JIRAUSER1"
    )
    without = json(hook | {"issue": {"key": "PL-1", "fields": {"labels": None}}})
    assert isinstance(reading(Source.JIRA, without).event, NotInteresting)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"issue": {"key": "OTHER-1"}}, "not a ticket of the project PL"),
        ({"issue": {"key": "PLX-1"}}, "not a ticket of the project PL"),
        ({"changelog": {"items": [{"field": "summary", "toString": "bug-fix"}]}}, "No label"),
        ({"changelog": None}, "No label"),
        ({"user": None}, "did not say who"),
        ({"user": {"displayName": "x"}}, "did not say who"),
        ({"webhookEvent": "sprint_created"}, "`sprint_created`"),
    ],
)
def test_what_starts_nothing_says_why(reading: Read, changes: dict[str, Any], says: str) -> None:
    event = reading(Source.JIRA, updated("", "bug-fix", **changes)).event
    assert isinstance(event, NotInteresting)
    assert says in event.reason


def test_comments_of_cloud_and_data_center(reading: Read) -> None:
    comment = {"id": "9", "author": {"key": "mara"}, "self": "https://jira/rest/api/2/issue/10013/comment/9"}
    data_center = reading(Source.JIRA, json({"webhookEvent": "comment_created", "comment": comment}))
    assert data_center.event == IssueCommented(issue_key=None, issue_id="10013", comment="9", actor="mara")
    assert data_center.ordering_key == "ticket-id:10013"
    cloud = {"webhookEvent": "comment_created", "comment": comment, "issue": {"key": "PL-479"}}
    assert reading(Source.JIRA, json(cloud)).ordering_key == "ticket:PL-479"
    elsewhere = reading(Source.JIRA, json(cloud | {"issue": {"key": "X-1"}}))
    assert isinstance(elsewhere.event, NotInteresting)


def commented(body: object, author: str = "mara") -> bytes:
    comment = {"id": "9", "author": {"key": author}, "body": body}
    return json({"webhookEvent": "comment_created", "comment": comment, "issue": {"key": "PL-479"}})


@pytest.mark.parametrize("suffix", ["", "\n", ";question:1", ";answer:10203", ";confidential\n"])
def test_a_comment_is_our_own_by_its_author_or_while_we_do_not_know_ourselves_by_its_marker(
    reading: Read, reading_as_nobody: Read, suffix: str
) -> None:
    own = NotInteresting(reason="The comment is our own.")
    said = f"/bug-fix approve\nbug-fix:run=0123456789abcdef{suffix}"
    assert reading(Source.JIRA, commented("Bug fix", author="bug-fix-bot")).event == own
    assert reading_as_nobody(Source.JIRA, commented(said)).event == own
    pasted = reading(Source.JIRA, commented(said)).event
    assert pasted == IssueCommented(issue_key="PL-479", comment="9", actor="mara", is_addressed=True)


def test_a_comment_that_quotes_us_is_a_persons(reading: Read) -> None:
    quoted = "{quote}Bug fix: waiting\nbug-fix:run=0123456789abcdef;plan:1{quote}\n/bug-fix approve"
    event = reading(Source.JIRA, commented(quoted)).event
    assert event == IssueCommented(issue_key="PL-479", comment="9", actor="mara", is_addressed=True)


def test_a_comment_that_is_a_document_is_read_as_well(reading: Read) -> None:
    text = {"type": "text", "text": "/bug-fix approve"}
    document = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [text]}]}
    event = reading(Source.JIRA, commented(document)).event
    assert event == IssueCommented(issue_key="PL-479", comment="9", actor="mara", is_addressed=True)


@pytest.mark.parametrize("identity", ["../10013", "9/../8", "", "9\n", "a"])
def test_a_comments_id_is_a_number(reading: Read, identity: str) -> None:
    body = {"webhookEvent": "comment_created", "comment": {"id": identity, "author": {"key": "mara"}}}
    found = reading(Source.JIRA, json(body))
    assert isinstance(found.event, NotInteresting)
    assert "comment.id" in found.event.reason


ISSUE_DATA = {
    "self": "https://riverside.example/rest/api/2/issue/20007",
    "id": 20007,
    "key": "PL-7",
    "changelog": {"startAt": 0, "maxResults": 0, "total": 0, "histories": None},
    "fields": {"summary": "The sum is wrong", "labels": ["bug-fix"], "issuetype": {"name": "Bug"}},
}


def test_an_automation_rules_own_body_says_what_to_send_instead(reading: Read) -> None:
    found = reading(Source.JIRA, json(ISSUE_DATA))
    assert (found.kind, type(found.event)) == ("issue_data", NotInteresting)
    assert isinstance(found.event, NotInteresting)
    assert "custom body of docs/connect.md" in found.event.reason


def test_the_custom_body_of_the_documentation_starts_a_run(reading: Read) -> None:
    page = (Path(__file__).resolve().parents[3] / "docs/connect.md").read_text()
    body = page.partition("```json\n")[2].partition("```")[0]
    values = {"issue.updated.epochMillis": "1764489600000", "initiator.accountId": "5b10ac", "issue.key": "PL-7"}
    for smart, value in values.items():
        body = body.replace("{{" + smart + "}}", value)
    assert "{{" not in body
    found = reading(Source.JIRA, body.encode())
    at = datetime(2025, 11, 30, 8, tzinfo=UTC)
    assert found.event == IssueLabelled(issue_key="PL-7", actor="5b10ac", actor_name="5b10ac", at=at)
    later = reading(Source.JIRA, body.replace("1764489600000", "1764489600001").encode())
    assert later.delivery_key != found.delivery_key


PROJECT = {"id": 2, "path_with_namespace": "payk12/contacts"}
NOTE = {"id": 5, "note": "hello", "noteable_type": "MergeRequest", "author_id": 3, "action": "create"}


def pipeline(**changes: Any) -> bytes:
    attributes = {"id": 31, "status": "running", "source": "api", "ref": "main", "sha": "a" * 40}
    attributes |= changes.pop("attributes", {})
    return json({"object_kind": "pipeline", "object_attributes": attributes, "project": PROJECT} | changes)


def test_a_parent_pipeline_and_its_child_are_kept_in_one_order(reading: Read) -> None:
    assert reading(Source.GITLAB, pipeline()).ordering_key == "pipeline:2:31"
    child = pipeline(
        attributes={"id": 32, "source": "parent_pipeline"},
        source_pipeline={"pipeline_id": 31, "job_id": 1, "project": PROJECT},
    )
    found = reading(Source.GITLAB, child)
    assert isinstance(found.event, PipelineChanged)
    assert (found.event.parent, found.ordering_key) == (31, "pipeline:2:31")
    triggered = pipeline(attributes={"source": "pipeline"}, source_pipeline={"pipeline_id": 30})
    event = reading(Source.GITLAB, triggered).event
    assert isinstance(event, PipelineChanged)
    assert event.parent is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2016-08-12 15:23:28 UTC", datetime(2016, 8, 12, 15, 23, 28, tzinfo=UTC)),
        ("2016-08-12T15:23:28.000Z", datetime(2016, 8, 12, 15, 23, 28, tzinfo=UTC)),
        ("2016-08-12 17:23:28 +0200", datetime(2016, 8, 12, 15, 23, 28, tzinfo=UTC)),
        (None, None),
    ],
)
def test_gitlabs_ways_to_write_a_time_are_read(reading: Read, text: str | None, expected: datetime | None) -> None:
    event = reading(Source.GITLAB, pipeline(attributes={"created_at": text})).event
    assert isinstance(event, PipelineChanged)
    assert event.created_at == expected


@pytest.mark.parametrize(
    ("source", "body", "field"),
    [
        (Source.GITLAB, pipeline(attributes={"id": "x"}), "`$.object_attributes.id`"),
        (Source.GITLAB, pipeline(attributes={"id": -1}), "`$.object_attributes.id`"),
        (Source.GITLAB, pipeline(attributes={"id": 2**63}), "`$.object_attributes.id`"),
        (Source.GITLAB, pipeline(attributes={"status": 3}), "`$.object_attributes.status`"),
        (Source.GITLAB, pipeline(attributes={"status": None}), "`$.object_attributes.status`"),
        (Source.GITLAB, pipeline(project=None), "`$.project`"),
        (Source.GITLAB, pipeline(project={"name": "contacts"}), "of which project"),
        (Source.GITLAB, b'{"object_kind": "pipeline"}', "object_attributes"),
        (Source.GITLAB, b'{"object_kind": 5}', "`$.object_kind`"),
        (Source.GITLAB, b"{}", "$.object_kind"),
        (Source.JIRA, b"{}", "webhookEvent"),
        (Source.JIRA, b'{"webhookEvent": ""}', "webhookEvent"),
        (Source.JIRA, b'{"webhookEvent": []}', "webhookEvent"),
        (Source.JIRA, updated("", "bug-fix", issue={"key": "PL-479\n"}), "`$.issue.key`"),
        (Source.JIRA, updated("", "bug-fix", issue={"key": "../../x"}), "`$.issue.key`"),
        (Source.JIRA, updated("", "bug-fix", changelog={"items": 3}), "`$.changelog.items`"),
    ],
)
def test_a_body_of_an_unknown_shape_means_nothing_and_says_which_field(
    reading: Read, source: Source, body: bytes, field: str
) -> None:
    """GitLab stops sending hooks that are answered with errors, so a version's odd body must not be one."""
    found = reading(source, body).event
    assert isinstance(found, NotInteresting)
    assert field in found.reason
    assert len(found.reason) < 400


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"[]", "Expected `object`"),
        (b"3", "Expected `object`"),
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b'{"object_kind": "a\xff"}', "not JSON"),
        (b'{"x":' * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_json_object_is_no_hook(reading: Read, body: bytes, says: str) -> None:
    with pytest.raises(NotJsonError) as raised:
        reading(Source.GITLAB, body)
    assert says in str(raised.value)


def test_an_operators_request_of_a_wrong_shape_says_which_field(reading: Read) -> None:
    with pytest.raises(WrongShapeError, match="issue_key"):
        reading(Source.OPERATOR, b'{"type": "StartRequested"}')


@pytest.mark.parametrize("timestamp", [True, {}, [1]])
def test_an_odd_time_leaves_a_delivery_a_key_of_its_own(reading: Read, timestamp: object) -> None:
    first = reading(Source.JIRA, updated("", "bug-fix", timestamp=timestamp))
    assert isinstance(first.event, IssueLabelled)
    assert first.delivery_key != reading(Source.JIRA, updated("", "bug-fix", timestamp=timestamp, id=2)).delivery_key


def test_a_merge_request_of_a_version_without_a_project_is_named_by_its_target(reading: Read) -> None:
    attributes = {
        "id": 90,
        "iid": 4,
        "source_project_id": 2,
        "target_project_id": 2,
        "state": "opened",
        "action": None,
        "source_branch": "b",
        "target": {"name": "contacts", "path_with_namespace": "payk12/contacts"},
    }
    found = reading(Source.GITLAB, json({"object_kind": "merge_request", "object_attributes": attributes}))
    assert isinstance(found.event, MergeRequestChanged)
    assert (found.event.project_id, found.event.project, found.event.iid) == (2, "payk12/contacts", 4)
    assert (found.event.action, found.ordering_key) == ("update", "merge_request:2:4")


@pytest.mark.parametrize(
    "changes",
    [
        {"project": {"path_with_namespace": "payk12/contacts"}, "project_id": 2},
        {"project": None, "project_id": 2},
        {"project": {"path_with_namespace": "payk12/contacts"}, "attributes": {"project_id": 2, "action": None}},
        {"attributes": {"system": None, "confidential": None, "action": None}},
    ],
)
def test_a_note_of_a_version_whose_project_has_no_id_is_read(reading: Read, changes: dict[str, Any]) -> None:
    found = reading(Source.GITLAB, note(**changes))
    assert isinstance(found.event, NotePosted)
    assert (found.event.project_id, found.event.action) == (2, "create")


@pytest.mark.parametrize(
    ("told", "kept"), [(-0.25, 0.0), (-900, 0.0), (0, 0.0), (12.5, 12.5), (1e12, 1e9), (None, None)]
)
def test_a_duration_of_a_clock_that_is_behind_is_nothing(reading: Read, told: float | None, kept: float | None) -> None:
    found = reading(Source.GITLAB, job(build_duration=told, build_queued_duration=told, build_allow_failure=None))
    assert isinstance(found.event, JobChanged)
    assert (found.event.duration_s, found.event.queued_s, found.event.allow_failure) == (kept, kept, False)


@pytest.mark.parametrize(
    "text", ["soon", "2016-08-12", "2016-13-45 00:00:00 UTC", "2016-08-12T15:23:28", "", "9999-12-31T23:59:59-01:00"]
)
def test_a_time_that_can_not_be_read_spoils_nothing_else(reading: Read, text: str) -> None:
    event = reading(Source.GITLAB, pipeline(attributes={"created_at": text})).event
    assert isinstance(event, PipelineChanged)
    assert (event.status, event.created_at) == ("running", None)


def test_a_change_of_nothing_means_nothing(reading: Read) -> None:
    found = reading(Source.JIRA, updated("", "bug-fix", changelog={"items": None})).event
    assert found == NotInteresting(reason="No label of PL-479 was changed.")


def test_hostile_texts_are_cut_and_cleaned_before_anything_keeps_them(reading: Read) -> None:
    hostile = "run\x00ning\x1b[31m\x7f" + "x" * 10_000
    event = reading(Source.GITLAB, pipeline(attributes={"status": hostile, "url": "javascript:alert(1)"})).event
    assert isinstance(event, PipelineChanged)
    assert event.status.startswith("running[31mx")
    assert (len(event.status), event.url) == (255, "")
    unknown = reading(Source.GITLAB, json({"object_kind": "x\x00" * 5_000}))
    assert len(unknown.kind) == 255
    assert "\x00" not in unknown.kind


def job(**changes: Any) -> bytes:
    hook = {"object_kind": "build", "project_id": 2, "pipeline_id": 31, "build_id": 7, "build_name": "analysis"}
    return json(hook | {"build_stage": "analyse", "build_status": "success", "build_duration": 4.5} | changes)


def test_a_job_names_its_project_in_new_and_old_versions(reading: Read) -> None:
    for changes in (
        {"project": PROJECT},
        {"repository": {"homepage": "https://gitlab.example.com/payk12/contacts"}},
    ):
        found = reading(Source.GITLAB, job(**changes))
        assert isinstance(found.event, JobChanged)
        assert (found.event.project, found.ordering_key) == ("payk12/contacts", "pipeline:2:31")
    bare = reading(Source.GITLAB, job()).event
    assert isinstance(bare, JobChanged)
    assert (bare.project, bare.duration_s, bare.queued_s) == ("", 4.5, None)


def test_a_merge_request_is_named_by_its_target(reading: Read) -> None:
    attributes = {"iid": 1, "target_project_id": 2, "state": "merged", "source_branch": "b", "action": "merge"}
    attributes["merge_commit_sha"] = "d" * 40
    hook = {"object_kind": "merge_request", "project": PROJECT, "user": {"id": 3, "username": "mara"}}
    found = reading(Source.GITLAB, json(hook | {"object_attributes": attributes}))
    assert isinstance(found.event, MergeRequestChanged)
    assert (found.event.state, found.event.actor, found.ordering_key) == ("merged", "mara", "merge_request:2:1")
    assert found.event.source_project_id is None
    assert found.event.merge_commit_sha == "d" * 40


@pytest.mark.parametrize(
    ("action", "branch", "description", "is_revert"),
    [
        ("merge", "revert-a1b2c3d4", "This reverts merge request !7", True),
        ("merge", "revert-a1b2c3d4", "This reverts merge request !7\n\nIt broke exports.", True),
        ("open", "revert-a1b2c3d4", "This reverts merge request !7", False),
        ("merge", "bug-fix/PL-479", "This reverts merge request !7", False),  # words of a ticket in one of ours
        ("merge", "revert-a1b2c3d4", "See: This reverts merge request !7", False),
        ("merge", "revert-a1b2c3d4", "This reverts commit a1b2c3d4", False),  # found by looking at the branch
        ("merge", "revert-a1b2c3d4", None, False),
    ],
)
def test_a_merged_merge_request_that_takes_another_back_is_about_that_one(
    reading: Read,
    action: str,
    branch: str,
    description: str | None,
    is_revert: bool,  # noqa: FBT001
) -> None:
    attributes = {"iid": 9, "target_project_id": 2, "state": "merged", "action": action, "source_branch": branch}
    hook = {"object_kind": "merge_request", "project": PROJECT, "user": {"id": 3, "username": "mara"}}
    found = reading(Source.GITLAB, json(hook | {"object_attributes": attributes | {"description": description}}))
    if is_revert:
        assert found.event == RevertMerged(project_id=2, iid=7, by_iid=9)
        assert found.ordering_key == "merge_request:2:7"
    else:
        assert isinstance(found.event, MergeRequestChanged)


def test_a_merge_request_of_a_fork_says_whose_branch_it_is(reading: Read) -> None:
    attributes = {"iid": 1, "target_project_id": 2, "source_project_id": 77, "state": "opened", "source_branch": "b"}
    found = reading(
        Source.GITLAB, json({"object_kind": "merge_request", "project": PROJECT, "object_attributes": attributes})
    )
    assert isinstance(found.event, MergeRequestChanged)
    assert (found.event.project_id, found.event.source_project_id) == (2, 77)


def note(**changes: Any) -> bytes:
    hook = {"object_kind": "note", "event_type": "note", "project": PROJECT, "merge_request": {"iid": 1}}
    attributes = NOTE | changes.pop("attributes", {})
    return json(hook | {"object_attributes": attributes} | changes)


def test_a_persons_note_on_a_merge_request_is_read(reading: Read) -> None:
    found = reading(Source.GITLAB, note())
    assert isinstance(found.event, NotePosted)
    assert (found.event.note, found.event.author_id, found.ordering_key) == (5, 3, "merge_request:2:1")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (note(attributes={"author_id": 7}), "our own"),
        (note(attributes={"system": True}), "GitLab itself"),
        (note(event_type="confidential_note"), "confidential"),
        (note(attributes={"internal": True}), "confidential"),
        (note(attributes={"confidential": True}), "confidential"),
        (note(attributes={"noteable_type": "Issue"}), "Issue"),
        (json({"object_kind": "tag_push", "ref": "refs/tags/v1"}), "`tag_push`"),
        (json({"event_name": "user_add_to_group"}), "`user_add_to_group`"),
    ],
)
def test_other_notes_and_hooks_say_why_they_mean_nothing(reading: Read, body: bytes, says: str) -> None:
    event = reading(Source.GITLAB, body).event
    assert isinstance(event, NotInteresting)
    assert says in event.reason


def test_a_persons_note_with_our_marker_is_a_persons_unless_we_do_not_know_ourselves(
    reading: Read, reading_as_nobody: Read
) -> None:
    pasted = note(attributes={"note": "/bug-fix approve\n<!-- bug-fix:run=0123 -->"})
    found = reading(Source.GITLAB, pasted).event
    assert isinstance(found, NotePosted)
    assert found.is_addressed
    assert reading_as_nobody(Source.GITLAB, pasted).event == NotInteresting(reason="The note is our own.")


@pytest.mark.parametrize(
    ("said", "is_addressed"), [("/bug-fix approve", True), ("> /bug-fix approve", False), ("Looks right.", False)]
)
def test_a_note_that_gives_a_command_says_so(reading: Read, said: str, is_addressed: bool) -> None:  # noqa: FBT001  # a table's column
    event = reading(Source.GITLAB, note(attributes={"note": said})).event
    assert isinstance(event, NotePosted)
    assert event.is_addressed == is_addressed


@pytest.mark.parametrize("said", ["/bug-fix cancel", "/bug-fix escalate it needs a person"])
def test_what_stops_a_run_waits_for_no_other_delivery(reading: Read, said: str) -> None:
    found = reading(Source.GITLAB, note(attributes={"note": said}))
    assert (found.event.overtakes, found.ordering_key) == (True, "now:merge_request:2:1")
    comment = {"id": "7", "author": CLOUD_USER, "body": said}
    body = json({"webhookEvent": "comment_created", "timestamp": 1, "issue": {"key": "PL-479"}, "comment": comment})
    found = reading(Source.JIRA, body)
    assert (found.event.overtakes, found.ordering_key) == (True, "now:ticket:PL-479")
    quoted = reading(Source.GITLAB, note(attributes={"note": f"> {said}"}))
    assert (quoted.event.overtakes, quoted.ordering_key) == (False, "merge_request:2:1")


def test_a_note_brings_its_thread_and_the_hash_of_its_text(reading: Read) -> None:
    said = {"note": "/bug-fix status", "discussion_id": "a" * 40, "type": None}
    alone = reading(Source.GITLAB, note(attributes=said))
    assert alone.event.discussion == ""
    thread = said | {"type": "DiscussionNote"}
    found = reading(Source.GITLAB, note(attributes=thread))
    assert found.event.discussion == "a" * 40
    assert found.event.text_sha256 == alone.event.text_sha256
    edited = reading(Source.GITLAB, note(attributes=thread | {"note": "/bug-fix cancel"}))
    assert edited.event.text_sha256 != alone.event.text_sha256


def test_a_command_at_a_terminal_is_read_and_one_that_stops_waits_for_nothing() -> None:
    for word, key in (("retry", "ticket:PL-479"), ("cancel", "now:ticket:PL-479")):
        typed = CommandTyped(
            run=RunId("aa"), issue_key=IssueKey("PL-479"), command=Command(word=word), actor_name="op", request="r1"
        )
        delivery = Delivery.asked_by_operator(typed, request_id="r1", now=datetime(2026, 1, 1, tzinfo=UTC))
        found = read(delivery, interests=Interests(label="", jira_project=""))
        assert (found.event, found.kind, found.ordering_key) == (typed, "command", key)


def test_an_edited_note_says_so(reading: Read) -> None:
    event = reading(Source.GITLAB, note(attributes={"action": "update"})).event
    assert isinstance(event, NotePosted)
    assert event.action == "update"


def test_the_vendors_key_tells_deliveries_apart(reading: Read) -> None:
    body = pipeline()
    one = reading(Source.GITLAB, body, idempotency_key="abc", x_gitlab_event_uuid="u", x_gitlab_webhook_uuid="1")
    again = reading(Source.GITLAB, body, idempotency_key="abc", x_gitlab_event_uuid="u", x_gitlab_webhook_uuid="2")
    other = reading(Source.GITLAB, body, idempotency_key="abd", x_gitlab_event_uuid="u", x_gitlab_webhook_uuid="1")
    signed = reading(Source.GITLAB, body, webhook_id="abc", idempotency_key="abc")
    assert one.delivery_key == again.delivery_key == signed.delivery_key == "abc"
    assert other.delivery_key == "abd"


@pytest.mark.parametrize("body", [updated("", "bug-fix"), updated("", "bug-fix", timestamp=None), updated("", "x")])
def test_what_is_not_signed_gives_a_hook_of_jira_no_other_key(reading: Read, body: bytes) -> None:
    keys = {reading(Source.JIRA, body, x_atlassian_webhook_identifier=n).delivery_key for n in ("id-1", "id-2", "")}
    assert len(keys) == 1


def test_a_body_of_jira_without_a_time_is_equal_to_itself_only(reading: Read) -> None:
    first = reading(Source.JIRA, updated("", "bug-fix", timestamp=None))
    later = reading(Source.JIRA, updated("", "bug-fix", timestamp=None, id=2))
    assert first.delivery_key != later.delivery_key


def test_a_key_of_odd_characters_is_hashed(reading: Read) -> None:
    odd = reading(Source.GITLAB, pipeline(), idempotency_key="ä b" * 300)
    assert odd.delivery_key.startswith("sha256-")
    assert odd.delivery_key.isascii()


def test_without_a_vendors_key_the_meaning_tells_deliveries_apart(reading: Read) -> None:
    first = reading(Source.JIRA, updated("", "bug-fix"))
    reordered = json(dict(reversed(list(msgspec.json.decode(updated("", "bug-fix")).items()))))
    assert reading(Source.JIRA, reordered).delivery_key == first.delivery_key
    set_again = reading(Source.JIRA, updated("", "bug-fix", timestamp=2))
    assert set_again.delivery_key != first.delivery_key
    success = reading(Source.GITLAB, pipeline(attributes={"status": "success"}))
    assert success.delivery_key != reading(Source.GITLAB, pipeline()).delivery_key
    tag, other_tag = (reading(Source.GITLAB, json({"object_kind": "tag_push", "ref": r})) for r in ("a", "b"))
    assert tag.delivery_key != other_tag.delivery_key
    assert tag.ordering_key == f"delivery:{tag.delivery_key}"


def test_an_operators_request_is_a_delivery_too(interests: Interests) -> None:
    request = StartRequested(issue_key="PL-479", actor_name="root")
    delivery = Delivery.asked_by_operator(request, request_id="r1", now=datetime(2026, 1, 1, tzinfo=UTC))
    found = read(delivery, interests=interests)
    assert (found.event, found.delivery_key, found.ordering_key) == (request, "r1", "ticket:PL-479")
