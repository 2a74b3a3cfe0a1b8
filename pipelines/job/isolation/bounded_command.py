"""Run a command that is the runner's own, bounded in time: if it can't be run, the runner is at fault."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import Any

from pipelines.job.communication.errors import RunnerError


def run_bounded(
    command: Sequence[str],
    *,
    purpose: str,
    timeout_s: float,
    **arguments: Any,  # noqa: ANN401 - passed on
) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end, whatever its exit code, and return it with its output.

    `purpose` says what it is for, as in "copy a folder"; `arguments` go to `subprocess.run`. Raises `RunnerError` where
    it can't be started or takes longer than `timeout_s`; then it was killed.
    """
    try:
        return subprocess.run(
            command, check=False, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s, **arguments
        )
    except subprocess.TimeoutExpired as error:
        raise RunnerError(f"This runner took longer than {timeout_s:g} s to {purpose}.") from error
    except OSError as error:
        raise RunnerError(f"This runner can't {purpose}: {error}") from error
