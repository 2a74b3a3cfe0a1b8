"""The command group `bug-fix`: which commands there are."""

from __future__ import annotations

import rich_click as click

from receiver.cli import catalogue_command, doctor, run_commands, service_commands


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


for command in (
    service_commands.serve,
    service_commands.work,
    service_commands.migrate,
    run_commands.runs,
    run_commands.explain,
    run_commands.session,
    run_commands.start,
    catalogue_command.catalogue,
    doctor.doctor,
):
    main.add_command(command)
