"""What the tests of the base commit and the changed tests show, by their outcomes on old and new code."""

from __future__ import annotations

import pytest

from pipelines.language import TestWord as Word
from pipelines.proof.changed_tests import MOST_DETAILS, changed_part, contradicted, new_on_old, unprovable
from pipelines.proof.test_cases import CaseOutcome

PASSED, FAILED, ERROR, SKIPPED = CaseOutcome.PASSED, CaseOutcome.FAILED, CaseOutcome.ERROR, CaseOutcome.SKIPPED
A, B = "t_a.py::a", "t_a.py::b"


@pytest.mark.parametrize(
    ("owned", "old", "red", "word"),
    [
        ({A}, {A: FAILED}, (A,), None),
        ({A}, {A: ERROR}, (A,), None),
        ({A, B}, {A: PASSED, B: FAILED}, (B,), None),
        ({A}, {A: PASSED}, (), Word.UNPROVEN),
        ({A, B}, {A: PASSED, B: PASSED}, (), Word.UNPROVEN),
        ({A}, {A: SKIPPED}, (), Word.UNPROVEN),
        ({A}, {}, (), Word.WEAK_RED),
        ({A}, None, (), Word.WEAK_RED),
        ({A, B}, {A: PASSED}, (), Word.WEAK_RED),
        (set(), None, (), Word.WEAK_RED),
        (set(), {}, (), Word.UNPROVEN),
        (set(), {"Other::a": PASSED}, (), Word.UNPROVEN),
        (set(), {"Other::a": FAILED}, (), None),  # a class that is not named as its file
        (set(), {"Old::a": FAILED}, (), Word.UNPROVEN),  # red before anybody changed it
        (set(), {"Old::a": FAILED, "Other::a": ERROR}, (), None),
    ],
)
def test_a_changed_file_of_tests_has_to_be_red_on_the_old_code(
    owned: set[str], old: dict[str, CaseOutcome] | None, red: tuple[str, ...], word: Word | None
) -> None:
    found, named = new_on_old({"t_a.py": frozenset(owned)}, old, base=frozenset({"Old::a"}))
    assert found == red
    assert [(one.name, one.word) for one in named] == ([] if word is None else [("t_a.py", word)])


def test_each_changed_file_is_judged_by_itself() -> None:
    _, named = new_on_old(
        {"t_a.py": frozenset({A}), "t_b.py": frozenset({"t_b.py::c"})},
        {A: FAILED, "t_b.py::c": PASSED},
        base=frozenset(),
    )
    assert [one.name for one in named] == ["t_b.py"]
    _, named = new_on_old({"t_a.py": frozenset({A}), "t_b.py": frozenset()}, None, base=frozenset())
    assert [one.name for one in named] == ["t_a.py", "t_b.py"]


def test_tests_that_did_not_run_on_the_changed_code_are_named_in_order() -> None:
    named = unprovable(frozenset({B, A}))
    assert [(one.name, one.word) for one in named] == [(A, Word.UNPROVABLE), (B, Word.UNPROVABLE)]


def test_a_report_gives_details_of_the_first_tests_and_an_end_to_each() -> None:
    tests = [f"t::{number:02}" for number in range(60)]
    named = contradicted(dict.fromkeys(tests, "x" * 5_000), dict.fromkeys(tests[1:], "diff"))
    assert [bool(one.asserted) for one in named] == [True] * MOST_DETAILS + [False] * (50 - MOST_DETAILS)
    assert [one.change for one in named] == ["", *["diff"] * (MOST_DETAILS - 1), *[""] * (50 - MOST_DETAILS)]
    assert max(len(one.asserted) for one in named) < 1_000


BEFORE = "def test_one():\n    assert f() == 0\n" + "\n" * 10 + "def test_two():\n    assert g() == 0\n"
AFTER = BEFORE.replace("f() == 0", "f() == 1").replace("g() == 0", "g() == 2")


def test_the_change_of_a_test_is_the_part_that_names_it() -> None:
    part = changed_part("tests.t::test_two", [(BEFORE, AFTER)])
    assert part == "-    assert g() == 0\n+    assert g() == 2\n"
    whole = changed_part("tests.t::test_of_a_helper", [(BEFORE, AFTER)])
    assert "f() == 1" in whole
    assert "g() == 2" in whole


def test_rows_that_look_like_the_head_of_a_diff_are_shown() -> None:
    before = "-- drops\nSELECT 1;\n"
    after = "++ adds\nSELECT 1;"
    assert changed_part("t::test_sql", [(before, after)]) == "--- drops\n-SELECT 1;\n+++ adds\n+SELECT 1;\n"


def test_a_test_with_cases_is_found_by_its_name() -> None:
    assert "g() == 2" in changed_part("tests.t::test_two[a.b-1]", [(BEFORE, AFTER)])
    assert changed_part("tests.t::test_two", []) == ""
