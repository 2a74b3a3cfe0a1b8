"""A fix is shown when one test is red without the change and green with exactly that change."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from pipelines.language import MergeRequestResult, ReproductionResult
from pipelines.language import TestingResult as Proof
from pipelines.proof.red_green import RedGreen, judge

SHA, PATCH, TEST = "a" * 40, "b" * 64, "c" * 64
RED = ReproductionResult(
    base_sha=SHA, reproduced=True, test_path="t.py", test_sha256=TEST, failure="500", symptom="500", steps=()
)
GREEN = Proof(
    base_sha=SHA,
    patch_sha256=PATCH,
    test_sha256=TEST,
    reproduction_before_failed=True,
    reproduction_after_passed=True,
    suite=None,
    new_failures=(),
)
IS_RED, NOT_RED = "red", "not red"
CHANGE = MergeRequestResult(base_sha=SHA, patch_sha256=PATCH)


def test_the_same_test_red_then_green_on_the_same_change_shows_the_fix() -> None:
    assert judge(RED, GREEN, CHANGE) == RedGreen(is_red=True, is_green=True, gaps=())


@pytest.mark.parametrize(
    ("reproduction", "testing", "change", "red", "gap"),
    [
        ({"reproduced": False}, {}, {}, NOT_RED, "the reproduction succeeded without reproducing anything"),
        ({"test_sha256": "e" * 64}, {}, {}, IS_RED, "testing ran another test than the reproduction"),
        ({}, {}, {"patch_sha256": "e" * 64}, IS_RED, "the submitted patch is not the tested one"),
        ({}, {}, {"base_sha": "e" * 40}, IS_RED, "the patch was tested on another commit than it was submitted for"),
        ({}, {"reproduction_before_failed": False}, {}, NOT_RED, "the reproduction did not fail before the patch"),
        ({}, {"reproduction_after_passed": False}, {}, IS_RED, "the reproduction does not pass with the patch"),
    ],
)
def test_each_difference_is_named_and_nothing_is_green(
    reproduction: dict[str, Any], testing: dict[str, Any], change: dict[str, Any], red: str, gap: str
) -> None:
    found = judge(replace(RED, **reproduction), replace(GREEN, **testing), replace(CHANGE, **change))
    assert found == RedGreen(is_red=red == IS_RED, is_green=False, gaps=(gap,))


def test_what_was_not_reported_shows_nothing() -> None:
    assert judge(None, GREEN, CHANGE) == RedGreen(
        is_red=False, is_green=False, gaps=("the reproduction was not reported",)
    )
    assert judge(RED, None, CHANGE) == RedGreen(is_red=True, is_green=False, gaps=("the testing was not reported",))
    assert not judge(replace(RED, reproduced=False), None, CHANGE).is_red
    assert not judge(RED, GREEN, None).is_green
