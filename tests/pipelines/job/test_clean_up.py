"""The end of a job: whatever can't be ended or removed, the rest is, and its report is handed in."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Any, cast

import pytest

from pipelines.job.communication.errors import JobCancelledError, RunnerError
from pipelines.job.communication.job_log import JobLog
from pipelines.job.isolation.processes import Launcher
from pipelines.job.workspace.job import Job
from pipelines.supervision import supervisor
from pipelines.supervision.cancellation import Cancellation


class Stuck(Launcher):
    """Its processes don't end."""

    def end_all(self) -> None:
        raise RunnerError("Processes of the work user can't be ended.")


class Settling:
    """Stands for a job: remembers that it was settled, and is told to end meanwhile, as another thread learns."""

    is_settled = False

    def settle(self) -> None:
        told = threading.Thread(target=lambda: signal.pthread_kill(threading.get_ident(), signal.SIGTERM))
        told.start()
        told.join()
        self.is_settled = True


def test_a_step_that_fails_keeps_no_other_from_being_done(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, job = tmp_path / "root", Settling()
    here = root
    for _ in range(60):
        here /= "d"
    here.mkdir(parents=True)

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGALRM)}
    cancellation = Cancellation()
    cancellation.watch()
    try:
        supervisor._clean_up(Stuck(root=root), cast("Job", cast("Any", job)), JobLog())
    except JobCancelledError:
        cancellation.end()  # where it is dealt with: from here on the timer would raise another
    else:
        pytest.fail("the cancellation was lost")
    finally:
        cancellation.end()
        for number, handler in before.items():
            signal.signal(number, handler)
    assert job.is_settled
    assert not root.exists()
    assert "the job could not end the processes that it started: RunnerError" in capsys.readouterr().out
