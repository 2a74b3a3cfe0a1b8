"""A story is final only when every hook was sent and decided before it was read, and none came in meanwhile."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from sandbox.demo.standstill import final_story, is_complete
from sandbox.demo.story import Act, Job, OwnPipeline, Pipeline, Reader
from sandbox.http import Application, Request, Response, Route, Router
from sandbox.http.asgi_server import bind, in_thread
from sandbox.scenario_format import Expected
from tests.sandbox.demo.stories import NOTHING, a_story

EXPECTED = Expected(outcome="declined")
CHILD = Pipeline(id=2, project_id=1, kind="child", status="success", url="")
LATE_JOB = Job(id=3, name="outcome: duplicate", phase=None, repository=None, status="success")
STALE = a_story(status="declined", pipelines=(CHILD,))
FRESH = replace(STALE, pipelines=(replace(CHILD, jobs=(LATE_JOB,)),))


@dataclass
class Everything:
    """Vendors and receiver in one: a list for each question, of which the last answer stays."""

    idle: list[bool] = field(default_factory=lambda: [True])
    verdicts: list[dict[str, int]] = field(default_factory=lambda: [{"acted": 4}])
    stories: list[Any] = field(default_factory=lambda: [FRESH])

    def state(self, _: Request) -> Response:
        return Response.json({"hooks_idle": _next(self.idle)})

    def deliveries(self, _: Request) -> Response:
        return Response.json(_next(self.verdicts))

    def runs(self, _: Request) -> Response:
        return Response.json([{"id": "1"}])

    def run(self, _: Request) -> Response:
        return Response.json(msgspec.to_builtins(_next(self.stories)))


def _next(answers: list[Any]) -> Any:
    return answers.pop(0) if len(answers) > 1 else answers[0]


@pytest.fixture
def everything() -> Iterator[tuple[Everything, Any, Reader]]:
    """Return what answers, a world in which it does, and a reader."""
    made, router = Everything(), Router("everything")
    routes = (
        Route("GET", "/_sandbox/state", Everything.state),
        Route("GET", "/api/deliveries/verdicts", Everything.deliveries),
        Route("GET", "/api/runs", Everything.runs, query=("issue_key",)),
        Route("GET", "/api/runs/:id", Everything.run),
    )
    router.include(made, routes)
    listener, url = bind()
    with in_thread(Application(router), listener), Reader(url, "token") as reader:
        yield made, SimpleNamespace(vendors=SimpleNamespace(gitlab={"url": url}, jira={"url": url})), reader


def test_a_story_that_was_read_before_the_last_hook_was_decided_is_read_again(everything: Any) -> None:
    _, world, reader = everything
    assert final_story(world, reader, STALE, EXPECTED) == FRESH


@pytest.mark.parametrize(
    "moving",
    [
        {"idle": [False]},
        {"idle": [True, False]},
        {"idle": [True, True, False]},
        {"verdicts": [{"acted": 3, "waiting": 1}]},
        {"verdicts": [{"acted": 3}, {"acted": 4}]},
        {"stories": [replace(FRESH, effects=(Act(kind="PostNote", state="pending"),))]},
    ],
    ids=["GitLab sends", "Jira sends", "one is sent meanwhile", "one waits", "one came meanwhile", "an effect waits"],
)
def test_while_something_moves_no_story_is_final(everything: Any, moving: dict[str, Any]) -> None:
    made, world, reader = everything
    for name, answers in moving.items():
        setattr(made, name, answers)
    assert final_story(world, reader, STALE, EXPECTED) is None


@pytest.mark.parametrize(
    "story",
    [
        replace(FRESH, pipelines=(replace(CHILD, status="running"),)),
        replace(FRESH, effects=(Act(kind="PostNote", state="pending"),)),
        replace(FRESH, costs=replace(FRESH.costs, total=replace(NOTHING, unsettled=1))),
    ],
    ids=["a pipeline runs", "an effect waits", "a call is open"],
)
def test_a_story_that_tells_of_something_unfinished_is_not_complete(story: Any) -> None:
    assert is_complete(FRESH, EXPECTED)
    assert not is_complete(story, EXPECTED)


def test_the_repositories_own_pipelines_are_waited_for_where_they_are_expected() -> None:
    expected = Expected(outcome="in_review", own_pipelines={"payk12/api": "success"})
    own = OwnPipeline(id=8, repository="payk12/api", status="running", url="")
    assert not is_complete(FRESH, expected)
    assert not is_complete(replace(FRESH, target_pipelines=(own,)), expected)
    assert is_complete(replace(FRESH, target_pipelines=(replace(own, status="failed"),)), expected)
