"""Words that must not be left with GitLab are found wherever they stand."""

from __future__ import annotations

from sandbox.demo.spoken import found


def test_words_are_found_in_any_case_and_nothing_else_is() -> None:
    left = {"analysis's log": b"turn 1: SQL Injection", "analysis's artifact plan.json": b"{}"}
    assert found(left, ["injection", "store.py"]) == ["'injection' stands in analysis's log"]
