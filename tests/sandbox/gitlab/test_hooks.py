"""Hooks as they arrive: headers, signatures, payload shapes, records, auto-disable, and every way to go wrong."""

import base64
import dataclasses
import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gitlab.exceptions import GitlabError

pytestmark = pytest.mark.integration
SAMPLES = Path(__file__).parents[3].parent / "shared" / "contracts" / "gitlab-webhooks"
needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the recorded payloads are not here")


@pytest.fixture
def project(emulated: Any) -> Any:
    return emulated.client().projects.get("payk12/contacts")


@pytest.fixture
def note(project: Any) -> Callable[[str], Any]:
    project.commits.create(
        {
            "branch": "topic",
            "start_branch": "main",
            "commit_message": "Fix",
            "actions": [{"action": "create", "file_path": "x", "content": "x"}],
        }
    )
    mr = project.mergerequests.create({"source_branch": "topic", "target_branch": "main", "title": "Fix"})
    return lambda body: mr.notes.create({"body": body})


def bodies(emulated: Any) -> list[str]:
    return [one.json()["object_attributes"]["note"] for one in emulated.receiver.of("Note Hook")]


def test_a_hook_is_signed_as_standard_webhooks_say(emulated: Any, note: Callable[[str], Any]) -> None:
    note("hello")
    (hook,) = emulated.receiver.wait_for("Note Hook")
    headers = hook.headers
    secret = base64.b64decode(emulated.secrets.webhook_signing_token.split("_", 1)[1])
    content = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), hook.body])
    expected = base64.standard_b64encode(hmac.digest(secret, content, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["webhook-id"] == headers["idempotency-key"]
    assert headers["x-gitlab-token"] == emulated.secrets.webhook_secret
    assert headers["x-gitlab-instance"] == emulated.url
    assert headers["x-gitlab-webhook-uuid"] != headers["x-gitlab-event-uuid"]
    assert headers["user-agent"].startswith("GitLab/")
    assert headers["content-type"] == "application/json"


def test_what_happens_is_told_in_order(emulated: Any, note: Callable[[str], Any]) -> None:
    posted = note("one")
    posted.body = "two"
    posted.save()
    emulated.receiver.wait(4)
    told = [
        (one.headers["x-gitlab-event"], one.json().get("object_attributes", {}).get("action"))
        for one in emulated.receiver.got
    ]
    assert told == [
        ("Push Hook", None),
        ("Merge Request Hook", "open"),
        ("Note Hook", "create"),
        ("Note Hook", "update"),
    ]


def test_a_push_to_an_open_merge_request_tells_the_old_revision(emulated: Any, project: Any, note: Any) -> None:
    del note
    old = project.mergerequests.get(1).sha
    project.commits.create(
        {
            "branch": "topic",
            "commit_message": "More",
            "actions": [{"action": "create", "file_path": "y", "content": "y"}],
        }
    )
    updated = emulated.receiver.wait_for("Merge Request Hook", 2)[-1].json()["object_attributes"]
    assert (updated["action"], updated["oldrev"]) == ("update", old)
    assert updated["last_commit"]["id"] == project.mergerequests.get(1).sha


def test_an_edit_tells_what_changed_and_a_merge_that_it_merged(emulated: Any, project: Any, note: Any) -> None:
    del note
    mr = project.mergerequests.get(1)
    mr.labels = ["a"]
    mr.save()
    emulated.client("mara").projects.get("payk12/contacts").mergerequests.get(1).merge()
    hooks = [one.json() for one in emulated.receiver.wait_for("Merge Request Hook", 3)]
    assert hooks[1]["changes"]["labels"]["previous"] == []
    assert [one["title"] for one in hooks[1]["changes"]["labels"]["current"]] == ["a"]
    assert (hooks[2]["object_attributes"]["action"], hooks[2]["object_attributes"]["state"]) == ("merge", "merged")
    assert hooks[2]["user"]["username"] == "mara"


@needs_samples
@pytest.mark.parametrize(
    ("event", "sample"),
    [
        ("Push Hook", "xanzy-go-gitlab/push.json"),
        ("Merge Request Hook", "gitlab-docs-18x/merge_request.json"),
        ("Note Hook", "gitlab-docs-18x/note_merge_request.json"),
    ],
)
def test_payloads_have_every_field_of_gitlabs_own_samples(
    emulated: Any, note: Callable[[str], Any], event: str, sample: str
) -> None:
    note("hello")
    ours = emulated.receiver.wait_for(event)[0].json()
    known_gaps = {"object_attributes.st_diff", "merge_request.position", "merge_request.assignee"}
    recorded = json.loads((SAMPLES / sample).read_text())
    recorded.pop("changes", None)  # they depend on what changed
    assert _missing(recorded, ours) - known_gaps == set()


def _missing(sample: Any, ours: Any, path: str = "") -> set[str]:
    if isinstance(sample, dict) and isinstance(ours, dict):
        found = set()
        for key, value in sample.items():
            where = f"{path}.{key}".lstrip(".")
            found |= {where} if key not in ours else _missing(value, ours[key], where)
        return found
    return set()


def test_four_failures_disable_a_hook_and_a_test_that_succeeds_enables_it(emulated: Any, note: Any) -> None:
    emulated.settled()
    emulated.receiver.status = 500
    for number in range(6):
        note(str(number))
        emulated.settled()
    project = emulated.client("mara").projects.get("payk12/contacts")
    (hook,) = project.hooks.list(get_all=True)
    assert "token" not in hook.attributes
    assert hook.alert_status == "temporarily_disabled"
    assert hook.disabled_until is not None
    assert len(bodies(emulated)) == 4
    events = f"/projects/{project.id}/hooks/{hook.id}/events"
    failed = emulated.client("mara").http_list(events, get_all=False)[0]
    refused(422, lambda: emulated.client("mara").http_post(f"{events}/{failed['id']}/resend"), "Hook disabled")
    refused(422, lambda: hook.test("push_events"))
    emulated.receiver.status = 200
    hook.test("push_events")
    note("again")
    emulated.settled()
    assert bodies(emulated)[-1] == "again"
    (hook,) = project.hooks.list(get_all=True)
    assert hook.alert_status == "executable"


def refused(code: int, act: Callable[[], object], sentence: str | None = None) -> None:
    with pytest.raises(GitlabError, match=sentence) as error:
        act()
    assert error.value.response_code == code


def test_hooks_are_for_maintainers_and_answer_five_tests_and_five_resends_a_minute(
    emulated: Any, project: Any, note: Callable[[str], Any]
) -> None:
    note("hello")
    emulated.settled()
    client = emulated.client("mara")
    hook = client.projects.get(project.id).hooks.list(get_all=True)[0]
    events = f"/projects/{project.id}/hooks/{hook.id}/events"
    (sent,) = client.http_get(events, query_data={"per_page": 1})
    for query in ({"per_page": 21}, {"status": "successful,failed"}):
        refused(400, lambda query=query: client.http_get(events, query_data=query))
    refused(400, lambda: hook.test("no_events"))
    refused(403, lambda: emulated.client().http_get(events))
    refused(404, lambda: client.http_get(f"/projects/{project.id}/hooks/77/events"))
    refused(404, lambda: client.http_post(f"{events}/{sent['id'] + 1000}/resend"))
    resend, test = f"{events}/{sent['id']}/resend", f"/projects/{project.id}/hooks/{hook.id}/test/push_events"
    for _ in range(4):
        assert client.http_post(resend) == {"response_status": emulated.receiver.status}
    for _ in range(5):
        assert client.http_post(test) == {"message": "201 Created"}
    for path in (resend, test):
        refused(429, lambda path=path: client.http_post(path, obey_rate_limit=False))


def test_deliveries_are_listed_and_resent_with_their_key(emulated: Any, note: Callable[[str], Any]) -> None:
    emulated.settled()
    emulated.receiver.status = 503
    note("lost")
    emulated.settled()
    emulated.receiver.status = 202
    project = emulated.client("mara").projects.get("payk12/contacts")
    hook = project.hooks.list(get_all=True)[0]
    url = f"/projects/{project.id}/hooks/{hook.id}/events"
    client = emulated.client("mara")
    (failed,) = client.http_get(url, query_data={"status": "server_failure"})
    assert (failed["response_status"], failed["trigger"]) == ("503", "note_hooks")
    assert failed["request_headers"]["X-Gitlab-Token"] == "[REDACTED]"
    client.http_post(f"{url}/{failed['id']}/resend")
    first, second = emulated.receiver.wait_for("Note Hook", 2)
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.headers["x-gitlab-webhook-uuid"] != second.headers["x-gitlab-webhook-uuid"]
    assert first.body == second.body


def test_a_dropped_hook_was_never_sent_and_a_failed_one_is_on_record(emulated: Any, note: Callable[[str], Any]) -> None:
    emulated.settled()
    emulated.faults(
        hooks=[
            {"treatment": "drop", "event": "note"},
            {"treatment": "fail", "event": "note", "project": "payk12/*"},
        ]
    )
    for body in ("dropped", "failed", "sent"):
        note(body)
    emulated.settled()
    assert bodies(emulated) == ["sent"]
    (hook,) = emulated.state.project("payk12/contacts").hooks.values()
    statuses = [one.response_status for one in hook.deliveries if one.event.value == "note"]
    assert statuses == ["internal error", "202"]


def test_a_hook_comes_twice_with_one_key(emulated: Any, note: Callable[[str], Any]) -> None:
    emulated.settled()
    emulated.faults(hooks=[{"treatment": "duplicate", "copies": 3}])
    note("thrice")
    emulated.settled()
    hooks = emulated.receiver.of("Note Hook")
    assert (len(hooks), len({one.headers["idempotency-key"] for one in hooks})) == (3, 1)


def test_hooks_come_out_of_order(emulated: Any, note: Callable[[str], Any]) -> None:
    emulated.settled()
    emulated.faults(hooks=[{"treatment": "behind", "behind": 2}])
    for body in ("first", "second", "third", "fourth"):
        note(body)
    emulated.settled()
    assert bodies(emulated) == ["second", "third", "first", "fourth"]


def test_a_late_hook_is_overtaken(emulated: Any, note: Callable[[str], Any]) -> None:
    emulated.settled()
    emulated.faults(hooks=[{"treatment": "delay", "delay_s": 0.3}])
    note("late")
    note("early")
    emulated.settled()
    assert bodies(emulated) == ["early", "late"]


def test_a_receiver_that_is_gone_breaks_nothing(emulated: Any, note: Callable[[str], Any]) -> None:
    emulated.settled()
    hooks = emulated.state.project("payk12/contacts").hooks
    (hook,) = hooks.values()
    gone = hooks[0] = dataclasses.replace(hook, id=0, url="http://127.0.0.1:9/closed", deliveries=[])
    note("hello")
    emulated.settled()
    assert bodies(emulated) == ["hello"]
    assert [one.response_status for one in gone.deliveries] == ["internal error"]
