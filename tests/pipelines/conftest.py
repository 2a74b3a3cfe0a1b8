"""Plans, catalogues and a way to compile what we generate."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pipelines.catalogue.file import read
from pipelines.generation.graph import Origin, build
from pipelines.generation.render import render
from pipelines.language import (
    IssueKey,
    Phase,
    Plan,
    PlanOutcome,
    ProjectPath,
    RunId,
)
from pipelines.language.catalogue import Catalogue
from pipelines.language.pipeline_key import fix
from pipelines.language.wire import RepositoryPhase
from tests.plans import a_plan_saying

ROOT = Path(__file__).resolve().parents[2]
RUN = RunId("0123456789abcdef")

HEAD = """\
version: 1
automation: {project: payk12/bug-fix}
jira: {project: PL, start: {allowed: ["group:payk12-developers"]}}
repositories:
"""


def make_catalogue(stacks: Sequence[str], more: str = "") -> Catalogue:
    """Return a catalogue with one repository for each of the presets named, and more sections."""
    entries = [f"  r{n}: {{project: payk12/r{n}, stack: {stack}}}\n" for n, stack in enumerate(stacks, 1)]
    return read(HEAD + "".join(entries) + more, source="bug-fix.yml")


def make_plan(paths: Sequence[str], outcome: PlanOutcome = PlanOutcome.FIX, text: str = "text") -> Plan:
    """Return a plan for these repositories whose every text is `text`."""
    return a_plan_saying(text, *map(ProjectPath, paths), outcome=outcome, location=None)


def prepared(catalogue: Catalogue) -> tuple[RepositoryPhase, ...]:
    """Return what the parent pipeline of a first attempt does for the child."""
    return tuple(RepositoryPhase(phase=Phase.PREPARE, repository=path) for path in catalogue.repositories)


def make_child(
    plan: Plan,
    catalogue: Catalogue,
    *,
    confidential: bool = False,
    number: int = 1,
    done: tuple[RepositoryPhase, ...] | None = None,
) -> str:
    """Return the child pipeline of a plan, as text."""
    child = build(
        plan,
        catalogue=catalogue,
        origin=Origin(
            run=RUN,
            pipeline=fix(number),
            issue_key=IssueKey("PL-479"),
            receiver="http://receiver.example.com:8080",
        ),
        confidential=confidential,
        done=prepared(catalogue) if done is None else done,
    )
    return render(child)


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def catalogue_of() -> Callable[[Sequence[str]], Catalogue]:
    return make_catalogue


@pytest.fixture(scope="session")
def plan_of() -> Callable[..., Plan]:
    return make_plan


@pytest.fixture(scope="session")
def child_of() -> Callable[..., str]:
    return make_child
