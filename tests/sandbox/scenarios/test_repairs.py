"""What the scripted agents write does what its scenario says: red on the base commit, and after the fix green or not.

Rows for what `./scripts/demo --all` plays with real processes: the whole path is shown by one scenario of each kind.
"""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from pipelines.catalogue.file import read
from pipelines.job.isolation.processes import Launcher, make_root
from pipelines.job.reproduction.application import Application
from pipelines.job.reproduction.browser import find_browser
from pipelines.job.reproduction.frameworks import Tools
from pipelines.job.reproduction.reproduction_run import Bench, Evidence, run_reproduction
from pipelines.job.reproduction.run_request import Script
from pipelines.language import Framework, ProjectPath
from pipelines.language.repository import Repository
from pipelines.proof.reproduction_verdict import called_tests, judge_failing, judge_passing
from sandbox.scenario_format import Scenario, ToolUse, find, load

pytestmark = pytest.mark.integration

REPAIRS = {
    "api-bug": True,
    "breaks-another-test": True,
    "legacy-bug": True,
    "wrong-patch": False,
}
"""Scenarios in Python that only `--nightly` plays, and whether the last fix makes the reproduction pass."""

WRITE_WHAT = {
    "needs-information": "pl-479",
    "vague-ticket": "pl-479",
    "two-models": "pl-479",
    "superfluous-file": "api-bug",
}
"""Scenarios whose agents write at least what those of another write."""


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """Return what reproductions are run with."""
    root = make_root()
    launcher = Launcher(root=root, job_id=1000 + os.getpid() * 17 % 1900)
    tools = Tools(framework=Framework.PYTEST, package=None, module_type="commonjs")
    yield Bench(launcher=launcher, browser=find_browser(launcher), tools=tools, recorder=None)
    launcher.end_all()
    shutil.rmtree(root)


def scripted(story: Scenario, phase: str, project: str) -> list[ToolUse]:
    """Return what the agent of a phase does in all of the scenario's attempts, each of which goes on with the last."""
    attempts = [
        story.conversation(phase=phase, issue=story.issue_key, repository=project, iteration=number)
        for number in range(1, story.expected.iterations + 1)
    ]
    assert None not in attempts
    conversations = dict.fromkeys(id(one) for one in attempts)
    by_id = {id(one): one for one in attempts if one is not None}
    return [use for number in conversations for turn in by_id[number].turns for use in turn.tool_use]


def written(name: str, phase: str) -> list[dict[str, Any]]:
    """Return what the agent of a phase writes and edits in a scenario."""
    story = load(find(name))
    return [use.input for use in scripted(story, phase, repaired(story)) if use.name in {"write", "edit"}]


def repaired(story: Scenario) -> str:
    """Return the repository that a scenario's fix changes."""
    (project,) = {one.repository for one in story.conversations if one.phase == "implementation"} - {None}
    return project


def write(folder: Path, uses: list[ToolUse]) -> None:
    """Write and edit files as an agent does."""
    for use in uses:
        if use.name in {"write", "edit"}:
            file = folder / use.input["file_path"]
            file.parent.mkdir(parents=True, exist_ok=True)
            edited = "" if use.name == "write" else file.read_text()
            file.write_text(
                use.input.get("content") or edited.replace(use.input["old_string"], use.input["new_string"])
            )


@contextmanager
def served(repository: Repository, folder: Path, launcher: Launcher) -> Iterator[Application]:
    """Serve a repository as the catalogue says, until the end of the block."""
    assert repository.serve is not None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    environment = {"PATH": path, "HOME": str(folder), "PORT": port, "PYTHONDONTWRITEBYTECODE": "1"}
    with (folder / "served.log").open("wb") as log:
        command = ["/bin/bash", "-c", repository.serve.run]
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)
    launcher.leave_alone(process.pid)  # else it ends with what the launcher started, where all are one user
    try:
        with httpx2.Client(transport=httpx2.HTTPTransport(retries=12), trust_env=False, timeout=60) as http:
            http.get(repository.serve.ready.replace("$PORT", port), timeout=60).raise_for_status()
        yield Application(base_url=f"http://127.0.0.1:{port}", log=folder / "served.log")
    finally:
        os.killpg(process.pid, 9)
        process.wait()


@pytest.mark.parametrize(
    "name", [name if name == "wrong-patch" else pytest.param(name, marks=pytest.mark.nightly) for name in REPAIRS]
)
def test_the_scripted_reproduction_is_red_on_the_base_and_green_only_with_a_right_fix(
    name: str, bench: Bench, tmp_path: Path
) -> None:
    story = load(find(name))
    project = repaired(story)
    repository = read(story.catalogue, source="bug-fix.yml").repositories[ProjectPath(project)]
    folder = Path(shutil.copytree(story.repositories[project], tmp_path / "checkout"))
    reproduction = scripted(story, "reproduction", project)
    write(folder, reproduction)
    test = (folder / reproduction[-1].input["test_path"]).read_bytes()

    def reproduce(number: int) -> Evidence:
        script = Script(data=test, framework=Framework.PYTEST, path="tests/test_it.py")
        with served(repository, folder, bench.launcher) as application:
            run_folder = bench.launcher.root / f"{name}-{number}"
            return run_reproduction(script, application=application, bench=bench, folder=run_folder)

    before = reproduce(1)
    assert judge_failing(before.run).holds, judge_failing(before.run).reason
    write(folder, scripted(story, "implementation", project))
    after = judge_passing(reproduce(2).run, names=called_tests(before.run))
    assert after.holds is REPAIRS[name], after.reason


@pytest.mark.parametrize(("name", "other"), WRITE_WHAT.items())
def test_its_agents_reproduce_and_repair_as_those_of_another_scenario(name: str, other: str) -> None:
    assert written(name, "reproduction") == written(other, "reproduction")
    assert [one for one in written(other, "implementation") if one not in written(name, "implementation")] == []
