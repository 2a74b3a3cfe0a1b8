"""Real worker processes for tests: started, killed at a point, and watched through the database.

They are forked from a process that has imported the program, which is most of what a worker's start takes. The demo
starts workers by their command.
"""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Final

import httpx2

from tests.conftest import Standing

KILLED = 137
_FORKS: Final = multiprocessing.get_context("forkserver")


def work(environment: Mapping[str, str], log: Path) -> None:
    """Be `bug-fix work`, in a process of its own."""
    from receiver.cli.program import main  # noqa: PLC0415 - in this process only

    os.environ.clear()
    os.environ.update(environment)
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    main(["work"])


@contextmanager
def worker(world: Any, postgres: str, folder: Path, **extra: str) -> Iterator[ForkServerProcess]:
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "SSL_CERT_FILE") if name in os.environ}
    _FORKS.set_forkserver_preload(["receiver.cli.program", "receiver.cli.work_command"])
    process = _FORKS.Process(target=work, args=(environment | world.settings(postgres) | extra, folder / "worker.log"))
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def until(look: Callable[[], Any], *, within_s: float = 60) -> Any:
    deadline = time.monotonic() + within_s
    while not (seen := look()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
    return seen


class Eyes:
    """Looks into the database from outside."""

    def __init__(self, url: str, connection: Standing) -> None:
        self.given = url
        self.connection = connection

    def __call__(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.rows(query)


def time_passes(eyes: Eyes) -> None:
    """Let the dead worker's last sign of life be long ago, so that others take over at once."""
    eyes("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'")


async def die_at_each(points: tuple[str, ...], world: Any, eyes: Eyes, folder: Path) -> None:
    """Let one worker after the other die at a point, and a last one finish all that is to be done."""
    for point in points:
        with worker(world, eyes.given, folder, BUG_FIX_FAULT=point) as mortal:
            mortal.join(60)
            assert mortal.exitcode == KILLED, (folder / "worker.log").read_text()
        time_passes(eyes)
    with worker(world, eyes.given, folder):
        until(lambda: not eyes("SELECT 1 FROM deliveries WHERE verdict IS NULL"))
        until(lambda: not eyes("SELECT 1 FROM effects WHERE state = 'pending'"))
    assert eyes("SELECT kind, last_error FROM effects WHERE state = 'given_up'") == []


@contextmanager
def jobs_held(world: Any) -> Iterator[None]:
    """Let no job of the emulated GitLab begin."""
    switches = f"{world.gitlab_url}/_sandbox/jobs"
    httpx2.post(f"{switches}/hold", json={"pattern": "*"}, timeout=60).raise_for_status()
    try:
        yield
    finally:
        world.forget_pipelines()
        httpx2.post(f"{switches}/release", json={"pattern": "*"}, timeout=60).raise_for_status()
