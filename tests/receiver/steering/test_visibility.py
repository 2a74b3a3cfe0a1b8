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
