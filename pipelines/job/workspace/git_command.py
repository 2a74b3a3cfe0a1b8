"""Run git for the supervisor: no configuration but ours, no hook, no prompt, only the protocols that are needed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from pipelines.job import limits
from pipelines.job.communication.errors import JobError
from pipelines.job.isolation.executables import located

ENVIRONMENT: Final = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "http:https:file",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C.UTF-8",
}
_KEPT: Final = (
    *("PATH", "http_proxy", "https_proxy", "no_proxy", "HTTPS_PROXY", "NO_PROXY"),
    *("SSL_CERT_FILE", "GIT_SSL_CAINFO"),
)


def environment() -> dict[str, str]:
    """Return the whole environment of a git command."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ} | ENVIRONMENT


def git(
    arguments: Sequence[str],
    *,
    extra: Mapping[str, str] | None = None,
    given: bytes = b"",
    cwd: Path | None = None,
    check: bool = True,
) -> subprocess.CompletedProcess[bytes]:
    """Run git to its end. Raises `JobError` with its last line, unless `check` is off."""
    done = subprocess.run(
        [located("git"), "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", *arguments],
        env=environment() | dict(extra or {}),
        input=given,
        cwd=cwd,
        capture_output=True,
        check=False,
        timeout=limits.GIT_S,
    )
    if check and done.returncode != 0:
        raise JobError(f"git {' '.join(arguments[:4])} failed: {last_line(done.stderr)}")
    return done


def last_line(stderr: bytes) -> str:
    """Return what git said last."""
    lines = stderr.decode(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else "git gave no reason"
