"""Write docs/commands.md from the commands: `python -m receiver.cli.commands_reference`. The code is the source."""

from __future__ import annotations

import inspect
from pathlib import Path

import rich_click as click

from receiver.cli.program import COMMANDS, DeferredCommand
from receiver.cli.program import main as bug_fix

PAGE = Path(__file__).resolve().parents[2] / "docs" / "commands.md"

HEAD = """# Commands

What `bug-fix` can do. Every command has `--help`. This page is made from the commands themselves; write it anew with
`python -m receiver.cli.commands_reference`.
"""


def page() -> str:
    """Return the page."""
    parts = [HEAD, _text(bug_fix)]
    for command in (DeferredCommand(*row).load() for row in sorted(COMMANDS)):
        parts += [f"## bug-fix {command.name}", _text(command), *_table(command)]
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def _text(command: click.Command) -> str:
    return inspect.cleandoc(command.help or "").replace("\b\n", "")


def _table(command: click.Command) -> list[str]:
    rows = [_row(parameter) for parameter in command.params]
    return ["\n".join(["| Parameter | What it is |", "|---|---|", *rows])] if rows else []


def _row(parameter: click.Parameter) -> str:
    if isinstance(parameter, click.Option):
        default = f" (default {parameter.default})" if isinstance(parameter.default, int | str) else ""
        flag = default if not parameter.is_flag else ""
        return f"| `{', '.join(parameter.opts)}` | {parameter.help or ''}{flag} |"
    help_ = parameter.help or "" if isinstance(parameter, click.RichArgument) else ""
    return f"| `{(parameter.name or '').upper()}` | {help_} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
