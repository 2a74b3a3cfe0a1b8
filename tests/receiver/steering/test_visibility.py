"""Who is heard on the ticket, and who reads the answer."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.receiver.steering.conftest import Steered

pytestmark = [pytest.mark.integration, pytest.mark.anyio]


@pytest.fixture
def customer(world: Any) -> Iterator[str]:
    """Let Mara be a customer of a service desk for a test."""

    def become(*, is_customer: bool) -> None:
        asked = {"username": "mara", "is_customer": is_customer}
        httpx2.put(f"{world.jira_url}/_sandbox/customers", json=asked, timeout=60).raise_for_status()

    become(is_customer=True)
    yield "mara"
    become(is_customer=False)


async def test_a_customer_of_the_service_desk_commands_nothing(steered: Steered, world: Any, customer: str) -> None:
    before = len(world.comments())
    await steered.hear_comment(world.say(customer, "/bug-fix cancel"))
    await steered.settle()
    assert (await steered.row()).status == "in_review"
    assert len(world.comments()) == before + 1


async def test_an_app_commands_nothing(steered: Steered, world: Any) -> None:
    before = len(world.comments())
    await steered.hear_comment(world.say("bug-fix-bot", "/bug-fix cancel"))
    await steered.settle()
    assert (await steered.row()).status == "in_review"
    assert len(world.comments()) == before + 1


async def test_a_comment_that_a_role_reads_is_answered_for_that_role_only(steered: Steered, world: Any) -> None:
    visibility = {"type": "role", "value": "Developers"}
    await steered.hear_comment(world.say("mara", "/bug-fix status", visibility=visibility))
    await steered.settle()
    answer = world.comments()[-1]
    assert "waiting for review" in answer["body"]
    assert answer["visibility"] == visibility


async def test_an_internal_comment_is_answered_where_customers_do_not_read(steered: Steered, world: Any) -> None:
    internal = [{"key": "sd.public.comment", "value": {"internal": True}}]
    await steered.hear_comment(world.say("mara", "/bug-fix status", properties=internal))
    await steered.settle()
    answer = world.comments()[-1]
    assert "waiting for review" in answer["body"]
    assert answer["jsdPublic"] is False


@pytest.mark.parametrize(
    "only",
    [
        {"visibility": {"type": "role", "value": "Developers"}},
        {"properties": [{"key": "sd.public.comment", "value": {"internal": True}}]},
    ],
)
async def test_words_that_only_some_read_stand_nowhere_where_others_read(
    steered: Steered, world: Any, only: dict[str, Any]
) -> None:
    said = world.say("mara", "/bug-fix escalate ACME's data leaked", **only)
    await steered.hear_comment(said)
    await steered.settle()
    row = await steered.row()
    assert row.status == "escalated"
    seen = [one["body"] for one in world.comments() if one["id"] != said] + steered.answers()
    notes = steered.as_("bot").mergerequests.get(steered.iid, lazy=True).notes.list(get_all=True)
    assert not [one for one in [row.reason, *seen, *(note.body for note in notes)] if "ACME" in one]
    answer = next(one for one in reversed(world.comments()) if "were left out" in one["body"])
    assert answer.get("visibility") == only.get("visibility")
    assert answer.get("jsdPublic", True) is ("visibility" in only)
