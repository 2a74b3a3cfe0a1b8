"""Run the agent's tools (bash and files) in a process of its own, under the user of the work folder.

`toolbox_client` starts `main` with the folder as its argument. It reads one JSON call a line and answers one JSON
result a line. All six tools are the SDK's. They run here and not in the supervisor, so that neither a symbolic link nor
a race in the work folder reaches more than its owner could reach anyway. Decides nothing about permission.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any, BinaryIO

import msgspec
from anthropic.lib.tools import ToolError
from anthropic.lib.tools._beta_functions import aclose_runnable_tool
from anthropic.lib.tools.agent_toolset import AgentToolContext, beta_agent_toolset_20260401
from msgspec import Struct

_MEDIA_LIMIT = 1024 * 1024


class Call(Struct, frozen=True, kw_only=True):
    """A tool call."""

    name: str
    input: dict[str, Any]


class ToolResult(Struct, frozen=True, kw_only=True):
    """What a tool call gave. Untrusted."""

    content: str | list[dict[str, Any]]
    is_error: bool = False


class _Tools:
    """The SDK's tools by name."""

    def __init__(self, folder: str) -> None:
        context = AgentToolContext(
            workdir=folder, env=dict(os.environ), max_image_base64_bytes=_MEDIA_LIMIT, max_pdf_bytes=_MEDIA_LIMIT
        )
        self._tools = {tool.name: tool for tool in beta_agent_toolset_20260401(context)}

    async def call(self, call: Call) -> ToolResult:
        try:
            content: Any = await self._tools[call.name].call(call.input)
        except ToolError as error:
            return ToolResult(content=_plain(error.content), is_error=True)
        except Exception as error:  # noqa: BLE001 - whatever a tool raises is its result; the process has to go on
            return ToolResult(content=f"{call.name}: {error}", is_error=True)
        return ToolResult(content=_plain(content))

    async def close(self) -> None:
        for tool in self._tools.values():
            await aclose_runnable_tool(tool)


def _plain(content: Any) -> str | list[dict[str, Any]]:  # noqa: ANN401 - the SDK's union of block types
    return content if isinstance(content, str) else [dict(block) for block in content]


async def _serve(folder: str, calls: BinaryIO, results: BinaryIO) -> None:
    tools = _Tools(folder)
    try:
        while line := await asyncio.to_thread(calls.readline):
            result = await tools.call(msgspec.json.decode(line, type=Call))
            results.write(msgspec.json.encode(result) + b"\n")
            results.flush()
    finally:
        await tools.close()


def main() -> None:
    """Serve until standard input ends."""
    os.chdir(sys.argv[1])
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever else prints must not get into the results
    asyncio.run(_serve(sys.argv[1], sys.stdin.buffer, results))
