"""Deliveries for the tests of reading: as the inbox would give them back."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from receiver.hooks import Delivery, Interests, Reading, Source, read
from receiver.workflow.person import AccountId

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.fixture
def interests() -> Interests:
    return Interests(label="bug-fix", jira_project="PL", bot=7, jira_account=AccountId("bug-fix-bot"))


@pytest.fixture
def reading(interests: Interests) -> Callable[..., Reading]:
    """Read a body of a source."""
    return reader(interests)


@pytest.fixture
def reading_as_nobody() -> Callable[..., Reading]:
    """Read a body of a source as who does not know its own accounts."""
    return reader(Interests(label="bug-fix", jira_project="PL"))


def reader(interests: Interests) -> Callable[..., Reading]:
    def of(source: Source, body: bytes, **headers: str) -> Reading:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        delivery = Delivery.stored(source=source, headers=named, body=body, received_at=NOW)
        return read(delivery, interests=interests)

    return of
