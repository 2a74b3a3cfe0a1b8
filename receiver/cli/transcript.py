"""Print an agent's conversation, turn by turn.

Reads the lines that `pipelines.agents.transcript` writes; a line of another kind is printed as it is.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Struct
from rich.console import Console

from receiver.cli.telling import heading, plain
from receiver.store.transcripts import Transcript


class Start(Struct, frozen=True, tag="start"):
    """What the conversation began with."""

    model: str = ""
    system: object = ""
    tools: tuple[object, ...] = ()


class Block(Struct, frozen=True):
    """A part of a message."""

    type: str = ""
    text: str = ""
    name: str = ""
    input: object = None
    content: object = None


class Message(Struct, frozen=True, tag="message"):
    """A turn."""

    role: str = ""
    content: str | tuple[Block, ...] = ""
    cost_usd: str | float | None = None


class End(Struct, frozen=True, tag="end"):
    """Why it ended."""

    reason: str = ""


Line = Start | Message | End


def transcript(console: Console, told: Transcript) -> None:
    """Print one conversation."""
    where = f" in {plain(told.repository)}" if told.repository else ""
    agent = plain(told.agent or "no agent")
    heading(console, f"{told.phase}{where}, iteration {told.iteration}, job {told.job}, {agent}")
    for number, line in enumerate(told.lines.splitlines(), start=1):
        for text in _told(line):
            console.print(f"[dim]{number:>3}[/] {text}")


def _told(line: bytes) -> Iterator[str]:
    try:
        read: Line = msgspec.json.decode(line, type=Line)
    except msgspec.MsgspecError:
        yield plain(line.decode("utf-8", "replace"))
        return
    match read:
        case Start():
            yield f"[bold]start[/] {plain(read.model)}, {len(read.tools)} tools"
        case End():
            yield f"[bold]end[/] {plain(read.reason)}"
        case Message(content=str(text)):
            yield f"[bold]{plain(read.role)}[/] {plain(text, limit=2000)}"
        case Message():
            blocks = read.content if isinstance(read.content, tuple) else ()
            yield from (f"[bold]{plain(read.role)}[/] {_block(block)}" for block in blocks)


def _block(block: Block) -> str:
    match block.type:
        case "tool_use":
            return f"[cyan]{plain(block.name)}[/] {plain(msgspec.json.encode(block.input).decode(), limit=1000)}"
        case "tool_result":
            shown = block.content if isinstance(block.content, str) else msgspec.json.encode(block.content).decode()
            return f"[dim]→[/] {plain(shown, limit=1000)}"
        case _:
            return plain(block.text, limit=2000)
