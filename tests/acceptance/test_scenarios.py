"""Every scenario reaches the outcome that it expects; the hostile ones are staged on their own."""

import json
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sandbox.scenario_format import find, load, names

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(1600)]

CHECKOUT = Path(__file__).resolve().parents[2]
STAGED = {"hostile-model", "hostile-ticket", "hostile-repository", "over-budget"}
"""Scenarios that tests/acceptance/hostile plays, to look into their worlds while they stand."""
TOGETHER = {"infrastructure": "declined", "duplicate": "declined"}
"""Scenarios that are played by one command, and how they end."""
LIKE_ANOTHER = {
    "restricted-ticket": "pl-479; tests/pipelines/job/test_phases.py takes such a ticket through all its jobs, "
    "tests/receiver/worker/test_restriction.py and tests/receiver/notes/test_writer.py withhold what people would read",
    "not-reproduced": "infrastructure: ended by a job's report; tests/pipelines/job/test_hostile.py and "
    "test_reproducing.py show the job that says no, test_repairs.py the reproduction that stays green",
    "api-bug": "pl-479: the same path in another repository; test_repairs.py runs its reproduction",
    "legacy-bug": "api-bug: the same path in another repository",
    "two-models": "pl-479; the emulator's caching is tested on its own",
    "frontend-bug": "pl-479; tests/pipelines/job/test_reproduction_run.py runs Playwright Test, "
    "tests/sandbox/test_estate.py the commands of the portal",
    "superfluous-file": "pl-479, with a file more that testing takes back; the picture in docs/review.md shows it",
    "breaks-another-test": "review-once: a second attempt; test_failed_attempts.py says what is repeated",
    "three-attempts": "breaks-another-test and plan-approval; test_failed_attempts.py ends after three attempts, "
    "tests/receiver/steering/test_attempts.py begins the next one by a hint, test_hand_overs.py tells what was tried",
    "formatting": "breaks-another-test: a second attempt, which a command makes; tests/pipelines/job/test_remedy.py "
    "applies and verifies it, tests/receiver/workflow/stages/test_prescriptions.py prescribes it",
    "nullable-suggestion": "formatting, with an agent and people: tests/receiver/outbound/test_remedy_offers.py "
    "suggests it, lets it survive pushes and takes it, tests/pipelines/job/test_remedy.py makes and verifies it",
    "reverted": "pl-479; tests/receiver/merging merges by approvals and finds what takes a fix back",
    "person-pushes": "pl-479; tests/receiver/merging/test_merging.py merges nothing that was not tested",
    "wrong-patch": "not-reproduced: a job says no; test_repairs.py shows that its reproduction stays red",
    "review-once": "pl-479; tests/pipelines/job/test_review.py reviews, test_reuse.py of the receiver and the golden "
    "child second-attempt.yml show what an attempt reuses",
    "plan-approval": "pl-479; tests/receiver/worker/test_people.py says who may approve, and what follows",
    "needs-information": "pl-479; test_people.py begins the next attempt by a person's word",
    "vague-ticket": "pl-479 after a question; tests/receiver/worker/test_readiness.py asks it and takes the answer",
    "restricted-later": "restricted-ticket, from the moment of the level; tests/receiver/worker/test_restriction.py "
    "stops runs then, tests/pipelines/job/test_phases.py takes back what a job at work has left",
    "security-fix-allowed": "restricted-ticket: what is found is withheld, here from the analysis on",
    "security-concern": "infrastructure: no fix after the analysis; tests/pipelines/job/test_phases.py and "
    "tests/receiver/notes/test_writer.py withhold the finding",
    "feature-request": "infrastructure; test_wheel.py plays a copy of it",
    "not-a-bug": "infrastructure",
    "too-large": "infrastructure",
}
"""Scenarios that walk the path of another one, and the tests that show the rest. As real processes `--nightly` plays
them; here they are rows of tests/sandbox/scenarios/test_endings.py and test_repairs.py."""


def each_kind_first() -> list[Any]:
    """Return all scenarios as parameters, those that walk another's path marked for the night."""
    chosen = sorted(set(names()) - STAGED - set(TOGETHER), key=lambda name: (name in LIKE_ANOTHER, name))
    return [pytest.param(name, marks=[pytest.mark.nightly] if name in LIKE_ANOTHER else []) for name in chosen]


@pytest.mark.parametrize("name", each_kind_first())
def test_the_scenario_ends_as_it_expects(played: Callable[[str], Any], name: str) -> None:
    exit_code, lines, told = played(name)
    assert exit_code == 0, "\n".join(lines[-40:])
    assert told["as_expected"], (told["surprises"], told["reason"])
    assert told["outcome"] == load(find(name)).expected.outcome
    assert told["books_equal"] is True
    is_stopped = name == "restricted-later"  # its jobs may be cancelled before they call a model
    assert is_stopped or Decimal(told["cost"]["total"]) > 0
    assert told["duration_s"] > 0
    opened = [one["repository"] for one in told["merge_requests"]]
    assert {name: one["status"] for name, one in told["own_pipelines"].items()} == dict.fromkeys(opened, "success")


def test_several_scenarios_are_played_by_one_command(programme: Any) -> None:
    assert programme.exit_code == 0, "\n".join(programme.lines[-30:])
    entries = {entry["name"]: entry for entry in programme.out["scenarios"]}
    assert {name: entry["outcome"] for name, entry in entries.items()} == TOGETHER
    assert {entry["as_expected"] for entry in entries.values()} == {True}


def test_each_has_a_line_when_it_ends_and_a_row_in_the_table(programme: Any) -> None:
    table = programme.lines.index(next(line for line in programme.lines if line.startswith("scenario ")))
    for name, outcome in TOGETHER.items():
        assert any(line.startswith(f"✓ {name}: {outcome}") for line in programme.lines[:table])
        assert any(line.startswith(f"{name} ") for line in programme.lines[table:])


def test_where_analysis_finds_nothing_to_fix_both_pipelines_are_green_and_people_are_told_why(programme: Any) -> None:
    entry = next(one for one in programme.out["scenarios"] if one["name"] == "infrastructure")
    told = json.loads(Path(entry["document"]).read_text())
    assert told["outcome"] == "declined"
    assert told["reason"].startswith("A matter of operation: ")
    assert told["reason"].endswith(".")
    assert "…" not in told["reason"]
    parent, child = told["pipelines"]
    assert (parent["status"], child["status"]) == ("success", "success")
    assert [one["name"] for one in child["jobs"]] == ["outcome: infrastructure"]
    assert set(told["usage"]) == {"analysis", "total"}
    assert told["merge_requests"] == []
    # The log and the screenshot of the ticket reach the model, a capture is only named.
    assert told["attachments"] == {"pay.png": "picture", "payments.log": "text", "terminal.pcapng": "named"}


def test_scenarios_can_be_listed_with_their_titles() -> None:
    command = [sys.executable, "-m", "sandbox.demo", "--list"]
    told = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    assert [line.split()[0] for line in told.splitlines()] == list(names())
    assert "Contact creation fails for names with an apostrophe" in told
