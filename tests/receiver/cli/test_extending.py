"""The guide to a new repository and agent, step by step: what it says is done to a copy of the sample, and works."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipelines.agents.prompts import Prompts
from pipelines.agents.untrusted import Cleaner
from pipelines.catalogue.plan_check import problems
from pipelines.generation.graph import Origin, build
from pipelines.generation.render import render
from pipelines.language import (
    IssueKey,
    Location,
    Phase,
    Plan,
    ProjectPath,
    RepositoryPlan,
    RunId,
)
from pipelines.language.catalogue import AgentTool
from pipelines.language.pipeline_key import fix
from pipelines.language.wire import RepositoryPhase, RunSpec, Ticket
from receiver.cli import command as base
from receiver.jobs.agents import agent_for
from sandbox.ci.configuration.compilation import Context, Source, compile_pipeline
from tests.plans import a_plan

ROOT = Path(__file__).resolve().parents[3]
GUIDE = (ROOT / "docs/extending.md").read_text()
BILLING, FRONTEND = ProjectPath("payk12/billing"), ProjectPath("payk12/frontend")
FILE = r"[^`\n]+"


def steps(pattern: str) -> list[tuple[str, ...]]:
    """Return what the guide says to do, each with the block below it."""
    return re.findall(rf"{pattern}[^\n]*\n\n```\w+\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Do all steps of the guide."""
    folder = tmp_path_factory.mktemp("automation")
    text = (ROOT / "bug-fix.yml").read_text()
    below = steps(rf"In `bug-fix\.yml`, below `({FILE})`")
    assert [key for key, _ in below] == ["repositories:", "agents:"]
    for key, block in below:
        assert text.count(f"\n{key}\n") == 1
        text = text.replace(f"\n{key}\n", f"\n{key}\n{block}")
    for key, block in steps(rf"in `bug-fix\.yml`, instead of `({FILE})`"):
        text, count = re.subn(rf"^{re.escape(key)}.*\n", lambda _, b=block: b, text, flags=re.MULTILINE)
        assert count == 1
    (folder / "bug-fix.yml").write_text(text)
    written = steps(rf"Write `({FILE})`")
    assert written
    for name, block in written:
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(block)
    return folder


@pytest.fixture
def catalogue(folder: Path) -> Any:
    return base.catalogue(str(folder / "bug-fix.yml"))


def plan_of(**entry: Any) -> Plan:
    facts: dict[str, Any] = {
        "repository": BILLING,
        "agent": "django-pro",
        "reason": "r",
        "confidence": 0.9,
        "approach": "a",
        "files": ["billing/models.py"],
        "tests": [],
    }
    part = RepositoryPlan(**{**facts, **entry})
    return a_plan(location=Location(repository=part.repository, file="billing/models.py", line=1), repositories=[part])


def bug_fix(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "receiver", *arguments]
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_command_of_the_guide_finds_the_catalogue_right(folder: Path) -> None:
    (command,) = re.findall(r"```console\n\$ bug-fix (.*)\n```", GUIDE)
    done = bug_fix(folder, *command.split())
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["payk12/billing", "python", "django-pro", "http://127.0.0.1:$PORT/health"] in rows
    assert ["django-pro", "claude-sonnet-5-5", "python", "all", "yours"] in rows


def test_a_mistake_is_told_with_its_line(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "bug-fix.yml").write_text((folder / "bug-fix.yml").read_text())
    done = bug_fix(tmp_path, "catalogue")
    assert done.returncode == 3
    assert re.search(r"bug-fix\.yml:\d+: agents\.django-pro: the template of this agent is missing", done.stderr)


def test_the_entries_become_a_repository_and_an_agent(catalogue: Any) -> None:
    repository, agent = catalogue.repositories[BILLING], catalogue.agents["django-pro"]
    assert (repository.agent, repository.stack.preset) == ("django-pro", "python")
    assert repository.stack.commands.lint == "ruff check"
    assert repository.stack.commands.test is not None  # the preset's
    assert (agent.stacks, agent.limits.max_turns, agent.tools) == (("python",), 50, tuple(AgentTool))


def test_a_child_pipeline_is_generated_for_them(catalogue: Any) -> None:
    child = build(
        plan_of(),
        catalogue=catalogue,
        origin=Origin(
            run=RunId("0123456789abcdef"),
            pipeline=fix(1),
            issue_key=IssueKey("PL-500"),
            receiver="http://receiver.example.com:8080",
        ),
        done=[RepositoryPhase(phase=Phase.PREPARE, repository=path) for path in catalogue.repositories],
    )
    context = Context(
        predefined={"CI_PIPELINE_SOURCE": "parent_pipeline", "CI_PROJECT_DIR": "/builds"},
        resolve=lambda path: (ROOT / path).read_text() if (ROOT / path).is_file() else None,
    )
    pipeline = compile_pipeline([Source(text=render(child))], context=context)
    assert "implementation: payk12/billing" in {job.name for job in pipeline.jobs}
    assert {job.variables["BUG_FIX_REPOSITORY"].value for job in pipeline.jobs} == {BILLING}


def test_the_plan_may_send_the_agent_there_and_nowhere_else(catalogue: Any) -> None:
    assert problems(plan_of(), catalogue, readable=catalogue.repositories) == []
    (sentence,) = problems(plan_of(repository=FRONTEND), catalogue, readable=catalogue.repositories)
    assert "django-pro works on python, and this repository is nextjs" in sentence


def test_the_job_is_told_who_it_is_in_the_words_of_the_template(catalogue: Any) -> None:
    plan = plan_of()
    agent = agent_for(Phase.IMPLEMENTATION, BILLING, catalogue=catalogue, plan=plan)
    assert agent is not None
    assert agent.name == "django-pro"
    spec = RunSpec(
        run=RunId("0123456789abcdef"),
        iteration=1,
        phase=Phase.IMPLEMENTATION,
        repository=BILLING,
        ticket=Ticket(key=IssueKey("PL-500"), summary="s", description="d"),
        branch="bug-fix/PL-500",
        catalogue=catalogue,
        base_shas={},
        clone_urls={},
        agent=agent,
        plan=plan,
    )
    message = Prompts().first_message(spec, Cleaner())
    assert "You are a Django engineer. You know the ORM" in message
    assert "how payk12/billing uses" in message
    assert "Repository: payk12/billing\n\nYou are a Django engineer." in message
