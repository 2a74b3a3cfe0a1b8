"""The option `--log-level` of the commands that go on running."""

from __future__ import annotations

from receiver import logs
from receiver.cli.command import click

log_level_option = click.option(
    "--log-level", type=click.Choice(sorted(logs.LEVELS)), default="info", show_default=True, help="What is logged."
)
