"""The supervisor's end of the toolbox process. Believes nothing of its answers but their shape."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from pipelines.agents.toolbox import Call, ToolResult
from pipelines.job.communication.errors import JobError
from pipelines.job.isolation.processes import Launcher
from pipelines.job.isolation.role_users import Role
from pipelines.language import EndedBy

_LINE_LIMIT = 16 * 1024 * 1024
_START = "import gc; gc.disable(); from pipelines.agents.toolbox import main; gc.freeze(); gc.enable(); main()"
"""The SDK makes a million objects that stay: to look through them time and again is a third of its import."""


class Toolbox:
    """Calls tools in the toolbox process, one at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def call(self, call: Call, *, timeout_s: float) -> ToolResult:
        """Run a tool. Raises `JobError` when the process is gone or the time is over."""
        assert self._process.stdin is not None  # noqa: S101 - started with pipes below
        assert self._process.stdout is not None  # noqa: S101 - started with pipes below
        try:
            self._process.stdin.write(msgspec.json.encode(call) + b"\n")
            await self._process.stdin.drain()
            line = await asyncio.wait_for(self._process.stdout.readline(), timeout=timeout_s)
            return msgspec.json.decode(line, type=ToolResult)
        except TimeoutError as error:
            raise JobError(
                f"The tool {call.name} did not end within the time that is left ({timeout_s:.0f} s).", EndedBy.LIMITS
            ) from error
        except (OSError, ValueError, msgspec.DecodeError, RecursionError) as error:
            raise JobError(
                f"The toolbox ended while {call.name} ran: the agent's own command may have killed it."
            ) from error


@asynccontextmanager
async def open_toolbox(
    launcher: Launcher, folder: Path, *, home: Path, extra: Mapping[str, str]
) -> AsyncIterator[Toolbox]:
    """Start the tools for a work folder; at the end nothing that they started is left."""
    process = await asyncio.create_subprocess_exec(
        *(launcher.runtime.python, "-I", "-c", _START, str(folder)),
        cwd=folder,
        env=launcher.environment(Role.WORK, extra, home=home),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=_LINE_LIMIT,
        **launcher.users.popen_arguments(Role.WORK),  # type: ignore[arg-type]  # keyword arguments by name
    )
    launcher.leave_alone(process.pid)
    try:
        yield Toolbox(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await asyncio.to_thread(launcher.end, Role.WORK)
        await process.wait()
