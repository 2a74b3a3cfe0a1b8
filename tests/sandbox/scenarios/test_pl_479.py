"""PL-479 is a true story: its suite is green, its bug is there, its scripted steps do what they say they do."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from pipelines.catalogue.file import read
from pipelines.language import FixSubmission, Plan, ReproductionSubmission
from sandbox import scenario_format as scenarios
from sandbox.scenario_format import Scenario, ToolUse

pytestmark = pytest.mark.integration
PROJECT = "payk12/contacts"
SUBMISSIONS: dict[str, Any] = {
    "submit_plan": Plan,
    "submit_reproduction": ReproductionSubmission,
    "submit_fix": FixSubmission,
}


@pytest.fixture(scope="session")
def story() -> Scenario:
    return scenarios.load(scenarios.find("pl-479"))


@pytest.fixture
def checkout(story: Scenario, tmp_path: Path) -> Path:
    """Check the repository out as an agent gets it: with git, and one commit."""
    folder = tmp_path / "contacts"
    shutil.copytree(story.repositories[PROJECT], folder, ignore=shutil.ignore_patterns("__pycache__"))
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "First commit"]):
        identity = ["-c", "user.name=Mara", "-c", "user.email=mara@example.org"]
        subprocess.run(["git", *identity, *command], cwd=folder, check=True, env=environment())
    return folder


def environment() -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}/usr/bin{os.pathsep}/bin"
    return {"PATH": path, "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1", "GIT_CONFIG_NOSYSTEM": "1"}


def suite(folder: Path) -> subprocess.CompletedProcess[str]:
    return run(folder, "python -m pytest -q --disable-plugin-autoload")


def run(folder: Path, command: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment() | more, capture_output=True, text=True, check=False
    )


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Run the application as the catalogue says, on a free port, without a database file."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "contacts"],
        cwd=folder,
        env=environment() | {"PYTHONPATH": "src", "PORT": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().rsplit(" ", 1)[1].strip()
    finally:
        process.terminate()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def save(url: str, name: str) -> int:
    with httpx2.Client(trust_env=False, timeout=60) as http:
        return http.post(f"{url}/contacts", data={"name": name, "role": "guardian"}).status_code


def tools(story: Scenario, phase: str, repository: str | None = PROJECT) -> list[ToolUse]:
    found = story.conversation(phase=phase, issue="PL-479", repository=repository, iteration=1)
    assert found is not None
    return [use for turn in found.turns for use in turn.tool_use]


def use(folder: Path, tool: ToolUse) -> str:
    """Do what one scripted tool call does, as the SDK's toolset would; say what a shell said."""
    match tool.name:
        case "write":
            path = folder / tool.input["file_path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(tool.input["content"])
        case "edit":
            path = folder / tool.input["file_path"]
            assert path.read_text().count(tool.input["old_string"]) == 1, tool.input["old_string"]
            path.write_text(path.read_text().replace(tool.input["old_string"], tool.input["new_string"]))
        case "bash":
            done = run(folder, tool.input["command"])
            return done.stdout + done.stderr
        case "read":
            assert (folder / tool.input["file_path"]).is_file()
        case "glob":
            assert list(folder.glob(tool.input["pattern"]))
    return ""


def test_its_own_suite_is_green_on_the_unpatched_tree(checkout: Path) -> None:
    done = suite(checkout)
    assert done.returncode == 0, done.stdout
    assert "47 passed" in done.stdout


def test_the_bug_is_there(checkout: Path) -> None:
    with served(checkout) as url:
        assert [save(url, name) for name in ("OBrien", "O'Brien", "O\u2019Brien")] == [303, 500, 303]


def test_the_scripted_fix_fixes_it_and_its_wrong_step_is_seen(story: Scenario, checkout: Path) -> None:
    said = [answer for tool in tools(story, "implementation") if (answer := use(checkout, tool))]
    outcomes = [line for answer in said for line in answer.splitlines() if " passed" in line or " failed" in line]
    # The new tests fail first; then the forgotten parameter breaks more; at the end everything is green.
    assert [" failed" in line for line in outcomes] == [True, True, False]
    assert "supplied" in said[1]
    assert "50 passed" in outcomes[-1]
    assert "M CHANGELOG.md" in said[-1]
    with served(checkout) as url:
        assert save(url, "O'Brien") == 303
        assert httpx2.get(f"{url}/", params={"q": "o'b"}, trust_env=False, timeout=60).text.count("O&#x27;Brien") == 1


def test_the_scripted_question_to_the_service_shows_the_bug(story: Scenario, checkout: Path) -> None:
    answers = [use(checkout, tool) for tool in tools(story, "reproduction")[:3]]
    lines = [line for line in answers[-1].splitlines() if line.startswith(("'", '"'))]
    assert [line.rsplit(" ", 1)[1] for line in lines] == ["200", "500", "200"]


@pytest.mark.parametrize(
    ("phase", "repository"), [("analysis", None), ("reproduction", PROJECT), ("implementation", PROJECT)]
)
def test_each_conversation_ends_with_a_submission_that_fits(
    story: Scenario, phase: str, repository: str | None
) -> None:
    *before, last = tools(story, phase, repository)
    assert not [tool for tool in before if tool.name in SUBMISSIONS]
    msgspec.convert(last.input, SUBMISSIONS[last.name])


def test_the_plan_names_the_line_that_quotes_by_hand(story: Scenario, checkout: Path) -> None:
    plan = msgspec.convert(tools(story, "analysis", None)[-1].input, Plan)
    assert plan.location is not None
    line = (checkout / plan.location.file).read_text().splitlines()[plan.location.line - 1]
    assert line.strip() == "return f\"'{value}'\""
    catalogue = read(story.catalogue, source="bug-fix.yml")
    for entry in plan.repositories:
        assert entry.agent in catalogue.agents
        assert all((checkout / file).is_file() for file in entry.files)


def test_analysis_looks_only_at_files_that_are_there(story: Scenario, checkout: Path) -> None:
    desk = checkout.parent / "desk"
    (desk / "payk12").mkdir(parents=True)
    checkout.rename(desk / PROJECT)
    for tool in tools(story, "analysis", None):
        use(desk, tool)
