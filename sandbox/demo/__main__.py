"""The command `scripts/demo`: play a scenario from labelled ticket to merge request, live; or several at once."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

import msgspec
from rich.console import Console

from sandbox.demo.board import board, result
from sandbox.demo.options import DEFAULT, parser
from sandbox.demo.play import Played, play
from sandbox.demo.processes import DemoError
from sandbox.demo.scenario_batch import demo_command, perform
from sandbox.demo.terminal import Screen, dollars, screen
from sandbox.demo.world import READ_TOKEN, World
from sandbox.scenario_format import Scenario, ScenarioError, find, load, names

WRONG_OUTCOME, CANNOT = 1, 2
EVIDENCE = Path.cwd() / ".state" / "demo"


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code: 0 as expected, 1 another outcome, 2 could not be played."""
    options = parser().parse_args(arguments)
    console = Console(force_terminal=False if options.plain else None)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        if options.list:
            return _list(console)
        wanted = names() if options.all else tuple(options.scenario or [DEFAULT])
        if len(wanted) > 1:
            console.print(f"{len(wanted)} scenarios, {max(1, options.jobs)} at a time", highlight=False)
        scenarios = [load(find(name)) for name in wanted]
        if options.all or len(scenarios) > 1:
            return _run_several(options, scenarios, console)
        return _run(options, scenarios[0], console)
    except (DemoError, ScenarioError) as error:
        console.print(f"✗ {error}", markup=False, highlight=False, soft_wrap=True)
        return CANNOT
    except KeyboardInterrupt:
        console.print("Stopped.")
        return CANNOT


def _list(console: Console) -> int:
    for name in names():
        console.print(f"{name:<22} {load(find(name)).title}", markup=False, highlight=False, soft_wrap=True)
    return 0


def _run_several(options: argparse.Namespace, scenarios: list[Scenario], console: Console) -> int:
    if options.serve or options.chaos:
        raise DemoError("--serve and --chaos are for one scenario: name it with --scenario.")
    twice = [one.name for one in scenarios if sum(other.name == one.name for other in scenarios) > 1]
    if twice:
        raise DemoError(f"Two scenarios are called {twice[0]}: give one of them another name in its scenario.yml.")
    began = time.monotonic()
    with board(console) as shown:
        command = demo_command(options.timeout, page_size=options.page_size)
        entries = perform(scenarios, shown, jobs=max(1, options.jobs), folder=EVIDENCE, command=command)
    wall_s = time.monotonic() - began
    for line in result(entries, wall_s=wall_s):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if options.json:
        document = {"scenarios": msgspec.to_builtins(entries), "jobs": options.jobs, "duration_s": round(wall_s, 2)}
        options.json.write_text(json.dumps(document, indent=2) + "\n")
        console.print(f"Summary written to {options.json}", markup=False, highlight=False, soft_wrap=True)
    return 0 if all(entry.as_expected for entry in entries) else WRONG_OUTCOME


def _run(options: argparse.Namespace, scenario: Scenario, console: Console) -> int:
    state = Path(tempfile.mkdtemp(prefix="bug-fix-demo-"))  # outside of the checkout: other users must get there
    evidence = EVIDENCE / (f"{scenario.name}-chaos" if options.chaos else scenario.name)
    with screen(console) as out, ExitStack() as standing:
        out.line(f"{scenario.name}: {scenario.title}")
        world = standing.enter_context(
            World(
                scenario=str(scenario.folder),
                state=state,
                catalogue=scenario.folder / "bug-fix.yml",
                page_size=options.page_size,
            )
        )
        standing.callback(out.now, "everything is being stopped")  # before the world goes, however the block ends
        _start(world, out)
        played = play(world, scenario, out, evidence=evidence, timeout_s=options.timeout, chaos=options.chaos)
        _tell(played, out)
        if options.json:
            options.json.write_text(json.dumps(played.document, indent=2) + "\n")
            out.line(f"Summary written to {options.json}")
        if options.serve:
            _serve(world, out, scenario.issue_key)
        out.line("Next: ./scripts/demo --serve, to look around in a browser")
        standing.close()
        if played.surprises:
            out.line(f"Logs, repositories and artifacts are kept in {state}")
        else:
            shutil.rmtree(state, ignore_errors=True)
    return WRONG_OUTCOME if played.surprises else 0


def _start(world: World, out: Screen) -> None:
    began = time.monotonic()
    with out.busy("Postgres starts"):
        version = world.start_postgres()
    out.line(f"✓ Postgres {version}")
    with out.busy("GitLab, Jira and Anthropic are being emulated"):
        world.start_sandbox()
    out.line("✓ sandbox: GitLab, Jira, Anthropic")
    with out.busy("the receiver starts"):
        world.start_receiver()
        world.start_worker()
    out.line(f"✓ receiver {world.receiver_url} and a worker  {time.monotonic() - began:.1f} s")


def _tell(played: Played, out: Screen) -> None:
    story, document = played.story, played.document
    iterations = f"{story.run.iteration} iteration" + ("" if story.run.iteration == 1 else "s")
    books = "equal to the provider's books" if document["books_equal"] else "NOT equal to the provider's books"
    for request in story.merge_requests:
        own = story.own_pipelines().get(request.repository)
        checked = f", own pipeline {own.status}" if own else ""
        out.line(f"{request.repository}!{request.iid} {request.state}{checked}: {request.url}")
    if played.surprises:
        out.line(f"Not the expected outcome: {'; '.join(played.surprises)}")
        out.line(f"Why: {story.reason}")
    else:
        total = dollars(story.costs.total)
        out.line(
            f"Outcome as expected: {story.run.status} · {iterations} · {total}, {books} · {document['duration_s']} s"
        )


def _serve(world: World, out: Screen, issue_key: str) -> None:
    out.line(f"Everything is left running. Start page: {world.receiver_url}/enter?token={READ_TOKEN}")
    program = Path(sys.executable).with_name("bug-fix")
    shown = program.relative_to(Path.cwd()) if program.is_relative_to(Path.cwd()) else program
    out.line(f"Next: {_settings_file(world)} && {shown} explain {issue_key}")
    out.line("Ctrl-C stops it all.")
    out.now("")
    while True:
        world.alive()
        time.sleep(1)


def _settings_file(world: World) -> str:
    file = world.state / "settings.env"
    file.write_text("".join(f"export {key}='{value}'\n" for key, value in world.settings().items()))
    file.chmod(0o600)
    return f". {file}"


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
