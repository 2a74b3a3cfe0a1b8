"""Print an agent's conversation turn by turn, inputs folded to one line or in full.

Reads the lines that `pipelines.agents.transcript` writes; an unknown line is printed as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec
from msgspec import Struct
from rich.console import Console

from receiver.cli.story_printer import heading, plain
from receiver.store.jobs.transcripts import StoredTranscript


class ConversationStart(Struct, frozen=True, tag="start"):
    """The start of the conversation."""

    model: str = ""
    system: object = ""
    tools: tuple[object, ...] = ()
    left_out: str = ""


class Block(Struct, frozen=True):
    """A part of a message."""

    type: str = ""
    text: str = ""
    thinking: str = ""
    id: str = ""
    tool_use_id: str = ""
    name: str = ""
    input: object = None
    content: object = None


class Message(Struct, frozen=True, tag="message"):
    """A turn."""

    role: str = ""
    content: str | tuple[Block, ...] = ""
    cost_usd: object = None
    left_out: str = ""
    """The reason why the rest is missing."""


class End(Struct, frozen=True, tag="end"):
    """Why it ended."""

    reason: str = ""
    left_out: str = ""


Line = ConversationStart | Message | End

SHORT: Final = 160
"""Characters of a folded line."""

SAID: Final = 1_000
"""Characters of an agent's own text when folded."""

ALL: Final = 2_000_000
"""Characters of a text in full: more than a transcript has."""

_WORK: Final = re.compile(
    r"/(?:[\w.@+-]{1,64}/){0,6}?bug-fix-[a-z0-9_]{8}/work(?:/repository)?(?:(/)|(?=[\s\"':,\\]|$))"
)
"""The work folder of a job, which differs from job to job and tells people nothing."""


def transcript(console: Console, told: StoredTranscript, *, whole: bool) -> None:
    """Print one conversation; `whole`: with every prompt and every answer of a tool."""
    where = f" in {plain(told.repository)}" if told.repository else ""
    agent = plain(told.agent or "no agent")
    heading(console, f"{told.phase}{where}, iteration {told.iteration}, job {told.job}, {agent}")
    teller = _Whole() if whole else _Folded()
    for number, line in enumerate(told.lines.splitlines(), start=1):
        for text in teller.told(line):
            console.print(f"[dim]{number:>3}[/] {text}", highlight=False, soft_wrap=True)


def relative(text: str) -> str:
    """Return text with paths below the job's work folder as paths relative to it."""
    return _WORK.sub(lambda found: "" if found[1] else ".", text)


class _Whole:
    """Prints everything."""

    def told(self, line: bytes) -> Iterator[str]:
        """Yield the texts of one line."""
        try:
            read: Line = msgspec.json.decode(line, type=Line)
        except (msgspec.MsgspecError, RecursionError):
            yield _shown(line.decode("utf-8", "replace"), limit=ALL)
            return
        match read:
            case ConversationStart(left_out=why) if why:
                yield f"[bold]start[/] left out: {_shown(why, limit=SAID)}"
            case ConversationStart():
                yield from self.start(read)
            case End():
                yield f"[bold]end[/] {_shown(read.reason or read.left_out, limit=SAID)}"
            case Message(left_out=why) if why:
                yield f"[bold]left out[/] {_shown(why, limit=SAID)}"
            case Message(content=str(text)):
                yield from self.block(read.role, Block(type="text", text=text))
            case Message():
                for block in read.content if isinstance(read.content, tuple) else ():
                    yield from self.block(read.role, block)
                if read.cost_usd is not None:
                    yield f"[dim]{_cost(read.cost_usd)}[/]"

    def start(self, start: ConversationStart) -> Iterator[str]:
        """Yield the start of the conversation."""
        yield f"[bold]start[/] {plain(start.model)}, {len(start.tools)} tools"
        yield f"[bold]system[/] {_shown(_text(start.system), limit=ALL)}"

    def block(self, role: str, block: Block) -> Iterator[str]:
        """Yield a part of a message."""
        match block.type:
            case "tool_use":
                yield f"[cyan]{plain(block.name)}[/] {_shown(_text(block.input), limit=ALL)}"
            case "tool_result":
                yield f"[dim]→[/] {_shown(_text(block.content), limit=ALL)}"
            case "image" | "document":
                yield f"[bold]{plain(role)}[/] {_MEDIA[block.type]}"
            case _:
                yield f"[bold]{plain(role)}[/] {_shown(block.text or block.thinking, limit=ALL)}"


class _Folded(_Whole):
    """Prints an agent's own words, and of all other texts one line and their length."""

    def __init__(self) -> None:
        self._tools: dict[str, str] = {}

    def start(self, start: ConversationStart) -> Iterator[str]:
        """Yield the start of the conversation."""
        system = f"{len(_text(start.system)):,} characters"
        yield f"[bold]start[/] {plain(start.model)}, {len(start.tools)} tools, system prompt of {system}"

    def block(self, role: str, block: Block) -> Iterator[str]:
        """Yield a part of a message, if it has text."""
        match block.type:
            case "tool_use":
                self._tools[block.id] = block.name
                yield f"[cyan]{plain(block.name)}[/] {_folded(_argument(block.input))}"
            case "tool_result":
                is_told_last = self._tools.get(block.tool_use_id) == "bash"
                yield f"[dim]→ {_folded(_text(block.content), from_the_end=is_told_last)}[/]"
            case "image" | "document":
                yield f"[bold]told[/] {_MEDIA[block.type]}"
            case _ if role == "user":
                yield f"[bold]told[/] {_folded(block.text)}"
            case _ if block.text:
                yield f"[bold]says[/] {_shown(block.text, limit=SAID)}"
            case _:
                return


def _argument(value: object) -> str:
    """Return the subject of a tool call: its file, command or pattern, else its whole input."""
    if isinstance(value, dict):
        for name in ("file_path", "command", "pattern", "path"):
            if isinstance(value.get(name), str):
                return str(value[name])
    return _text(value)


def _folded(text: str, *, from_the_end: bool = False) -> str:
    """Return the first or last line of a text, with the text's length if there is more."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    line = (lines[-1] if from_the_end else lines[0]) if lines else ""
    shown = _shown(line, limit=SHORT)
    if len(lines) <= 1 and len(line) <= SHORT:
        return shown
    where = "… " if from_the_end and len(lines) > 1 else ""
    return f"{where}{shown} [dim]({len(text):,} characters)[/]"


def _shown(text: str, *, limit: int) -> str:
    return plain(relative(text), limit=limit)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        parts = [_part(part) for part in value if isinstance(part, dict)]
        if len(parts) == len(value) and None not in parts:
            return "\n".join(map(str, parts))
    return msgspec.json.encode(value).decode()


_MEDIA: Final = {"image": "a picture", "document": "a document"}


def _part(part: dict[str, object]) -> str | None:
    """Return the text of a tool result's part, or a word for its kind; None for an unknown kind."""
    text = part.get("text")
    return text if isinstance(text, str) else _MEDIA.get(str(part.get("type")))


_MOST_COST: Final = 1_000_000


def _cost(said: object) -> str:
    """Return a price; it comes from a job, so any value is possible."""
    try:
        cost = Decimal(str(said))
    except InvalidOperation:
        return "its price can't be read"
    return f"${cost:.4f}" if cost.is_finite() and abs(cost) < _MOST_COST else "its price can't be read"
