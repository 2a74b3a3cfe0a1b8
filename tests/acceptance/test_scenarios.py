"""Every scenario reaches the outcome that it expects, several at a time; the hostile ones are staged on their own."""

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sandbox.scenario import names

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(1600)]

CHECKOUT = Path(__file__).resolve().parents[2]
STAGED = {"hostile-model", "hostile-ticket", "hostile-repository", "over-budget"}


@pytest.mark.parametrize("name", [*(name for name in names() if name not in STAGED), "elsewhere"])
def test_the_scenario_ends_as_it_expects(programme: Any, name: str) -> None:
    entry = programme.scenarios[name]
    assert entry["as_expected"], (entry["surprises"], entry["reason"], entry["log"])
    assert entry["outcome"] == entry["expected"]
    assert entry["books_equal"] is True
    assert Decimal(entry["cost_usd"]) > 0
    assert entry["duration_s"] > 0


def test_the_command_succeeds_only_because_all_of_them_did(programme: Any) -> None:
    assert all(entry["as_expected"] for entry in programme.scenarios.values())
    assert programme.exit_code == 0, "\n".join(programme.lines[-30:])


def test_a_scenario_outside_of_the_checkout_is_played_like_any_other(programme: Any) -> None:
    entry = programme.scenarios["elsewhere"]
    assert (entry["issue_key"], entry["outcome"]) == ("QX-7", "declined")
    assert "docs/api.md" in entry["reason"]


ENDS = {
    "not-a-bug": ("outcome: not_a_bug", "Not a bug: "),
    "feature-request": ("outcome: feature_request", "A feature request: "),
    "duplicate": ("outcome: duplicate", "A duplicate of PL-447: "),
    "too-large": ("outcome: too_large", "Too large for an automatic fix: "),
    "infrastructure": ("outcome: infrastructure", "A matter of operation: "),
}
"""Scenarios that analysis ends: the only job of the generated pipeline, and how the run's reason begins."""


@pytest.mark.parametrize("name", ENDS)
def test_where_analysis_finds_nothing_to_fix_both_pipelines_are_green_and_people_are_told_why(
    programme: Any, name: str
) -> None:
    job, reason = ENDS[name]
    told = json.loads(Path(programme.scenarios[name]["document"]).read_text())
    assert told["outcome"] == "declined"
    assert told["reason"].startswith(reason)
    assert told["reason"].endswith(".")
    assert "…" not in told["reason"]
    parent, child = told["pipelines"]
    assert (parent["status"], child["status"]) == ("success", "success")
    assert [one["name"] for one in child["jobs"]] == [job]
    assert set(told["usage"]) == {"analysis", "total"}
    assert told["merge_requests"] == []


def test_the_log_and_the_screenshot_of_a_ticket_reach_the_model_and_a_capture_is_named(programme: Any) -> None:
    told = json.loads(Path(programme.scenarios["infrastructure"]["document"]).read_text())
    assert told["attachments"] == {"pay.png": "picture", "payments.log": "text", "terminal.pcapng": "named"}


def test_the_own_pipeline_of_each_merge_request_succeeds(programme: Any) -> None:
    opened = {name: entry for name, entry in programme.scenarios.items() if entry["merge_requests"]}
    assert "pl-479" in opened
    for name, entry in opened.items():
        assert entry["own_pipelines"] == dict.fromkeys(entry["merge_requests"], "success"), name


def test_each_has_a_line_when_it_ends_and_a_row_in_the_table(programme: Any) -> None:
    table = programme.lines.index(next(line for line in programme.lines if line.startswith("scenario ")))
    for name, entry in programme.scenarios.items():
        assert any(line.startswith(f"✓ {name}: {entry['outcome']}") for line in programme.lines[:table])
        assert any(line.startswith(f"{name} ") for line in programme.lines[table:])


def test_scenarios_can_be_listed_with_their_titles() -> None:
    command = [sys.executable, "-m", "sandbox.demo", "--list"]
    told = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    assert [line.split()[0] for line in told.splitlines()] == list(names())
    assert "Contact creation fails for names with an apostrophe" in told
