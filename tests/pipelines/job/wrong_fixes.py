"""A small shop, wrong fixes of its bug with what is said of each, and harmless changes. Data only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from pipelines.language import TestWord

CATALOGUE: Final = """\
version: 1
automation: {project: payk12/bug-fix}
jira: {project: PL, start: {allowed: ["group:payk12-developers"]}}
repositories:
  shop:
    project: payk12/shop
    stack: python
    commands:
      install: python -m compileall -q shop
      test: >-
        python -m pytest -q --disable-plugin-autoload --continue-on-collection-errors --junitxml=junit.xml tests
    serve: {run: python -m shop, ready: "http://127.0.0.1:$PORT/health"}
"""
_PRICE = """\
def total(text):
    return sum(int(part) for part in text.split(","))


def discounted(price, percent):
    share = price * percent // 100
    return price - share


def free():
    return 0
"""
_SERVER = """\
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

from shop.price import total


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        asked = parse_qs(urlsplit(self.path).query)
        try:
            status, said = 200, str(total(asked.get("prices", ["0"])[0]))
        except ValueError:
            status, said = 500, "error"
        self.send_response(status)
        self.end_headers()
        self.wfile.write(said.encode())


HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
_TESTS = """\
import pytest
from shop.price import discounted, total


def test_a_sum():
    assert total("1,2") == 3
    with pytest.raises(ValueError):
        total("one")


def test_to_be_skipped():
    assert discounted(100, 10) == 90


def test_to_return_early():
    assert discounted(200, 10) == 180


def test_to_catch_all():
    assert discounted(300, 10) == 270


def test_to_assert_nothing():
    assert discounted(400, 10) == 360
"""
FILES: Final = {
    "shop/__init__.py": "",
    "shop/price.py": _PRICE,
    "shop/__main__.py": _SERVER,
    "tests/test_price.py": _TESTS,
    "tests/test_free.py": "from shop.price import free\n\n\ndef test_free():\n    assert free() == 0\n",
    "pytest.ini": "[pytest]\npythonpath = .\naddopts = --import-mode=importlib -p no:cacheprovider\n",
    "README.md": "# Shop\n",
    "CHANGELOG.md": "# Changes\n",
}
REPRODUCED: Final = "test_a_blank_price_counts_nothing"
REPRODUCTION: Final = f"""
def {REPRODUCED}(playwright, base_url):
    client = playwright.request.new_context(base_url=base_url)
    answer = client.get("/?prices=4,,5")
    assert answer.status == 200, answer.text()
    assert answer.text() == "9"
""".encode()

Changes = Mapping[str, str]
Edit = tuple[str, str, str]
"""A path, the text that stands there once, and what comes in its place; no such text: what comes is put at the end."""


def edited(*edits: Edit) -> Changes:
    """Return the files that these edits change, each with its new text."""
    found: dict[str, str] = {}
    for path, old, new in edits:
        text = found.get(path, FILES.get(path, ""))
        assert not old or text.count(old) == 1, (path, old)
        found[path] = text.replace(old, new) if old else text + new
    return found


FIX: Final[Edit] = ("shop/price.py", "int(part)", "int(part or 0)")
BREAKS_DISCOUNTS: Final[Edit] = ("shop/price.py", "percent // 100", "percent // 10")
_RENAMES: Final[Edit] = ("shop/price.py", "def free", "def nothing")
RED_TEST: Final[Edit] = ("tests/test_price.py", "", '\n\ndef test_a_blank():\n    assert total("1,,2") == 3\n')
_TOTAL: Final = "from shop.price import total\n\n\n"


def _weakened(price: int, now: str) -> tuple[Edit, ...]:
    """Put something else in the place of what asserts the discount of a price; braces stand for the assertion."""
    asserted = f"assert discounted({price}, 10) == {price * 9 // 10}"
    return (("tests/test_price.py", asserted, now.format(asserted)),)


NAMED: Final[Mapping[str, tuple[tuple[Edit, ...], Mapping[str, TestWord]]]] = {
    "skip": (
        _weakened(100, "pytest.skip('later')\n    {}"),
        {"tests.test_price::test_to_be_skipped": TestWord.CONTRADICTED},
    ),
    "early return": (
        _weakened(200, "return\n    {}"),
        {"tests.test_price::test_to_return_early": TestWord.CONTRADICTED},
    ),
    "catch-all": (
        _weakened(300, "try:\n        {}\n    except AssertionError:\n        pass"),
        {"tests.test_price::test_to_catch_all": TestWord.CONTRADICTED},
    ),
    "deleted assertion": (
        _weakened(400, "discounted(400, 10)"),
        {"tests.test_price::test_to_assert_nothing": TestWord.CONTRADICTED},
    ),
    "function that other code calls by its old name": (
        (_RENAMES, ("tests/test_free.py", "import free", "import nothing as free")),
        {"tests.test_free::test_free": TestWord.UNPROVABLE, "tests/test_free.py": TestWord.WEAK_RED},
    ),
    "test that asserts nothing": (
        (("tests/test_blank.py", "", f'{_TOTAL}def test_a_blank():\n    total("1,2")\n'),),
        {"tests/test_blank.py": TestWord.UNPROVEN},
    ),
}
"""By name: how the tests are changed beside a fix that breaks discounts, and the words that each test and file gets.

All of them fit into one change."""

_TOTAL_BEGINS: Final = "def total(text):\n"
STILL_RED: Final[Mapping[str, Changes]] = {
    "sleep": edited(("shop/price.py", _TOTAL_BEGINS, f"import time\n\n\n{_TOTAL_BEGINS}    time.sleep(0.1)\n")),
    "hard-coded value of another case": edited(
        ("shop/price.py", _TOTAL_BEGINS, f'{_TOTAL_BEGINS}    if text == "1,,2":\n        return 3\n')
    ),
}
"""By name: what leaves the reproduction red."""
HARD_CODED: Final = edited(
    ("shop/price.py", _TOTAL_BEGINS, f'{_TOTAL_BEGINS}    if text == "4,,5":\n        return 9\n')
)
"""Answers the reproduction's own value, and no other blank."""

_LYING_CONFTEST = """\
import pytest


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    outcome.get_result().outcome = "passed"
"""
_OWN_TESTS = ("price::test_to_be_skipped", "price::test_to_return_early", "price::test_to_catch_all")
_KNOWN = (*_OWN_TESTS, "price::test_a_sum", "price::test_to_assert_nothing", "free::test_free")
_FORGER = f"""\
import atexit
import os

KNOWN = [one.split("::") for one in {_KNOWN}]
PASSED = "".join(f'<testcase classname="tests.test_{{module}}" name="{{name}}"/>' for module, name in KNOWN)


def forge():
    with open("junit.xml", "w") as report:
        report.write(f"<testsuite>{{PASSED}}</testsuite>")
    os._exit(0)


atexit.register(forge)
"""
FORGED: Final[Mapping[str, Changes]] = {
    "conftest.py that turns failures into passes": edited(
        FIX, BREAKS_DISCOUNTS, ("tests/conftest.py", "", _LYING_CONFTEST)
    ),
    "test that writes report and exit code": edited(FIX, BREAKS_DISCOUNTS, ("tests/test_forge.py", "", _FORGER)),
}
"""By name: what makes the suite pass though discounts are broken; the base commit's tests are contradicted."""
NOT_FIXED: Final = edited(("conftest.py", "", _LYING_CONFTEST), ("NOTES.md", "", "Nothing is fixed.\n"))
"""No fix, and a conftest.py that turns every failure into a pass."""

_PATCHED_RUNNER = """\
import sys

if "_pytest.runner" in sys.modules:
    report = sys.modules["_pytest.reports"].TestReport
    made = report.from_item_and_call.__func__

    def passed(cls, item, call):
        found = made(cls, item, call)
        found.outcome = "passed"
        return found

    report.from_item_and_call = classmethod(passed)
"""
RUNNER: Final = edited(FIX, BREAKS_DISCOUNTS, RED_TEST, ("shop/__init__.py", "", _PATCHED_RUNNER))
"""Code of the product that turns every failure into a pass inside the test runner."""

_CASES: Final = f"""\
import pytest

{_TOTAL}@pytest.mark.parametrize("text", ["1,,2", ",3"])
def test_blanks(text):
    assert total(text) == 3
"""
_OF_DATA: Final = f"""\
from pathlib import Path

{_TOTAL}def test_a_file():
    text = Path(__file__).with_name("data").joinpath("blank.txt").read_text()
    assert total(text.strip()) == 3
"""
HARMLESS: Final[Mapping[str, tuple[Edit, ...]]] = {
    "a red test": (RED_TEST,),
    "a comment": (("shop/price.py", "def free", "# On the house.\ndef free"),),
    "another layout": (("shop/price.py", 'in text.split(",")', 'in text.split(\n        ","\n    )'),),
    "another local name": (
        ("shop/price.py", "share = price", "reduction = price"),
        ("shop/price.py", "price - share", "price - reduction"),
    ),
    "a type hint": (("shop/price.py", "def total(text)", "def total(text: str) -> int"),),
    "a function of its own": (
        ("shop/price.py", "return 0", "return _nothing()"),
        ("shop/price.py", "", "\n\ndef _nothing():\n    return 0\n"),
    ),
    "a module that the fix needs": (
        ("shop/price.py", "int(part or 0)", "number(part)"),
        ("shop/price.py", "def total", "from shop.number import number\n\n\ndef total"),
        ("shop/number.py", "", "def number(part):\n    return int(part or 0)\n"),
    ),
    "a page of the manual": (("README.md", "", "\nBlank prices count nothing.\n"),),
    "an entry of the changelog": (("CHANGELOG.md", "", "\n- Blank prices count nothing.\n"),),
    "a fixture": (("tests/conftest.py", "", "import pytest\n\n\n@pytest.fixture\ndef blank():\n    return ''\n"),),
    "a file of tests with cases": (("tests/test_blanks.py", "", _CASES),),
    "test data": (
        ("tests/data/blank.txt", "", "1,,2\n"),
        ("tests/test_data.py", "", _OF_DATA),
    ),
}
"""By name: what right fixes bring along. All of them fit into one change, beside the fix."""


def together(groups: Iterable[tuple[Edit, ...]]) -> tuple[Edit, ...]:
    """Return all edits of some rows, in their order."""
    return tuple(edit for group in groups for edit in group)
