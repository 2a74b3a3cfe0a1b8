"""The console script `bug-fix-sandbox`: serve the emulated GitLab, Jira and Anthropic for a scenario."""

import asyncio
import shutil
import sys
from pathlib import Path

import rich_click as click

from sandbox import scenario_format as scenarios
from sandbox.emulators.assembly import AUTOMATION, Ports, World
from sandbox.emulators.assembly import serve as serve_world
from sandbox.gitlab.seed import SeedError
from sandbox.scenario_format import ScenarioError

_PORT = click.IntRange(0, 65535)
_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Emulate GitLab, Jira and Anthropic over real HTTP, with real git and CI jobs as real processes.

    For trying and testing Bug-Fix without any of the three. Never serve it to a network: it listens on the loopback
    interface only, its pages need no login, and CI jobs run as you.
    """


@main.command()
@click.option(
    "--scenario",
    "scenario_name",
    default="pl-479",
    show_default=True,
    metavar="NAME|DIR",
    help="What to play: a scenario that comes with the sandbox, or a folder with a `scenario.yml`.",
)
@click.option(
    "--state",
    required=True,
    type=_FOLDER,
    help="Folder for repositories, job logs, artifacts and `sandbox.json`. What an earlier run left there is removed.",
)
@click.option(
    "--receiver", required=True, metavar="URL", help="The receiver's URL; GitLab's and Jira's hooks go there."
)
@click.option(
    "--ci-path",
    multiple=True,
    type=_FOLDER,
    metavar="DIR",
    help="Folder to put first on the PATH of CI jobs, for example the one with `bug-fix-job`. Repeat for more.",
)
@click.option("--port-gitlab", default=0, type=_PORT, help="GitLab's port. [default: a free one]")
@click.option("--port-jira", default=0, type=_PORT, help="Jira's port. [default: a free one]")
@click.option("--port-anthropic", default=0, type=_PORT, help="Anthropic's port. [default: a free one]")
@click.option(
    "--page-size",
    type=click.IntRange(min=1),
    metavar="N",
    help="Entries on a page of GitLab's and Jira's lists at most. [default: as the vendors have it]",
)
@click.option(
    "--automation",
    default=AUTOMATION,
    show_default="those of this installation",
    type=_FOLDER,
    metavar="DIR",
    help="Where `.gitlab-ci.yml` and `templates/ci/` of the automation project come from.",
)
def serve(  # noqa: PLR0913, PLR0917 - the command's options
    scenario_name: str,
    state: Path,
    receiver: str,
    ci_path: tuple[Path, ...],
    port_gitlab: int,
    port_jira: int,
    port_anthropic: int,
    page_size: int | None,
    automation: Path,
) -> None:
    """Serve the three emulators until Ctrl-C or SIGTERM.

    Once all ports answer, STATE/sandbox.json tells URLs, tokens and webhook secrets to whoever starts the receiver.
    """
    if shutil.which("git") is None:
        raise click.ClickException("git is not on PATH, and the emulated GitLab keeps real repositories: install git.")
    try:
        world = World(
            scenario=scenarios.load(scenarios.find(scenario_name)),
            state=state.resolve(),
            receiver=receiver.rstrip("/"),
            ci_path=tuple(folder.resolve() for folder in ci_path),
            ports=Ports(gitlab=port_gitlab, jira=port_jira, anthropic=port_anthropic),
            page_size=page_size,
            automation=automation.resolve(),
        )
        asyncio.run(serve_world(world, tell=click.echo))
    except (ScenarioError, SeedError) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(
            f"{error}: give free ports, and a folder for --state that can be written."
        ) from error


@main.command(name="scenarios")
def list_scenarios() -> None:
    """List the scenarios that come with the sandbox."""
    for name in scenarios.names():
        click.echo(f"{name:<24} {scenarios.load(scenarios.find(name)).title}")


if __name__ == "__main__":
    sys.exit(main())
