"""A demo looks at its run now and then; what came and went between two looks is not missed."""

import pytest

from sandbox.demo.chaos import TROUBLE
from sandbox.demo.reactions import statuses_since
from sandbox.demo.story import Job, Moment, Pipeline, Story
from tests.sandbox.demo.stories import a_story


def story(*jobs: Job, status: str = "running", passed: tuple[str | None, ...] = ()) -> Story:
    child = Pipeline(id=2, project_id=1, kind="child", status="running", url="", jobs=jobs)
    moments = tuple(Moment(event="", reason="", status_before=None, status_after=after) for after in passed)
    return a_story(status=status, pipelines=(child,), moments=moments)


def job(phase: str, status: str, started_at: str | None) -> Job:
    return Job(id=1, name=phase, phase=phase, repository=None, status=status, started_at=started_at)


@pytest.mark.parametrize(
    ("phase", "status", "started_at", "due"),
    [
        ("reproduction", "pending", None, (False, False)),
        ("reproduction", "running", "2026-11-16T14:05:00Z", (True, False)),
        ("reproduction", "success", "2026-11-16T14:05:00Z", (True, False)),
        ("testing", "created", None, (False, False)),
        ("testing", "running", None, (True, True)),
        ("testing", "success", "2026-11-16T14:05:00Z", (True, True)),
        ("testing", "skipped", None, (False, False)),
    ],
)
def test_chaos_comes_also_when_the_job_that_it_waits_for_is_over(
    phase: str, status: str, started_at: str | None, due: tuple[bool, bool]
) -> None:
    told = story(job(phase, status, started_at))
    assert tuple(trouble.due(told) for trouble in TROUBLE) == due


def test_people_hear_of_each_status_once_it_was_reached_however_short_it_lasted() -> None:
    told = story(status="running", passed=("starting", None, "opening", "running"))
    assert statuses_since(told, 0) == {"starting", "opening", "running"}
    assert statuses_since(told, 3) == {"running"}
    assert statuses_since(story(status="in_review"), 0) == {"in_review"}
