"""What `--chaos` does to the world in the middle of a run: the worker dies, Postgres restarts under everybody."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from sandbox.demo.story import Job, Story
from sandbox.demo.terminal import Screen
from sandbox.demo.world import World


class Trouble(Struct, frozen=True, kw_only=True):
    """Something that is done to the world."""

    due: Callable[[Story], bool]
    """Once true for a run, it stays true: whoever looks now and then must not miss the moment."""
    make: Callable[[World, Screen], None]


def child_has_begun(story: Story) -> bool:
    """Whether a job of the child pipeline runs, or has run."""
    return any(pipeline.kind == "child" and any(map(_has_begun, pipeline.jobs)) for pipeline in story.pipelines)


def testing_has_begun(story: Story) -> bool:
    """Whether the patch is being tested, or was."""
    return any(job.phase == "testing" and _has_begun(job) for job in story.jobs())


def _has_begun(job: Job) -> bool:
    return job.status == "running" or job.started_at is not None


def _kill_worker(world: World, screen: Screen) -> None:
    screen.line(f"chaos: worker {world.kill_worker()} killed with SIGKILL while the child pipeline runs")
    world.start_worker()
    screen.line("chaos: a new worker has been started")


def _restart_postgres(world: World, screen: Screen) -> None:
    with screen.busy("chaos: Postgres restarts"):
        world.restart_postgres()
    screen.line("chaos: Postgres was restarted under everybody's connections")


TROUBLE = (
    Trouble(due=child_has_begun, make=_kill_worker),
    Trouble(due=testing_has_begun, make=_restart_postgres),
)
"""In this order."""
