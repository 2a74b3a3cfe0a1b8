"""Hooks carry what Jira's carry, signed, and come again when the receiver failed; or go wrong as they are told."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from jira.exceptions import JIRAError

from sandbox.scenario_format import Flavour

pytestmark = pytest.mark.integration
RECORDED = Path(__file__).parents[3] / ".." / "shared" / "contracts" / "jira-webhooks" / "mattermost-plugin-jira"


def label(emulated: Any, *labels: str) -> None:
    emulated.client("mara").issue("PL-479").add_field_value("labels", labels[0])


def changed(body: Any) -> Any:
    return [(item["field"], item["fromString"], item["toString"]) for item in body["changelog"]["items"]]


def test_an_added_label_comes_as_the_difference_of_two_strings(either: Any) -> None:
    label(either, "bug-fix")
    [body] = either.receiver.bodies(1)
    assert body["webhookEvent"] == "jira:issue_updated"
    assert body["issue_event_type_name"] == "issue_updated"
    assert changed(body) == [("labels", "front-office", "bug-fix front-office")]
    assert body["changelog"]["items"][0]["from"] is None
    assert body["issue"]["fields"]["labels"] == ["bug-fix", "front-office"]
    assert body["user"]["displayName"] == "Mara Lindqvist"


def test_a_security_level_is_set_by_its_id_and_told_in_the_changelog(either: Any) -> None:
    issue = either.client("mara").issue("PL-479")
    issue.update(fields={"security": {"id": "10200"}})
    issue.update(fields={"security": {"id": "10200"}})
    assert issue.fields.security.name == "Reporters and developers"
    issue.update(fields={"security": None})
    set_, unset = either.receiver.bodies(2)
    assert changed(set_) == [("security", None, "Reporters and developers")]
    assert set_["changelog"]["items"][0]["to"] == "10200"
    assert set_["issue"]["fields"]["security"]["id"] == "10200"
    assert changed(unset) == [("security", "Reporters and developers", None)]
    with pytest.raises(JIRAError, match="security level is not valid"):
        issue.update(fields={"security": {"id": "1"}})


def test_setting_the_same_label_again_tells_nothing(cloud: Any) -> None:
    label(cloud, "bug-fix")
    label(cloud, "bug-fix")
    cloud.client("mara").issue("PL-479").update(fields={"labels": []})
    bodies = cloud.receiver.bodies(2)
    assert changed(bodies[1]) == [("labels", "bug-fix front-office", "")]


def test_a_delivery_is_signed_over_its_raw_bytes(either: Any) -> None:
    label(either, "bug-fix")
    [request] = either.receiver.wait(1)
    expected = hmac.new(b"hook secret", request.body, hashlib.sha256).hexdigest()
    assert request.headers["x-hub-signature"] == f"sha256={expected}"
    assert ("x-atlassian-webhook-identifier" in request.headers) == (either.site.flavour is Flavour.CLOUD)


def test_a_label_set_at_creation_is_in_no_changelog(either: Any) -> None:
    either.client("mara").create_issue(
        project={"key": "PL"}, issuetype={"name": "Bug"}, summary="Search is slow", labels=["bug-fix"]
    )
    [body] = either.receiver.bodies(1)
    assert body["webhookEvent"] == "jira:issue_created"
    assert "changelog" not in body
    assert body["issue"]["fields"]["labels"] == ["bug-fix"]


def test_a_transition_is_one_update_with_its_status(cloud: Any) -> None:
    client = cloud.client()
    client.transition_issue("PL-479", "Start work", fields={"labels": ["a"]})
    [update] = cloud.receiver.bodies(1)
    assert update["issue_event_type_name"] == "issue_generic"
    assert changed(update) == [("status", "To Do", "In Progress"), ("labels", "front-office", "a")]


def test_cloud_tells_of_a_comment_with_a_slim_issue_and_no_user(cloud: Any) -> None:
    comment = cloud.client("dana").add_comment("PL-479", "/bug-fix help")
    comment.update(body="/bug-fix retry")
    comment.delete()
    created, updated, deleted = cloud.receiver.bodies(3)
    assert [one["webhookEvent"] for one in (created, updated, deleted)] == [
        "comment_created",
        "comment_updated",
        "comment_deleted",
    ]
    assert created["comment"]["body"] == "/bug-fix help"
    assert set(created["issue"]["fields"]) == {"summary", "issuetype", "project", "assignee", "priority", "status"}
    assert "user" not in created


def test_data_center_tells_of_a_comment_twice_and_without_an_issue_first(data_center: Any) -> None:
    data_center.client("dana").add_comment("PL-479", "/bug-fix help")
    bare, whole = data_center.receiver.bodies(2)
    assert set(bare) == {"timestamp", "webhookEvent", "comment"}
    assert f"/issue/{data_center.site.issue('PL-479').id}/comment/" in bare["comment"]["self"]
    assert (whole["webhookEvent"], whole["issue_event_type_name"]) == ("jira:issue_updated", "issue_commented")
    assert "changelog" not in whole


@pytest.mark.parametrize(
    ("flavour", "recorded", "ours"),
    [
        (Flavour.CLOUD, "webhook-issue-updated-labels.json", 0),
        (Flavour.CLOUD, "webhook-cloud-comment-created.json", 1),
        (Flavour.DATA_CENTER, "webhook-server-comment-created.json", 1),
        (Flavour.DATA_CENTER, "webhook-server-issue-updated-commented-1.json", 2),
    ],
)
def test_a_hook_has_the_shape_of_a_recorded_one(start: Any, flavour: Flavour, recorded: str, ours: int) -> None:
    if not RECORDED.is_dir():
        pytest.skip("the recorded hooks are not beside this checkout")
    emulated = start(flavour)
    label(emulated, "bug-fix")
    emulated.client("dana").add_comment("PL-479", "hello")
    body = emulated.receiver.bodies(3 if flavour is Flavour.DATA_CENTER else 2)[ours]
    model = json.loads((RECORDED / recorded).read_text())
    strange = sorted(_paths(body) - _paths(model) - NEWER)
    assert strange == []
    assert set(body) == set(model)


NEWER = {"accountType", "projectTypeKey"}
"""Fields that came to Jira after the hooks were recorded in 2019."""


def _paths(value: Any) -> set[str]:
    """Return the names of all fields, wherever they are."""
    if isinstance(value, dict):
        return set(value) | {name for one in value.values() for name in _paths(one)}
    return {name for one in value for name in _paths(one)} if isinstance(value, list) else set()


def test_a_failed_delivery_comes_again_under_the_same_identifier(cloud: Any) -> None:
    cloud.receiver.statuses += [503, 500]
    label(cloud, "bug-fix")
    requests = cloud.receiver.wait(3)
    assert len({request.headers["x-atlassian-webhook-identifier"] for request in requests}) == 1
    assert [request.headers.get("x-atlassian-webhook-retry") for request in requests] == [None, "1", "2"]
    assert len({request.body for request in requests}) == 1


def test_after_five_retries_the_delivery_is_given_up(cloud: Any) -> None:
    cloud.receiver.statuses += [500] * 6
    label(cloud, "bug-fix")
    cloud.receiver.wait(6)
    cloud.client("dana").add_comment("PL-479", "hello")
    assert cloud.receiver.bodies(7)[6]["webhookEvent"] == "comment_created"
    first = cloud.control("GET", "state")["deliveries"][0]
    assert (first["finished"], [attempt["status"] for attempt in first["attempts"]]) == (True, [500] * 6)


@pytest.mark.parametrize("status", [400, 401, 404])
def test_a_refused_delivery_does_not_come_again(cloud: Any, status: int) -> None:
    cloud.receiver.statuses.append(status)
    label(cloud, "bug-fix")
    cloud.client("dana").add_comment("PL-479", "hello")
    assert [body["webhookEvent"] for body in cloud.receiver.bodies(2)] == ["jira:issue_updated", "comment_created"]


def test_data_center_does_not_try_again(data_center: Any) -> None:
    data_center.receiver.statuses.append(500)
    label(data_center, "bug-fix")
    data_center.client("dana").add_comment("PL-479", "hello")
    events = [body["webhookEvent"] for body in data_center.receiver.bodies(3)]
    assert events == ["jira:issue_updated", "comment_created", "jira:issue_updated"]


@pytest.mark.parametrize(
    ("fault", "come"),
    [
        ({"treatment": "drop"}, ["comment_created"]),
        ({"treatment": "duplicate"}, ["jira:issue_updated", "jira:issue_updated", "comment_created"]),
        ({"treatment": "behind"}, ["comment_created", "jira:issue_updated"]),
        ({"treatment": "delay", "delay_s": 0.05}, ["comment_created", "jira:issue_updated"]),
        ({"treatment": "fail"}, ["comment_created", "jira:issue_updated"]),
        ({"treatment": "drop", "event": "comment_*"}, ["jira:issue_updated"]),
    ],
)
def test_a_delivery_goes_wrong_as_it_is_told(cloud: Any, fault: Any, come: list[str]) -> None:
    client, issue = cloud.client("dana"), cloud.client("mara").issue("PL-479")
    cloud.control("POST", "faults", hooks=[fault])
    issue.add_field_value("labels", "bug-fix")
    client.add_comment("PL-479", "hello")
    got = cloud.receiver.wait(len(come))
    assert sorted(request.json()["webhookEvent"] for request in got) == sorted(come)
    if fault["treatment"] == "behind":
        assert [request.json()["webhookEvent"] for request in got] == come
    if fault["treatment"] == "duplicate":
        assert got[0].headers["x-atlassian-webhook-identifier"] == got[1].headers["x-atlassian-webhook-identifier"]
    assert cloud.control("GET", "faults")["hooks"] == []
