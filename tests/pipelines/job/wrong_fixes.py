"""The table of wrong fixes and of harmless changes: a small shop, what is changed in it, what is said. Data only."""

from __future__ import annotations

CATALOGUE = """\
version: 1
automation: {project: payk12/bug-fix}
jira: {project: PL, start: {allowed: ["group:payk12-developers"]}}
repositories:
  shop:
    project: payk12/shop
    stack: python
    commands:
      install: python -m compileall -q shop
      test: python -m pytest -q --disable-plugin-autoload --junitxml=junit.xml tests
    serve: {run: python -m shop, ready: "http://127.0.0.1:$PORT/health"}
"""
PRICE = """\
def total(text):
    return sum(int(part) for part in text.split(","))


def discounted(price, percent):
    return price - price * percent // 100
"""
SERVER = """\
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
ASSERTED = "    assert discounted(100, 10) == 90"
DISCOUNT = f"\n\ndef test_a_discount():\n{ASSERTED}\n"
IMPORT = "from shop.price import total\n"
SUM = '\n\ndef test_a_sum():\n    assert total("1,2") == 3\n'
TESTS = f"from shop.price import discounted, total\n{SUM}{DISCOUNT}"
FILES = {
    "shop/__init__.py": "",
    "shop/price.py": PRICE,
    "shop/__main__.py": SERVER,
    "tests/test_price.py": TESTS,
    "pytest.ini": "[pytest]\npythonpath = .\naddopts = --import-mode=importlib -p no:cacheprovider\n",
    "README.md": "# Shop\n",
    "CHANGELOG.md": "# Changes\n",
}
REPRODUCTION = b"""
def test_a_blank_price_counts_nothing(playwright, base_url):
    client = playwright.request.new_context(base_url=base_url)
    answer = client.get("/?prices=4,,5")
    assert answer.status == 200, answer.text()
    assert answer.text() == "9"
"""

FIXED = PRICE.replace("int(part)", "int(part or 0)")
BROKEN = FIXED.replace("price * percent // 100", "price * percent // 10")
"""Fixes the bug, and breaks discounts."""
RED_TEST = '\n\ndef test_a_blank():\n    assert total("1,,2") == 3\n'
LYING_CONFTEST = """\
import pytest


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    outcome.get_result().outcome = "passed"
"""
FORGER = """\
import atexit
import os

NAMES = ("test_a_sum", "test_a_discount")
PASSED = "".join(f'<testcase classname="tests.test_price" name="{name}"/>' for name in NAMES)


def forge():
    with open("junit.xml", "w") as report:
        report.write(f"<testsuite>{PASSED}</testsuite>")
    os._exit(0)


atexit.register(forge)
"""
PATCHED_RUNNER = """\
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
Changes = dict[str, str]


def broken(**files: str) -> Changes:
    """Break discounts, and change one more file."""
    return {"shop/price.py": BROKEN, **files}


def retested(now: str, *, head: str = "") -> Changes:
    """Break discounts, and put this in the place of what asserts them."""
    return broken(**{"tests/test_price.py": head + TESTS.replace(ASSERTED, now)})


WRONG: dict[str, tuple[Changes, str]] = {
    "skip": (
        retested(f"    pytest.skip('later')\n{ASSERTED}", head="import pytest\n"),
        "test_a_discount: red on the changed code with the base commit's files",
    ),
    "early return": (retested(f"    return\n{ASSERTED}"), "(contradicted)"),
    "sleep": (
        {"shop/price.py": "import time\n\n\n" + PRICE.replace("    return sum", "    time.sleep(0.1)\n    return sum")},
        "The reproduction still fails",
    ),
    "catch-all": (
        retested(f"    try:\n    {ASSERTED}\n    except AssertionError:\n        pass"),
        "(contradicted)",
    ),
    "hard-coded value": (
        {"shop/price.py": PRICE.replace("    return sum", '    if text == "1,,2":\n        return 3\n    return sum')},
        "The reproduction still fails",
    ),
    "deleted assertion": (retested("    discounted(100, 10)"), "(contradicted)"),
    "changed conftest": (broken(**{"tests/conftest.py": LYING_CONFTEST}), "(contradicted)"),
    "monkeypatched runner": (
        broken(**{"shop/__init__.py": PATCHED_RUNNER, "tests/test_blank.py": IMPORT + RED_TEST}),
        "shop/__init__.py: no effect on the reproduction or the new tests (unexplained)",
    ),
    "forged report": (broken(**{"tests/test_forge.py": FORGER}), "(contradicted)"),
    "test that asserts nothing": (
        {"shop/price.py": FIXED, "tests/test_blank.py": f'{IMPORT}\n\ndef test_a_blank():\n    total("1,2")\n'},
        "tests/test_blank.py: changed, and no test in it is red on the old code (unproven)",
    ),
}
"""By name: what is changed, and what has to be said of it."""

HARMLESS: dict[str, Changes] = {
    "a red test, two documents, a comment, a layout, a local name, a helper, a hint": {
        "shop/price.py": FIXED.replace("def total(text)", "# Blanks count nothing.\ndef total(text: str)")
        .replace("part", "piece")
        .replace("    return sum(int(piece or 0)", "    return sum(\n        _number(piece)")
        .replace('text.split(","))', 'text.split(",")\n    )')
        + "\n\ndef _number(piece):\n    return int(piece or 0)\n",
        "tests/test_price.py": TESTS + RED_TEST,
        "README.md": "# Shop\n\nBlank prices count nothing.\n",
        "CHANGELOG.md": "# Changes\n\n- Blank prices count nothing.\n",
    },
    "a needed module, a fixture, cases, test data, a new file of tests": {
        "shop/price.py": "from shop.number import number\n\n\n" + FIXED.replace("int(part or 0)", "number(part)"),
        "shop/number.py": "def number(part):\n    return int(part or 0)\n",
        "tests/conftest.py": "import pytest\n\n\n@pytest.fixture\ndef blank():\n    return ''\n",
        "tests/data/blank.txt": "1,,2\n",
        "tests/test_blank.py": f"from pathlib import Path\n\nimport pytest\n\n{IMPORT}\n\n"
        '@pytest.mark.parametrize("text", ["1,,2", ",3"])\n'
        "def test_blanks(text, blank):\n    assert total(text + blank) == 3\n\n\n"
        "def test_a_file():\n"
        '    text = Path(__file__).with_name("data").joinpath("blank.txt").read_text()\n'
        "    assert total(text.strip()) == 3\n",
    },
}
"""Together more than ten things that fixes bring along; a remark on one of them would fail its row."""
