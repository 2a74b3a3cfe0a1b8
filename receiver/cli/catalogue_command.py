"""The command catalogue: validate bug-fix.yml and its templates, and summarise them. Needs no settings."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table

from pipelines.language.catalogue import Agent, AgentTool
from pipelines.language.repository import Repository
from receiver.cli import command as base
from receiver.cli import story_printer
from receiver.cli.command import click, command


@click.command()
@click.argument(
    "file", default="bug-fix.yml", type=click.Path(dir_okay=False), help="The catalogue. [default: bug-fix.yml]"
)
@command
async def catalogue(file: str) -> None:
    """Validate a catalogue and summarise its repositories and agents.

    Reports every mistake with its line, and ends with exit code 3 if there is one.
    """
    read = base.catalogue(file)
    named = {one.agent for one in read.repositories.values()}
    base.out.print(
        _table("repository", "stack", "agent", "served at", rows=map(_repository, read.repositories.values()))
    )
    base.out.print()
    agents = [one for one in read.agents.values() if one.profile or one.prompt or one.name in named]
    base.out.print(_table("agent", "model", "stacks", "tools", "template", rows=map(_agent, agents)))


def _repository(one: Repository) -> tuple[str, ...]:
    return one.project, one.stack.preset, one.agent, one.serve.ready if one.serve else "-"


def _agent(one: Agent) -> tuple[str, ...]:
    tools = "all" if one.tools == tuple(AgentTool) else ", ".join(one.tools)
    return one.name, one.model, ", ".join(one.stacks) or "all", tools, "yours" if one.profile else "built in"


def _table(*names: str, rows: Iterable[tuple[str, ...]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*map(story_printer.plain, row))
    return table
