"""What is told of failing tests: their words, and the innermost place in the repository."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pipelines.language import FailedTest, SuiteResult
from pipelines.language.results import MAX_FAILED, MAX_FAILED_TEXT
from pipelines.proof.failed_tests import failed_tests, place_of
from pipelines.proof.suite_run import Kind, Ran
from pipelines.proof.test_cases import CaseOutcome

PATHS = (
    "shop/price.py",
    "tests/unit/test_price.py",
    "src/cart.ts",
    "src/cart.test.ts",
    "Payments/Store.cs",
    "Dockerfile",
)

PYTEST = """
    def test_a_sum():
>       assert total([1, 2]) == 3

tests/unit/test_price.py:8:
_ _ _ _ _ _
shop/price.py:3: in total
    raise TypeError
/usr/lib/python3.11/enum.py:99: TypeError
"""
UNITTEST = """Traceback (most recent call last):
  File "/builds/x/tests/unit/test_price.py", line 8, in test_a_sum
    self.assertEqual(total([1, 2]), 3)
  File "/usr/lib/python3.11/unittest/case.py", line 873, in assertEqual
"""
VITEST = """AssertionError: expected 2 to be 3
    at Object.total (/builds/x/src/cart.ts:12:5)
    at /builds/x/src/cart.test.ts:4:10
    at file:///builds/x/node_modules/vitest/dist/index.js:1:1
"""
DOTNET = """   at Payments.Store.Search(String term) in /builds/x/Payments/Store.cs:line 41
   at Payments.Tests.StoreTests.Finds() in /builds/x/Payments.Tests/StoreTests.cs:line 9
"""


@pytest.mark.parametrize(
    ("detail", "place"),
    [
        (PYTEST, ("shop/price.py", 3)),
        (UNITTEST, ("tests/unit/test_price.py", 8)),
        (VITEST, ("src/cart.ts", 12)),
        (DOTNET, ("Payments/Store.cs", 41)),
        ("Payments\\Store.cs(7,5): error CS0103", ("Payments/Store.cs", 7)),
        ("/elsewhere/price.py:3: in total", None),
        ("shop/price.py:0: nothing", None),
        ("it is 12:30, see http://x.de:80", None),
        ("", None),
        ("a.b" * 5_000, None),
        (f"{'a' * 600}/shop/price.py:3:", None),
    ],
)
def test_the_place_is_the_innermost_one_in_the_repository(detail: str, place: tuple[str, int] | None) -> None:
    assert place_of(detail, PATHS) == place


def ran(kind: Kind, messages: dict[str, str]) -> Ran:
    result = SuiteResult(passed=0, failed=len(messages), errors=0, skipped=0, duration_s=1.0, exit_code=1)
    return Ran(
        kind=kind,
        command="pytest",
        result=result,
        outcomes=dict.fromkeys(messages, CaseOutcome.FAILED),
        messages=messages,
        details=dict.fromkeys(messages, PYTEST),
    )


def test_tests_of_both_kinds_are_told_of_without_secrets() -> None:
    runs = [ran(Kind.UNIT, {"a": "sesame"}), ran(Kind.INTEGRATION, {"b": "x" * 600})]
    found = failed_tests(runs, ["a", "b", "not run"], PATHS, redacted=lambda text: text.replace("sesame", "[removed]"))
    assert tuple(found) == (
        FailedTest(name="a", message="[removed]", file="shop/price.py", line=3),
        FailedTest(name="b", message="x" * MAX_FAILED_TEXT, file="shop/price.py", line=3),
    )


def test_no_more_than_the_first_are_told_of() -> None:
    names = [f"{number:03}" for number in range(MAX_FAILED + 1)]
    found = failed_tests([ran(Kind.UNIT, dict.fromkeys(names, ""))], names, PATHS, redacted=str)
    assert [one.name for one in found] == names[:MAX_FAILED]


def test_a_place_that_the_receiver_would_not_take_is_left_out() -> None:
    odd = "shop/pri\u200bce.py"
    said = ran(Kind.UNIT, {"a": "no"})
    details = {"a": f"{odd}:3: in total"}
    (found,) = failed_tests([replace(said, details=details)], ["a"], [odd], redacted=str)
    assert found == FailedTest(name="a", message="no")
    assert place_of(details["a"], [odd]) == (odd, 3)
