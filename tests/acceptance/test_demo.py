"""A labelled ticket becomes a merge request, end to end, with real processes."""

import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(1600)]

CHECKOUT = Path(__file__).resolve().parents[2]
CHECK = CHECKOUT.parent / "shared" / "checks" / "pipeline_check.py"


def told(demo: Any) -> str:
    return "\n".join(demo.lines[-40:])


def test_the_demo_reaches_the_expected_outcome(demo: Any) -> None:
    assert demo.exit_code == 0, told(demo)
    assert demo.out["outcome"] == "in_review"
    assert demo.out["run"]["issue_key"] == "PL-479"
    assert demo.out["run"]["iterations"] == 1


def test_there_is_one_parent_one_child_and_one_merge_request(demo: Any) -> None:
    assert [pipeline["kind"] for pipeline in demo.out["pipelines"]] == ["parent", "child"]
    assert {pipeline["status"] for pipeline in demo.out["pipelines"]} == {"success"}
    [request] = demo.out["merge_requests"]
    assert (request["repository"], request["iid"], request["state"]) == ("payk12/contacts", 1, "opened")
    assert request["source_branch"].startswith("bug-fix/PL-479-")


def test_there_is_one_job_for_each_phase_and_repository_and_the_two_that_can_overlap_do(demo: Any) -> None:
    child = {job["phase"]: job for job in demo.out["pipelines"][1]["jobs"]}
    assert set(child) == {"reproduction", "implementation", "testing", "merge_request"}
    assert {job["repository"] for job in child.values()} == {"payk12/contacts"}
    assert child["implementation"]["start"] < child["reproduction"]["end"]
    assert child["reproduction"]["start"] < child["implementation"]["end"]
    assert child["testing"]["start"] >= max(child["reproduction"]["end"], child["implementation"]["end"])


def test_the_same_test_failed_before_and_passes_after_with_evidence_kept(demo: Any) -> None:
    reproduction = demo.out["reproduction"]
    assert (reproduction["before"], reproduction["after"]) == ("failed", "passed")
    assert Path(reproduction["screenshot"]).read_bytes().startswith(b"\x89PNG")
    assert Path(reproduction["trace"]).read_bytes().startswith(b"PK")


def test_success_is_judged_by_five_indicators_and_none_says_no(demo: Any) -> None:
    answers = {name: one["answer"] for name, one in demo.out["indicators"].items()}
    assert list(answers) == [
        "all_tests_pass",
        "coverage_kept",
        "merge_request_linked",
        "documentation_updated",
        "no_intervention",
    ]
    assert "no" not in answers.values()
    assert answers["documentation_updated"] == "yes"
    assert answers["no_intervention"] == "unknown"  # it is known at the end only


def test_all_phases_share_one_prefix_byte_for_byte_and_read_most_of_their_input_from_the_cache(demo: Any) -> None:
    assert demo.out["caching"]["prefixes"] == 1
    assert demo.out["caching"]["read_share"] > 0.6
    assert Decimal(demo.out["caching"]["cost_usd"]) < Decimal(demo.out["caching"]["cost_without_cache_usd"])


def test_every_token_and_dollar_is_in_the_ledger_and_the_phases_add_up(demo: Any) -> None:
    assert demo.out["books_equal"] is True
    cost = {phase: Decimal(value) for phase, value in demo.out["cost"].items()}
    total = cost.pop("total")
    assert total > 0
    assert sum(cost.values()) == total
    for bucket, tokens in demo.out["usage"]["total"].items():
        parts = [usage[bucket] for phase, usage in demo.out["usage"].items() if phase != "total"]
        assert sum(parts) == tokens


def test_every_delivery_has_a_verdict(demo: Any) -> None:
    assert set(demo.out["deliveries"]) <= {"acted", "noted", "ignored"}
    assert demo.out["deliveries"]["acted"] >= 1


@pytest.mark.skipif(not CHECK.exists(), reason="the independent check of pipelines is not beside the checkout")
def test_an_independent_check_finds_nothing_wrong_with_the_generated_child(demo: Any) -> None:
    command = [sys.executable, str(CHECK), demo.out["generated"], "--root", str(CHECKOUT)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_scenario_that_does_not_exist_is_named_with_those_that_do() -> None:
    command = [sys.executable, "-m", "sandbox.demo", "--scenario", "nowhere"]
    asked = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert asked.returncode == 2
    assert "nowhere" in asked.stdout
    assert "pl-479" in asked.stdout
