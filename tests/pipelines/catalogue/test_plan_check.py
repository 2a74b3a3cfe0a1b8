"""Which plans may be carried out."""

from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from pipelines.catalogue import plan_check
from pipelines.language import (
    Location,
    PlanOutcome,
    ProjectPath,
)
from pipelines.language.catalogue import Agent, AgentTool, Catalogue, Jira, Start
from pipelines.language.policy import Policy
from pipelines.language.repository import Repository, Stack
from tests.plans import a_part, a_plan

CONTACTS = ProjectPath("payk12/contacts")
CATALOGUE = Catalogue(
    automation_project=ProjectPath("payk12/bug-fix"),
    automation_ref="main",
    jira=Jira(project="PL", start=Start()),
    policy=Policy(),
    agents={
        "default": Agent(name="default", model="m"),
        "python-pro": Agent(name="python-pro", model="m", stacks=("python",)),
        "nextjs-pro": Agent(name="nextjs-pro", model="m", stacks=("nextjs",)),
        "code-reviewer": Agent(name="code-reviewer", model="m", tools=(AgentTool.READ,)),
    },
    repositories={
        CONTACTS: Repository(
            key="contacts", project=CONTACTS, agent="python-pro", stack=Stack(preset="python", image="i")
        )
    },
)
ENTRY = a_part(agent="python-pro", files=["src/a.py"])
problems = partial(plan_check.problems, readable=CATALOGUE.repositories)
PLAN = a_plan(location=Location(repository=CONTACTS, file="src/a.py", line=3), repositories=[ENTRY])


def test_a_plan_of_known_repositories_and_agents_may_be_stored() -> None:
    assert problems(PLAN, CATALOGUE) == []
    nothing = replace(PLAN, outcome=PlanOutcome.NOT_A_BUG, repositories=[], location=None, title="")
    assert problems(nothing, CATALOGUE) == []


def test_only_a_plan_that_names_a_repository_that_can_not_be_read_is_refused() -> None:
    portal = ProjectPath("payk12/portal")
    more = {**CATALOGUE.repositories, portal: replace(CATALOGUE.repositories[CONTACTS], key="portal", project=portal)}
    catalogue = replace(CATALOGUE, repositories=more)
    assert plan_check.problems(PLAN, catalogue, readable={CONTACTS}) == []
    both = replace(PLAN, repositories=[ENTRY, replace(ENTRY, repository=portal)])
    (sentence,) = plan_check.problems(both, catalogue, readable={CONTACTS})
    assert sentence.startswith("payk12/portal can't be fixed now")
    assert plan_check.problems(both, catalogue, readable=catalogue.repositories) == []


def test_a_plan_to_fix_names_at_least_one_repository() -> None:
    assert "at least one repository" in problems(replace(PLAN, repositories=[]), CATALOGUE)[0]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"location": None}, "location of the cause"),
        ({"title": " "}, "title"),
        ({"repositories": [ENTRY, ENTRY]}, "twice"),
        ({"repositories": [ENTRY, replace(ENTRY, repository="payk12/other")]}, "not in the catalogue"),
        ({"repositories": [replace(ENTRY, agent="root")]}, "not an agent"),
        (
            {"repositories": [replace(ENTRY, agent="nextjs-pro")]},
            "nextjs-pro works on nextjs, and this repository is python; payk12/contacts's own agent is python-pro.",
        ),
        ({"repositories": [replace(ENTRY, agent="code-reviewer")]}, "can't write files"),
        ({"repositories": [replace(ENTRY, confidence=1.1)]}, "from 0 to 1"),
        ({"repositories": [replace(ENTRY, confidence=float("nan"))]}, "from 0 to 1"),
        ({"repositories": [replace(ENTRY, files=["../x"])]}, "inside the repository"),
        ({"repositories": [replace(ENTRY, files=["/etc/passwd"])]}, "inside the repository"),
        ({"repositories": [replace(ENTRY, files=["a\\..\\b"])]}, "inside the repository"),
        ({"repositories": [replace(ENTRY, files=["a\0"])]}, "inside the repository"),
        ({"repositories": [replace(ENTRY, files=[""])]}, "inside the repository"),
        ({"location": Location(repository=CONTACTS, file="../a", line=1)}, "not a file and line"),
        ({"location": Location(repository=CONTACTS, file="a", line=0)}, "not a file and line"),
        ({"location": Location(repository=ProjectPath("payk12/x"), file="a", line=1)}, "not in scope"),
    ],
)
def test_each_thing_that_can_t_be_carried_out_has_its_sentence(change: dict[str, Any], says: str) -> None:
    (sentence,) = problems(replace(PLAN, **change), CATALOGUE)
    assert says in sentence


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"outcome": PlanOutcome.NEEDS_INFORMATION}, "has a question"),
        ({"outcome": PlanOutcome.NEEDS_INFORMATION, "question": " \n"}, "has a question"),
        ({"outcome": PlanOutcome.DUPLICATE}, "the other ticket's key"),
        ({"outcome": PlanOutcome.DUPLICATE, "duplicate_of": "PL-400, I think"}, "the other ticket's key"),
        ({"outcome": PlanOutcome.DUPLICATE, "duplicate_of": "PL-479"}, "a duplicate of itself"),
        ({"outcome": PlanOutcome.NOT_A_BUG, "reason": " "}, "has a reason"),
        ({"outcome": PlanOutcome.SECURITY_CONCERN, "title": ""}, "has a title"),
        ({"outcome": PlanOutcome.SECURITY_CONCERN, "location": None}, "location of the cause"),
    ],
)
def test_an_outcome_says_what_people_need_from_it(changes: dict[str, Any], says: str) -> None:
    found = problems(replace(PLAN, **changes), CATALOGUE, issue_key="PL-479")
    assert [sentence for sentence in found if says in sentence] == found
    assert found


def test_outcomes_that_say_it_may_be_stored() -> None:
    for changes in (
        {"outcome": PlanOutcome.NEEDS_INFORMATION, "question": "Which name?"},
        {"outcome": PlanOutcome.DUPLICATE, "duplicate_of": "PL-400"},
        {"outcome": PlanOutcome.SECURITY_CONCERN},
        {"outcome": PlanOutcome.SECURITY_CONCERN, "repositories": [], "location": None, "title": ""},
    ):
        assert problems(replace(PLAN, **changes), CATALOGUE, issue_key="PL-479") == []  # type: ignore[arg-type]  # a table of changes
