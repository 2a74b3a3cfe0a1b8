"""What the product does with the `jira` package works here as it does with a real Jira."""

import io
from typing import Any

import jira
import pytest

from sandbox.scenario_format import JiraTransition

pytestmark = pytest.mark.integration


def test_the_ticket_is_the_scenario_s(unchanged: Any) -> None:
    issue = unchanged.client().issue("PL-479")
    assert issue.fields.summary == "Contact creation fails for names with an apostrophe"
    assert issue.fields.labels == ["front-office"]
    assert [component.name for component in issue.fields.components] == ["contacts"]
    assert issue.fields.status.name == "To Do"
    assert issue.fields.reporter.displayName == "Dana Whitfield"
    assert "h3. Steps" in issue.fields.description
    assert [comment.author.displayName for comment in issue.fields.comment.comments] == [
        "Tomás Ferreira",
        "Dana Whitfield",
    ]


def test_only_the_fields_that_are_asked_for_come(unchanged: Any) -> None:
    issue = unchanged.client().issue("PL-479", fields="summary,labels", expand="changelog")
    assert set(issue.raw["fields"]) == {"summary", "labels"}
    assert issue.changelog.histories == []


def test_cloud_knows_people_by_account_id_and_data_center_by_name(cloud: Any, data_center: Any) -> None:
    there, here = cloud.client().myself(), data_center.client().myself()
    assert (there["accountId"], there.get("name")) == (cloud.site.people["bug-fix-bot"].account_id, None)
    assert (here["name"], here.get("accountId")) == ("bug-fix-bot", None)
    assert cloud.client().deploymentType == "Cloud"
    assert data_center.client().deploymentType == "Server"


def test_people_correct_who_reported_an_issue_and_it_is_always_somebody(cloud: Any) -> None:
    issue = cloud.client().issue("PL-479")
    issue.update(fields={"reporter": {"accountId": cloud.site.people["mara"].account_id}})
    assert cloud.client().issue("PL-479").fields.reporter.displayName == "Mara Lindqvist"
    with pytest.raises(jira.JIRAError):
        issue.update(fields={"reporter": None})


def test_a_comment_can_be_added_edited_in_place_and_deleted(either: Any) -> None:
    client = either.client()
    comment = client.add_comment("PL-479", "Bug fix: *analysing*")
    comment.update(body="Bug fix: *waiting for review*")
    assert client.comment("PL-479", comment.id).body == "Bug fix: *waiting for review*"
    assert len(client.comments("PL-479")) == 3
    comment.delete()
    with pytest.raises(jira.JIRAError) as refused:
        client.comment("PL-479", comment.id)
    assert refused.value.status_code == 404


def test_an_edit_changes_who_sees_a_comment_only_where_it_says_so(either: Any) -> None:
    client = either.client()
    developers = {"type": "group", "value": "payk12-developers"}
    comment = client.add_comment("PL-479", "Bug fix: analysing")
    comment.update(body="Bug fix: restricted", visibility=developers)
    comment.update(body="Bug fix: still restricted")
    assert client.comment("PL-479", comment.id).raw["visibility"] == developers


def test_a_user_is_shown_with_groups(unchanged_cloud: Any) -> None:
    with unchanged_cloud.http() as http:
        asked = {"accountId": unchanged_cloud.site.people["dana"].account_id, "expand": "groups"}
        found = http.get("/user", params=asked).json()
        assert [group["name"] for group in found["groups"]["items"]] == ["payk12-support"]
        assert http.get("/user", params={"accountId": "nobody"}).status_code == 404


def test_comments_come_in_pages_as_small_as_asked_for(cloud: Any) -> None:
    client = cloud.client()
    cloud.control("POST", "faults", page_size=1)
    assert len(client.comments("PL-479")) == 1
    embedded = client.issue("PL-479").fields.comment
    assert (len(embedded.comments), embedded.total) == (1, 2)


def test_a_search_has_pages_as_small_as_the_switch_says(either: Any) -> None:
    kind = {"project": {"key": "PL"}, "issuetype": {"name": "Bug"}, "summary": "Slow", "labels": ["bug-fix"]}
    for _ in range(2):
        either.client("dana").create_issue(**kind)
    either.control("POST", "faults", page_size=1)
    client = either.client()
    is_cloud = client.deploymentType == "Cloud"
    jql = 'project = "PL" AND labels = "bug-fix" AND updated >= "-9m" ORDER BY updated ASC'
    asked = {"jql": jql, "maxResults": 100, "fields": "labels"}
    found = client._get_json("search/jql" if is_cloud else "search", params=asked)
    assert [one["key"] for one in found["issues"]] == ["PL-480"]
    assert (found["isLast"] if is_cloud else found["total"] == found["maxResults"]) is False


def test_somebody_else_s_comment_can_not_be_edited(unchanged: Any) -> None:
    comment = unchanged.client().comments("PL-479")[0]
    with pytest.raises(jira.JIRAError, match="permission to edit this comment"):
        comment.update(body="mine now")


def test_transitions_are_those_of_the_status(either: Any) -> None:
    client = either.client()
    offered = client.transitions("PL-479", expand="transitions.fields")
    assert [(one["name"], one["to"]["name"], one["fields"]) for one in offered] == [("Start work", "In Progress", {})]
    client.transition_issue("PL-479", offered[0]["id"])
    assert client.issue("PL-479").fields.status.name == "In Progress"
    assert [one["to"]["name"] for one in client.transitions("PL-479")] == ["In Review", "Done", "To Do"]


def test_a_transition_that_is_not_offered_is_refused(unchanged: Any) -> None:
    with pytest.raises(jira.JIRAError, match="Transition id '21' is not valid for this issue"):
        unchanged.client().transition_issue("PL-479", "21")


def test_a_transition_needs_its_required_fields(start: Any) -> None:
    emulated = start(transitions=(JiraTransition(name="Close", to="Done", required=("resolution",)),))
    client = emulated.client()
    assert list(client.transitions("PL-479", expand="transitions.fields")[0]["fields"]) == ["resolution"]
    with pytest.raises(jira.JIRAError, match="Resolution is required"):
        client.transition_issue("PL-479", "11")
    assert client.issue("PL-479").fields.status.name == "To Do"
    client.transition_issue("PL-479", "11", fields={"resolution": {"name": "Duplicate"}})
    assert client.issue("PL-479").fields.resolution.name == "Duplicate"


def test_done_has_a_resolution_and_reopening_takes_it_away(either: Any) -> None:
    client = either.client()
    for name in ("Start work", "Finish"):
        client.transition_issue("PL-479", name)
    assert client.issue("PL-479").fields.resolution.name == "Done"
    client.transition_issue("PL-479", "Reopen")
    assert client.issue("PL-479").fields.resolution is None


def test_labels_are_set_added_and_removed(either: Any) -> None:
    client = either.client("mara")
    issue = client.issue("PL-479")
    issue.add_field_value("labels", "bug-fix")
    assert issue.fields.labels == ["bug-fix", "front-office"]
    issue.update(update={"labels": [{"remove": "front-office"}, {"add": "urgent"}]})
    assert issue.fields.labels == ["bug-fix", "urgent"]
    issue.update(fields={"labels": ["one"]})
    assert client.issue("PL-479").fields.labels == ["one"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"fields": {"labels": ["two words"]}}, "contains spaces"),
        ({"fields": {"labels": ["x"]}, "update": {"labels": [{"add": "y"}]}}, "both 'fields' and 'update'"),
        ({"fields": {"customfield_1": "x"}}, "cannot be set"),
        ({"fields": {"summary": "a\nb"}}, "newline"),
        ({"fields": {"priority": {"name": "Huge"}}}, "priority selected is invalid"),
        ({"update": {"summary": [{"add": "x"}]}}, "not supported"),
        ({"update": {"labels": [{"edit": "x"}]}}, "not supported"),
        ({"fields": {"summary": "new", "labels": ["two words"]}}, "contains spaces"),
    ],
)
def test_a_change_that_jira_would_refuse_changes_nothing(unchanged_cloud: Any, change: Any, said: str) -> None:
    issue = unchanged_cloud.client("mara").issue("PL-479")
    before = issue.raw["fields"]
    with pytest.raises(jira.JIRAError, match=said):
        issue.update(**change)
    assert unchanged_cloud.client().issue("PL-479").raw["fields"] == before


def test_a_remote_link_with_the_same_global_id_is_updated(either: Any) -> None:
    client = either.client()
    for title in ("!1", "!1 merged"):
        with pytest.warns(Warning, match="Unable to gather applicationlinks"):
            client.add_remote_link("PL-479", {"url": "https://git.example.org/1", "title": title}, globalId="bug-fix:1")
    client.add_simple_link("PL-479", {"url": "https://git.example.org/2", "title": "pipeline"})
    links = client.remote_links("PL-479")
    assert [(link.object.title, link.raw.get("globalId")) for link in links] == [
        ("!1 merged", "bug-fix:1"),
        ("pipeline", None),
    ]


def test_an_attachment_comes_back_byte_for_byte(either: Any) -> None:
    client = either.client()
    attached = client.add_attachment("PL-479", io.BytesIO(b"\x89PNG\r\n\x00\r\n"), filename="before.png")
    assert client.issue("PL-479").fields.attachment[0].filename == "before.png"
    assert client.attachment(attached.id).get() == b"\x89PNG\r\n\x00\r\n"
    assert attached.mimeType == "image/png"


def test_a_new_issue_can_be_created(either: Any) -> None:
    client = either.client("dana")
    issue = client.create_issue(
        project={"key": "PL"},
        issuetype={"name": "Bug"},
        summary="Search is slow",
        labels=["bug-fix"],
        priority={"name": "Low"},
    )
    assert issue.key == "PL-480"
    assert (issue.fields.reporter.displayName, issue.fields.labels) == ("Dana Whitfield", ["bug-fix"])
