"""The command group `bug-fix`: which commands there are. Imports a command's module only when it is used."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

import rich_click as click

COMMANDS: Final = (
    ("serve", "serve_command", "Receive hooks, serve CI jobs, forward model calls."),
    ("work", "work_command", "Process hooks and perform what follows: pipelines, merge requests, comments."),
    ("migrate", "migrate_command", "Bring the database to this version's tables."),
    ("runs", "run_commands", "List runs, the newest first."),
    (
        "explain",
        "run_commands",
        "Explain a run: its plan, its decisions and their reasons, findings of jobs, effects, cost.",
    ),
    (
        "remedies",
        "remedy_commands",
        "Show how far remedies came: matched, verified, shown, accepted, rejected, reverted.",
    ),
    ("session", "run_commands", "Show the transcripts of a run's agents, turn by turn."),
    ("start", "run_commands", "Start a run for a ticket, as setting the label does."),
    ("retry", "steer_commands", "Make another attempt, from a phase on, with a hint for the agents."),
    ("escalate", "steer_commands", "Stop and hand the bug fix to people."),
    ("cancel", "steer_commands", "Stop the bug fix for good; a merge request that is open stays open."),
    (
        "approve",
        "steer_commands",
        "Carry out the plan that waits on the ticket, or take a remedy that the merge request offers.",
    ),
    (
        "reject",
        "steer_commands",
        "Have another plan made, with the reason for the agents, or dismiss a remedy that is offered.",
    ),
    (
        "pause",
        "steer_commands",
        "Stop for now: nothing is begun and no model is called until it is resumed.",
    ),
    ("resume", "steer_commands", "Go on after a pause."),
    ("budget", "steer_commands", "Let this bug fix cost so many dollars more."),
    ("catalogue", "catalogue_command", "Validate a catalogue and summarise its repositories and agents."),
    ("doctor", "doctor", "Check settings, database, catalogue, GitLab and Jira, and say how to mend each fault."),
)
"""Name, module of `receiver.cli` that holds a function of that name, and the first sentence of its help."""


class DeferredCommand(click.RichCommand):
    """A command that is listed by its row, and imported when it is run or asked for its help."""

    def __init__(self, name: str, module: str, summary: str) -> None:
        super().__init__(name=name, short_help=summary)
        self._module = module

    def load(self) -> click.Command:
        """Import the command."""
        found: click.Command = getattr(import_module(f"receiver.cli.{self._module}"), self.name or "")
        return found

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401  # as click declares it
    ) -> click.Context:
        """Return the context of the command itself: click runs what the context names."""
        return self.load().make_context(info_name, args, parent, **extra)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="bug-fix")
def main() -> None:
    """Turn labelled Jira tickets into tested merge requests, through GitLab CI.

    A team runs two kinds of processes on one PostgreSQL database: `bug-fix serve` takes hooks and serves CI jobs,
    `bug-fix work` does what follows. Run as many of each as you like. Settings are environment variables, see
    docs/configuration.md; `bug-fix doctor` says what is missing.

    Exit codes: 0 done; 1 can't be done, the sentence says why; 2 wrong usage; 3 settings missing or wrong; 4 doctor
    found faults.
    """


for row in COMMANDS:
    main.add_command(DeferredCommand(*row))
