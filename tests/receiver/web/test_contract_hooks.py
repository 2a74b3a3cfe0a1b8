"""Every recorded payload of GitLab and Jira, signed, through the real application and the worker's handling.

The label that starts a run is `sad`, the project `TES`, so that one recorded hook starts a run.
"""

import asyncio
import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipelines.language import RunId
from pipelines.language.catalogue import Catalogue
from receiver.hooks import Delivery, Interests, Source, read
from receiver.store.postgres.database import Database
from receiver.worker.delivery_task import process
from receiver.worker.event_handler import Setting

CONTRACTS = Path(__file__).resolve().parents[4] / "shared" / "contracts"
GITLAB, JIRA = CONTRACTS / "gitlab-webhooks", CONTRACTS / "jira-webhooks"

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not GITLAB.is_dir(), reason="the recorded payloads are not beside this repository"),
]

NO_HOOK = (202, "ignored", "`$.object_kind` is missing")
COMMENTED = (202, "ignored", "No run is at work on what the hook is about.")
NO_LABEL = (202, "ignored", "No label of ")
OTHER_LABEL = (202, "ignored", "The label `sad` was not added to TES-41.")
ELSEWHERE = (202, "ignored", "is not a ticket of the project TES.")


def unused(kind: str) -> tuple[int, str, str]:
    return 202, "ignored", f"`{kind}` hooks mean nothing to a run."


EXPECTED = {
    "gitlab-docs-18x/_events.meta.json": NO_HOOK,
    "gitlab-docs-18x/deployment.json": unused("deployment"),
    "gitlab-docs-18x/feature_flag.json": unused("feature_flag"),
    "gitlab-docs-18x/merge_request.json": (202, "ignored", "gitlabhq/gitlab-test!1 is not a run's merge request."),
    "gitlab-docs-18x/note_merge_request.json": (202, "ignored", "gitlab-org/gitlab-test!1 is not a run's"),
    "gitlab-docs-18x/pipeline.json": (202, "ignored", "Pipeline 31 is gitlab-org/gitlab-test's own."),
    "terrateam/webhooks.schema.json": NO_HOOK,
    "xanzy-go-gitlab/build.json": (202, "ignored", "Pipeline 2366 is gitlab-org/gitlab-test's own."),
    "xanzy-go-gitlab/deployment.json": unused("deployment"),
    "xanzy-go-gitlab/feature_flag.json": unused("feature_flag"),
    "xanzy-go-gitlab/group_merge_request.json": (202, "ignored", "GitLab did not say which merge request"),
    "xanzy-go-gitlab/issue.json": unused("issue"),
    "xanzy-go-gitlab/job.json": (202, "ignored", "Pipeline 743121198 is jsmithy2/release-tools-fake's own."),
    "xanzy-go-gitlab/member.json": unused("user_add_to_group"),
    "xanzy-go-gitlab/merge_request.json": (202, "ignored", "gitlabhq/gitlab-test!1 is not a run's merge request."),
    "xanzy-go-gitlab/note_commit.json": (202, "ignored", "this one is on: Commit."),
    "xanzy-go-gitlab/note_issue.json": (202, "ignored", "this one is on: Issue."),
    "xanzy-go-gitlab/note_merge_request.json": (202, "ignored", "gitlab-org/gitlab-test!1 is not a run's"),
    "xanzy-go-gitlab/note_snippet.json": (202, "ignored", "this one is on: Snippet."),
    "xanzy-go-gitlab/pipeline.json": (202, "ignored", "Pipeline 31 is gitlab-org/gitlab-test's own."),
    "xanzy-go-gitlab/push.json": unused("push"),
    "xanzy-go-gitlab/release.json": unused("release"),
    "xanzy-go-gitlab/resource_access_token_group.json": unused("access_token"),
    "xanzy-go-gitlab/resource_access_token_project.json": unused("access_token"),
    "xanzy-go-gitlab/service_merge_request.json": (202, "ignored", "test/woodpecker!2 is not a run's merge request."),
    "xanzy-go-gitlab/subgroup.json": unused("subgroup_create"),
    "xanzy-go-gitlab/tag_push.json": unused("tag_push"),
    "xanzy-go-gitlab/wiki_page.json": unused("wiki_page"),
    "webhook-cloud-comment-created-mention-user.json": COMMENTED,
    "webhook-cloud-comment-created.json": COMMENTED,
    "webhook-cloud-comment-deleted.json": unused("comment_deleted"),
    "webhook-cloud-issue-updated-custom-field.json": NO_LABEL,
    "webhook-issue-comment-created-indentation.json": ELSEWHERE,
    "webhook-issue-created-no-description-nor-relevant-fields.json": OTHER_LABEL,
    "webhook-issue-created-no-description.json": OTHER_LABEL,
    "webhook-issue-created-no-relevant-fields.json": OTHER_LABEL,
    "webhook-issue-created.json": OTHER_LABEL,
    "webhook-issue-updated-assigned-nobody.json": NO_LABEL,
    "webhook-issue-updated-assigned-on-server.json": ELSEWHERE,
    "webhook-issue-updated-assigned.json": NO_LABEL,
    "webhook-issue-updated-attachments.json": NO_LABEL,
    "webhook-issue-updated-components.json": NO_LABEL,
    "webhook-issue-updated-edited.json": NO_LABEL,
    "webhook-issue-updated-fix-version.json": NO_LABEL,
    "webhook-issue-updated-issue-type.json": NO_LABEL,
    "webhook-issue-updated-labels.json": (202, "acted", "Test User asked for a fix of TES-41."),
    "webhook-issue-updated-lowered-priority.json": NO_LABEL,
    "webhook-issue-updated-raised-priority.json": NO_LABEL,
    "webhook-issue-updated-renamed.json": NO_LABEL,
    "webhook-issue-updated-reopened.json": NO_LABEL,
    "webhook-issue-updated-resolved.json": NO_LABEL,
    "webhook-issue-updated-sprint.json": NO_LABEL,
    "webhook-issue-updated-started-working.json": NO_LABEL,
    "webhook-server-comment-created.json": COMMENTED,
    "webhook-server-comment-deleted.json": unused("comment_deleted"),
    "webhook-server-comment-updated.json": unused("comment_updated"),
    "webhook-server-issue-updated-closed.json": NO_LABEL,
    "webhook-server-issue-updated-comment-deleted.json": ELSEWHERE,
    "webhook-server-issue-updated-comment-edited.json": ELSEWHERE,
    "webhook-server-issue-updated-commented-1.json": ELSEWHERE,
    "webhook-server-issue-updated-commented-3.json": ELSEWHERE,
    "webhook-server-issue-updated-in-progress.json": NO_LABEL,
    "webhook-server-issue-updated-reopened.json": NO_LABEL,
    "webhook-server-issue-updated-resolved.json": NO_LABEL,
    "webhook-server-updated-custom-field.json": NO_LABEL,
}
"""HTTP status, the worker's verdict, and what its reason (or the refusal's detail) says, of each file."""


def payloads() -> dict[str, Path]:
    """Return all recorded payloads by the names used above."""
    found = {str(path.relative_to(GITLAB)): path for path in GITLAB.rglob("*.json")}
    return found | {path.name: path for path in JIRA.rglob("*.json")}


def test_every_recorded_payload_has_an_expected_verdict() -> None:
    assert set(payloads()) == set(EXPECTED)


async def _verdicts(url: str, catalogue: Catalogue, deliveries: list[int]) -> None:
    ids = (RunId(f"{number:016x}") for number in range(1, 10_000))
    setting = Setting(catalogue=catalogue, clock=lambda: datetime.now(UTC), new_run=lambda: next(ids), bot=7)
    async with Database(url) as database:
        for delivery in deliveries:
            await process(database, delivery, setting=setting)


def test_every_recorded_payload_gets_its_verdict_when_signed(vendors: Any, postgres: str, catalogue: Catalogue) -> None:
    answers = {}
    for name, path in sorted(payloads().items()):
        send = vendors.jira if path.is_relative_to(JIRA) else vendors.gitlab
        answers[name] = send(path.read_bytes())
    stored = {name: answer.json()["delivery"] for name, answer in answers.items() if answer.status_code == 202}
    asyncio.run(_verdicts(postgres, catalogue, list(stored.values())))
    told = {row[0]: row[1:] for row in vendors.rows("SELECT id, verdict, reason FROM deliveries")}
    for name, (status, verdict, says) in EXPECTED.items():
        assert answers[name].status_code == status, name
        if status == 202:
            assert told[stored[name]][0] == verdict, name
            assert says in told[stored[name]][1], name
        else:
            assert says in answers[name].json()["detail"], name
    assert vendors.rows("SELECT issue_key, status FROM runs") == [("TES-41", "admitting")]


def test_a_label_present_at_creation_counts_in_a_recorded_payload() -> None:
    body = (JIRA / "mattermost-plugin-jira" / "webhook-issue-created.json").read_bytes()
    delivery = Delivery.stored(source=Source.JIRA, headers={}, body=body, received_at=datetime.now(UTC))
    event = read(delivery, interests=Interests(label="test-label", jira_project="TES")).event
    assert type(event).__name__ == "IssueLabelled"


MUTATIONS = 1_000

ODD: list[Any] = [
    None, True, False, 0, -1, 2**31, 2**63, 2**64, 10**30, 1.5, 1e308, "", "x", "\x00", "\ud83d\ude00", "x" * 70_000,
    "2016-13-45", "../../etc/passwd", "PL-479\n", [], {}, [[]], [None], {"id": {}}, [{"field": "labels"}],
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to each value inside."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


def within(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        document = document[key]
    return document


def flip(body: bytes, dice: random.Random) -> bytes:
    changed = bytearray(body)
    for _ in range(dice.randint(1, 8)):
        changed[dice.randrange(len(changed))] = dice.randrange(256)
    return bytes(changed)


def truncate(body: bytes, dice: random.Random) -> bytes:
    return body[: dice.randrange(len(body))]


def remove(body: bytes, dice: random.Random) -> bytes:
    document = json.loads(body)
    path = dice.choice(list(places(document)))
    del within(document, path)[path[-1]]
    return json.dumps(document).encode()


def retype(body: bytes, dice: random.Random) -> bytes:
    document = json.loads(body)
    for _ in range(dice.randint(1, 3)):
        path = dice.choice(list(places(document)) or [()])
        if path:
            within(document, path)[path[-1]] = dice.choice(ODD)
    return json.dumps(document).encode()


def shallow(body: bytes, dice: random.Random) -> bytes:
    """Retype near the root, where the fields are that we read."""
    document = json.loads(body)
    path = dice.choice([p for p in places(document) if len(p) <= 2])
    within(document, path)[path[-1]] = dice.choice(ODD)
    return json.dumps(document).encode()


def nest(body: bytes, dice: random.Random) -> bytes:
    document = json.loads(body)
    path = dice.choice(list(places(document)))
    depth = dice.choice([3, 500, 5_000])
    within(document, path)[path[-1]] = "HERE"
    opened, closed = dice.choice([(b"[", b"]"), (b'{"a":', b"}")])
    return json.dumps(document).encode().replace(b'"HERE"', opened * depth + b"1" + closed * depth, 1)


WAYS: list[Callable[[bytes, random.Random], bytes]] = [flip, truncate, remove, retype, shallow, nest]


def test_a_thousand_mutations_are_stored_or_refused_and_break_nothing(
    vendors: Any, postgres: str, catalogue: Catalogue
) -> None:
    dice = random.Random(20261122)  # noqa: S311  # seeded: the same mutations every time
    files = sorted(path for path in payloads().values() if path.stat().st_size < 20_000)
    seen: dict[int, int] = {}
    stored = []
    for number in range(MUTATIONS):
        path = dice.choice(files)
        body = WAYS[number % len(WAYS)](path.read_bytes(), dice)
        send = vendors.jira if path.is_relative_to(JIRA) else vendors.gitlab
        answer = send(body)
        seen[answer.status_code] = seen.get(answer.status_code, 0) + 1
        assert answer.status_code in {202, 400}, (path.name, body[:500], answer.text)
        if answer.status_code == 202:
            stored.append(answer.json()["delivery"])
        else:
            assert msgspec.json.decode(answer.content)["detail"]
    assert min(seen[202], seen[400]) > MUTATIONS // 10
    assert vendors.rows("SELECT count(*), sum(times_received) FROM deliveries") == [(len(set(stored)), seen[202])]
    # whatever was stored can be handled as well: nothing in it makes the worker or the database stumble
    asyncio.run(_verdicts(postgres, catalogue, stored))
    assert vendors.rows("SELECT count(*) FROM deliveries WHERE verdict IS NULL OR verdict = 'failed'") == [(0,)]
