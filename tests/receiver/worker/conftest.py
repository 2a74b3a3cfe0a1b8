from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from pipelines.language import IssueKey, ProjectPath, RunId
from pipelines.language.catalogue import Agent, Catalogue, Jira, Start
from pipelines.language.policy import Policy
from pipelines.language.repository import Repository, Stack
from pipelines.language.wire import Ticket
from receiver.worker.event_handler import Setting


class Clock:
    """A clock that a test moves."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, duration: timedelta) -> None:
        self.now += duration


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 11, 23, 9, 0, tzinfo=UTC))


@pytest.fixture
def new_run() -> Callable[[], RunId]:
    numbers: Iterator[int] = count(1)
    return lambda: RunId(f"{next(numbers):016x}")


@pytest.fixture
def catalogue() -> Catalogue:
    path = ProjectPath("payk12/contacts")
    return Catalogue(
        automation_project=ProjectPath("payk12/bug-fix"),
        automation_ref="main",
        jira=Jira(project="PL", start=Start(label="bug-fix", allowed=("account:mara",))),
        policy=Policy(),
        agents={"default": Agent(name="default", model="claude-sonnet-5-5")},
        repositories={
            path: Repository(
                key="contacts", project=path, agent="default", stack=Stack(preset="python", image="python:3.11")
            )
        },
        sha256="0" * 64,
    )


@pytest.fixture
def setting(catalogue: Catalogue, clock: Clock, new_run: Callable[[], RunId]) -> Setting:
    return Setting(catalogue=catalogue, clock=clock, new_run=new_run, bot=7)


@pytest.fixture
def ticket() -> Ticket:
    return Ticket(
        key=IssueKey("PL-479"),
        summary="Contact creation fails for names with an apostrophe",
        description="O'Brien can't be saved.",
        labels=("bug-fix",),
    )
