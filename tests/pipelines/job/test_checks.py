"""A repository's own checks on patched code, also where the patch wants them to say what is not so.

The repository is small, everything else is real: git, users, processes, pytest, coverage.py.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from pipelines.job.isolation.processes import Launcher, make_root
from pipelines.job.suites.checks import run_checks
from pipelines.language import Coverage
from pipelines.language import TestWord as Word
from pipelines.language.repository import Commands
from tests.pipelines.job.shop import Shop

pytestmark = pytest.mark.integration

PYTEST = "pytest -q --disable-plugin-autoload --junitxml=junit.xml"
ALL = Commands(
    coverage=f"python -m coverage run --source=shop -m {PYTEST} tests/unit; "
    "code=$?; python -m coverage xml -q; exit $code",
    integration=f"python -m {PYTEST} tests/integration",
    lint="! grep -rn TODO shop",
)
PLAIN = Commands(test=f"python -m {PYTEST} tests")
"""All tests in one run, and no other checks."""
FILES = {
    "shop/__init__.py": "",
    "shop/price.py": """
        def total(prices, discount=0):
            if discount:
                return sum(prices) - discount
            return sum(prices)
    """,
    "tests/unit/test_price.py": """
        from shop.price import total

        def test_a_sum():
            assert total([1, 2]) == 3

        def test_nothing():
            assert total([]) == 0

        def test_no_tuple():
            assert total(()) == 0

        def test_known_to_fail():
            assert total([1]) == 2
    """,
    "tests/integration/test_shop.py": """
        from shop.price import total

        def test_a_basket():
            assert total([1, 2, 3]) == 6
    """,
    "pytest.ini": "[pytest]\npythonpath = .\naddopts = --import-mode=importlib -p no:cacheprovider\n",
}
Shops = Callable[[Commands], Shop]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Shops:
    """Find the baseline by some commands once: it is the same for every test."""
    found: dict[Commands, Shop] = {}

    def prepare(commands: Commands) -> Shop:
        if commands not in found:
            root = make_root()
            launcher = Launcher(root=root, job_id=1000 + os.getpid() * 13 % 1900)
            made = Shop(tmp_path_factory.mktemp("prepared"), launcher, files=FILES, commands=commands)
            made.prepare()
            launcher.end_all()
            shutil.rmtree(root)
            found[commands] = made
        return found[commands]

    return prepare


@pytest.fixture
def shop_with(tmp_path: Path, launcher: Launcher, prepared: Shops) -> Shops:
    def make(commands: Commands) -> Shop:
        made = Shop(tmp_path, launcher, files=FILES, commands=commands)
        known = prepared(commands)
        made.before, made.baseline = known.before, known.baseline
        return made

    return make


@pytest.fixture
def full(shop_with: Shops) -> Shop:
    """Return the shop with every check that a catalogue can have."""
    return shop_with(ALL)


@pytest.fixture
def shop(shop_with: Shops) -> Shop:
    """Return the shop with its tests only: all that most rules need, in one command."""
    return shop_with(PLAIN)


GOOD = FILES["shop/price.py"].replace("return sum(prices) - discount", "return max(0, sum(prices) - discount)")
BROKEN = FILES["shop/price.py"].replace("            return sum(prices)\n    ", "            return 7\n    ")
TESTED = (
    FILES["tests/unit/test_price.py"]
    + """
        def test_a_discount():
            assert total([1, 2], discount=5) == 0
    """
)


def test_the_baseline_knows_all_tests_coverage_and_lint(prepared: Shops) -> None:
    before = prepared(ALL).before
    assert before is not None
    assert before.baseline is not None
    assert before.integration is not None
    assert before.lint is not None
    assert (before.baseline.passed, before.baseline.failed, before.integration.passed) == (3, 1, 1)
    assert before.baseline.failing == ("tests.unit.test_price::test_known_to_fail",)
    assert (before.coverage, before.lint.exit_code) == (Coverage(covered=3, coverable=4), 0)


def test_what_the_catalogue_does_not_name_is_not_run(prepared: Shops) -> None:
    before = prepared(PLAIN).before
    assert before is not None
    assert before.baseline is not None
    assert (before.baseline.passed, before.lint, before.integration, before.coverage) == (4, None, None, None)


def test_a_good_patch_is_found_good_with_figures_of_the_lines_it_changes(full: Shop) -> None:
    found, worse = full.judge({"shop/price.py": GOOD, "tests/unit/test_price.py": TESTED})
    assert worse == ()
    assert (found.new_failures, found.missing, found.named) == ((), (), ())
    assert found.red_tests == ("tests.unit.test_price::test_a_discount",)
    assert found.coverage == Coverage(covered=4, coverable=4)
    assert found.changed_coverage == Coverage(covered=1, coverable=1)
    assert full.places == ["after", "base-tests", "old-code"]


UNREADABLE = Commands(test="echo '<testsuite><testcase' > junit.xml; exit 1")
"""All tests fail, and their report is broken, with any change and without one."""


def test_a_suite_that_fails_with_a_report_that_can_not_be_read_is_never_no_change(shop_with: Shops) -> None:
    shop = shop_with(UNREADABLE)
    assert shop.before is not None
    before = shop.before.baseline
    assert before is not None
    assert (before.exit_code, before.passed, before.failed, before.reports_unread) == (1, 0, 0, 1)
    _, worse = shop.judge({"shop/price.py": GOOD})
    assert [one for one in worse if "ended with 1 and a report could not be read" in one] != [], worse


def test_a_patch_without_tests_needs_no_second_run_and_lacks_coverage(full: Shop) -> None:
    found, worse = full.judge({"shop/price.py": GOOD})
    assert full.places == ["after"]
    assert found.changed_coverage == Coverage(covered=0, coverable=1)
    assert "Tests run 0 of the 1 changed lines" in worse[0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {
                "shop/price.py": BROKEN + "    # TODO: round\n",
                "shop/more.py": "def more():\n    a = 1\n    b = 2\n    return a + b\n",
                "tests/integration/test_shop.py": None,
            },
            (
                "3 tests fail that did not fail before",
                "Only 0 integration tests ran; 1 ran before",
                "Lint was clean before",
                "Coverage fell from 75.00 % to",
            ),
        ),
        (
            {"shop/price.py": GOOD, ".coveragerc": "[run]\nomit = shop/*\n"},
            ("no coverage report that can be read",),
        ),
    ],
    ids=["every check", "no coverage"],
)
def test_a_patch_that_makes_something_worse_is_found_out(
    full: Shop, changes: dict[str, str | None], words: tuple[str, ...]
) -> None:
    found, worse = full.judge(changes)
    assert [one for one in words if one not in " ".join(worse)] == [], worse
    assert [one.name for one in found.failed] == list(found.new_failures)
    assert [one for one in found.failed if not (one.message and one.file and one.line)] == []


ALL_PASSED = "".join(
    f'<testcase classname="tests.{place}" name="{name}"/>'
    for place, name in (
        ("unit.test_price", "test_a_sum"),
        ("unit.test_price", "test_nothing"),
        ("unit.test_price", "test_no_tuple"),
        ("unit.test_price", "test_known_to_fail"),
        ("integration.test_shop", "test_a_basket"),
    )
)
FORGER = f"""
    import atexit
    import os

    def forge():
        with open("junit.xml", "w") as report:
            report.write('<testsuite>{ALL_PASSED}</testsuite>')
        EXIT

    atexit.register(forge)
"""


BOMB = FORGER.replace("EXIT", "os._exit(0)").replace(
    "<testsuite>", '<!DOCTYPE t [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><testsuite name="&b;">'
)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (  # a report that is an attack on whoever reads it
            {"shop/price.py": BROKEN, "tests/unit/test_more.py": BOMB},
            "tests that ran before did not run",
        ),
        (  # code of the product writes the report: the exit code says otherwise
            {"shop/price.py": dedent(BROKEN) + dedent(FORGER.replace("EXIT", ""))},
            "ended with 1 though its report names no failing test",
        ),
        (  # a test that ends the process before the others can fail
            {
                "shop/price.py": BROKEN,
                "tests/unit/test_a_first.py": "import os\n\ndef test_first():\n    os._exit(0)\n",
            },
            "5 tests that ran before did not run",
        ),
        (  # a report that comes with the patch, as a file or in a folder of its name
            {"shop/price.py": BROKEN, "junit.xml": f"<testsuite>{ALL_PASSED}</testsuite>"},
            "4 tests fail that did not fail before",
        ),
        pytest.param(
            {"shop/price.py": BROKEN, "junit.xml/report.xml": "<testsuite/>"},
            "4 tests fail that did not fail before",
            marks=pytest.mark.nightly,
        ),
        (  # settings that make pytest find nothing
            {"shop/price.py": BROKEN, "pytest.ini": FILES["pytest.ini"] + "python_files = none_*.py\n"},
            "tests that ran before did not run",
        ),
        pytest.param(  # settings that expect failures
            {
                "shop/price.py": BROKEN,
                "conftest.py": "import pytest\n\ndef pytest_collection_modifyitems(items):\n"
                "    for item in items:\n        item.add_marker(pytest.mark.xfail)\n",
            },
            "tests that ran before did not run",
            marks=pytest.mark.nightly,
        ),
    ],
    ids=[
        "bomb",
        "product",
        "exit",
        "file",
        "folder",
        "finds-nothing",
        "xfail",
    ],
)
def test_a_passing_report_forged_from_inside_the_tests_is_not_believed(
    shop: Shop, changes: dict[str, str | None], words: str
) -> None:
    _, worse = shop.judge(changes)
    assert words in " ".join(worse)


BASE_TESTS = (
    *(f"tests.unit.test_price::test_{name}" for name in ("a_sum", "nothing", "no_tuple", "known_to_fail")),
    "tests.integration.test_shop::test_a_basket",
)


def test_contradicted_tests_are_named_with_what_they_said_and_say_now_and_may_go(shop: Shop) -> None:
    corrected = (
        TESTED.replace("assert total([]) == 0", "assert total([]) == 1")
        .replace("test_no_tuple", "test_a_tuple")
        .replace("total(()) == 0", "total(()) == 1")
    )
    code = GOOD.replace("return sum(prices)\n", "return sum(prices) or 1\n")
    found, worse = shop.judge({"shop/price.py": code, "tests/unit/test_price.py": corrected})
    assert worse == ()
    gone, edited = found.named
    assert (gone.name, gone.word) == ("tests.unit.test_price::test_no_tuple", Word.CONTRADICTED)
    assert (edited.name, edited.word) == ("tests.unit.test_price::test_nothing", Word.CONTRADICTED)
    assert "assert 1 == 0" in edited.asserted
    assert "-    assert total([]) == 0\n+    assert total([]) == 1\n" in edited.change
    assert (found.base_passed, found.base_tests) == (2, 4)


def test_a_test_that_holds_may_not_go_by_another_name(shop: Shop) -> None:
    found, worse = shop.judge(
        {"shop/price.py": GOOD, "tests/unit/test_price.py": TESTED.replace("test_a_sum", "test_a_total")}
    )
    assert found.missing == ("tests.unit.test_price::test_a_sum",)
    assert "Tests must not vanish" in worse[0]


def test_base_tests_that_do_not_load_against_the_change_are_unprovable(shop: Shop) -> None:
    found, worse = shop.judge(
        {
            "shop/price.py": GOOD.replace("def total", "def total_of"),
            "tests/unit/test_price.py": TESTED.replace("import total", "import total_of as total"),
            "tests/integration/test_shop.py": FILES["tests/integration/test_shop.py"].replace(
                "import total", "import total_of as total"
            ),
        }
    )
    assert worse == ()
    assert {one.name: one.word for one in found.named if "::" in one.name} == dict.fromkeys(BASE_TESTS, Word.UNPROVABLE)
    assert found.base_passed == 0


def test_changed_tests_that_do_not_load_on_the_old_code_are_weak_red(shop: Shop) -> None:
    later = """
        from shop.price import average

        def test_an_average():
            assert average([1, 3]) == 2
    """
    code = GOOD + "\n        def average(prices):\n            return total(prices) / len(prices)\n"
    found, worse = shop.judge(
        {
            "shop/price.py": code,
            "tests/unit/test_price.py": FILES["tests/unit/test_price.py"] + "\n        # rounded\n",
            "tests/unit/test_average.py": later,
        }
    )
    assert worse == ()
    assert {one.name: one.word for one in found.named} == {
        "tests/unit/test_price.py": Word.WEAK_RED,
        "tests/unit/test_average.py": Word.WEAK_RED,
    }


FAILS_ONCE = """
    from pathlib import Path

    def total(prices, discount=0):
        seen = Path("{seen}")
        first = len(prices) == 3 and not (seen.exists() and seen.read_text())
        if len(prices) == 3:
            seen.write_text("x")
        return 0 if first else max(0, sum(prices) - discount)
"""


def test_a_failure_that_does_not_come_back_in_fresh_checkouts_is_named_and_forgiven(
    shop: Shop, launcher: Launcher
) -> None:
    luck = launcher.root / "luck"  # seen from every checkout and nobody's to take away, as luck is
    luck.touch()
    luck.chmod(0o666)
    found, worse = shop.judge({"shop/price.py": FAILS_ONCE.replace("{seen}", str(luck))})
    assert worse == ()
    assert found.suite is not None
    assert (found.suite.failed, found.suite.flaky) == (2, ("tests.integration.test_shop::test_a_basket",))
    assert shop.places == ["after", "again-1-unit", "again-2-unit"]


def test_a_failure_that_only_a_used_checkout_forgets_is_not_forgiven(shop: Shop) -> None:
    found, worse = shop.judge({"shop/price.py": FAILS_ONCE.replace("{seen}", "seen")})
    assert found.new_failures == ("tests.integration.test_shop::test_a_basket",)
    assert "1 test fails that did not fail before the patch" in worse[0]


def test_a_coverage_command_without_a_report_of_its_tests_does_not_stand_in_for_them(
    tmp_path: Path, launcher: Launcher
) -> None:
    measure = "python -m coverage run --source=shop -m pytest -q tests; python -m coverage xml -q"
    commands = Commands(test=PLAIN.test, coverage=measure)
    ran = run_checks(Shop(tmp_path, launcher, files=FILES, commands=commands).place("alone")).unit
    assert ran is not None
    assert (ran.command, len(ran.outcomes), ran.measured is not None) == (PLAIN.test, 5, True)
