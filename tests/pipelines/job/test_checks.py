"""A repository's own checks on patched code, also where the patch wants them to say what is not so.

The repository is small, everything else is real: git, users, processes, pytest, coverage.py.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import textwrap
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from pipelines.catalogue.file import read
from pipelines.job.isolation.processes import Launcher, Role, make_root
from pipelines.job.reporting.job_log import JobLog
from pipelines.job.reports.line_coverage import in_all
from pipelines.job.suites.checks import Findings, TestedChange, examine, measured_lines, run_checks
from pipelines.job.suites.suite import run_again
from pipelines.job.workspace.changes import collect_changes, make_changes
from pipelines.job.workspace.checkout import Checkout
from pipelines.job.workspace.job_files import Artifacts
from pipelines.job.workspace.repositories import Source, check_out, fetch, read_file, read_tree
from pipelines.language import Baseline, Coverage, Phase, PrepareResult, Proof
from pipelines.language import TestingResult as PatchTested
from pipelines.language import TestWord as Word
from pipelines.language.catalogue import Commands, Policy
from pipelines.language.change_set import ChangeSet
from pipelines.patch import contents, size_of
from pipelines.proof.known_tests import baseline_result, known_tests
from pipelines.proof.regression import Comparison, regressions

pytestmark = pytest.mark.integration

UNIT = "python -m pytest -q --disable-plugin-autoload --junitxml=junit.xml tests/unit"
COMMANDS = Commands(
    coverage="python -m coverage run --source=shop -m pytest -q --disable-plugin-autoload --junitxml=junit.xml "
    "tests/unit; code=$?; python -m coverage xml -q; exit $code",
    integration="python -m pytest -q --disable-plugin-autoload --junitxml=junit.xml tests/integration",
    lint="! grep -rn TODO shop",
)
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


class Shop:
    """The repository, its baseline, and what its checks say of a patch."""

    def __init__(self, root: Path, launcher: Launcher, commands: Commands) -> None:
        (repository,) = read(CATALOGUE, source="bug-fix.yml").repositories.values()
        self._launcher = launcher
        self._repository = replace(repository, stack=replace(repository.stack, commands=commands))
        self._root = root
        self._source = self._committed()
        self.baseline = Baseline()
        self.before: PrepareResult | None = None
        self.places: list[str] = []
        """Names of the checkouts that were made."""

    def _committed(self) -> Source:
        folder = self._root / "origin"
        for name, text in FILES.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(textwrap.dedent(text).lstrip("\n"))
        for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "Base"]):
            named = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
            subprocess.run(["git", *named, *command], cwd=folder, check=True)
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True)
        sha = head.stdout.strip()
        return fetch(
            self._launcher.root, repository=self._repository.project, base_sha=sha, url=f"file://{folder}", token=""
        )

    def place(self, name: str, *, change: ChangeSet | None = None, without: Sequence[str] = ()) -> Checkout:
        self.places.append(name)
        self._launcher.renew(Role.APPLICATION)
        made = Checkout(
            name=name,
            role=Role.APPLICATION,
            repository=self._repository,
            launcher=self._launcher,
            artifacts=Artifacts(self._root, Phase.TESTING),
            log=JobLog(),
        )
        check_out(self._source, made.folder)
        if change is not None:
            make_changes(self._source, made.folder, change, without=without)
        made.settle(self._root)
        return made

    def prepare(self) -> PrepareResult:
        """Find the baseline as the job of that name does."""
        place, again = self.place("before"), self.place("before-again")
        first = run_checks(place)
        lines = measured_lines(first.unit, place, read_tree(self._source))
        assert first.unit is not None
        assert first.integration is not None
        unit, integration = (
            known_tests(ran, run_again(again, ran, label="again")) for ran in (first.unit, first.integration)
        )
        self.baseline = Baseline(unit=unit, integration=integration)
        self.before = PrepareResult(
            base_sha=self._source.base_sha,
            baseline=baseline_result(first.unit, unit),
            integration=baseline_result(first.integration, integration),
            coverage=None if lines is None else in_all(lines),
            lint=first.lint,
        )
        self.places.clear()
        return self.before

    def judge(self, changes: dict[str, str | None], policy: Policy | None = None) -> tuple[Findings, tuple[str, ...]]:
        """Return what the checks find when these files are changed, and what the rules say of it."""
        work = self.place("work")
        for name, text in changes.items():
            path = work.folder / name
            if text is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text).lstrip("\n"))
        self._launcher.give(work.folder, Role.APPLICATION)
        change = collect_changes(self._source, work.folder, launcher=self._launcher, role=Role.APPLICATION)
        texts = contents(change.files, lambda path: read_file(self._source, path))
        self.places.clear()
        found = examine(
            self.place("after", change=change),
            change=TestedChange(
                change_set=change,
                paths=(*read_tree(self._source), *(file.path for file in change.files)),
                texts={one.path: (one.before, one.after) for one in texts},
            ),
            known=self.baseline,
            fresh=lambda name, without: self.place(name, change=change, without=without),
        )
        tested = PatchTested(
            base_sha=self._source.base_sha,
            patch_sha256="b" * 64,
            test_sha256="c" * 64,
            reproduction_before_failed=True,
            reproduction_after_passed=True,
            suite=found.suite,
            integration=found.integration,
            new_failures=found.new_failures,
            missing=found.missing,
            proof=Proof(tests=found.named, red_tests=found.red_tests),
            coverage=found.coverage,
            changed_coverage=found.changed_coverage,
            lint=found.lint,
        )
        comparison = Comparison(
            before=self.before, after=tested, policy=policy or Policy(), removed=size_of(texts).deletions
        )
        return found, regressions(comparison)


CATALOGUE = """\
version: 1
automation: {project: payk12/bug-fix}
jira: {project: PL, start: {allowed: ["group:payk12-developers"]}}
repositories:
  shop: {project: payk12/shop, stack: python}
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Find the baseline once: it is the same for every test."""
    root = make_root()
    launcher = Launcher(root=root, job_id=1000 + os.getpid() * 13 % 1900)
    made = Shop(tmp_path_factory.mktemp("prepared"), launcher, COMMANDS)
    made.prepare()
    launcher.end_all()
    shutil.rmtree(root)
    return made


@pytest.fixture
def shop(tmp_path: Path, launcher: Launcher, prepared: Shop) -> Shop:
    made = Shop(tmp_path, launcher, COMMANDS)
    made.before, made.baseline = prepared.before, prepared.baseline
    return made


GOOD = FILES["shop/price.py"].replace("return sum(prices) - discount", "return max(0, sum(prices) - discount)")
BROKEN = FILES["shop/price.py"].replace("            return sum(prices)\n    ", "            return 7\n    ")
BROKEN_FOR_UNITS = FILES["shop/price.py"].replace(
    "            return sum(prices)\n    ", "            return sum(prices) or 9\n    "
)
TESTED = (
    FILES["tests/unit/test_price.py"]
    + """
        def test_a_discount():
            assert total([1, 2], discount=5) == 0
    """
)


def test_the_baseline_knows_all_tests_coverage_and_lint(prepared: Shop) -> None:
    before = prepared.before
    assert before is not None
    assert before.baseline is not None
    assert before.integration is not None
    assert before.lint is not None
    assert (before.baseline.passed, before.baseline.failed, before.integration.passed) == (2, 1, 1)
    assert before.baseline.failing == ("tests.unit.test_price::test_known_to_fail",)
    assert (before.coverage, before.lint.exit_code) == (Coverage(covered=3, coverable=4), 0)


def test_a_good_patch_is_found_good_with_figures_of_the_lines_it_changes(shop: Shop) -> None:
    found, worse = shop.judge({"shop/price.py": GOOD, "tests/unit/test_price.py": TESTED})
    assert worse == ()
    assert (found.new_failures, found.missing, found.named) == ((), (), ())
    assert found.red_tests == ("tests.unit.test_price::test_a_discount",)
    assert found.coverage == Coverage(covered=4, coverable=4)
    assert found.changed_coverage == Coverage(covered=1, coverable=1)
    assert shop.places == ["after", "base-tests", "old-code"]


def test_a_patch_without_tests_needs_no_second_run_and_lacks_coverage(shop: Shop) -> None:
    found, worse = shop.judge({"shop/price.py": GOOD})
    assert shop.places == ["after"]
    assert found.changed_coverage == Coverage(covered=0, coverable=1)
    assert "Tests run 0 of the 1 changed lines" in worse[0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"shop/price.py": BROKEN}, "3 tests fail that did not fail before"),
        ({"tests/integration/test_shop.py": None}, "Only 0 integration tests ran; 1 ran before"),
        ({"shop/price.py": GOOD + "    # TODO: round\n", "tests/unit/test_price.py": TESTED}, "Lint was clean before"),
        (
            {"shop/price.py": GOOD, "tests/unit/test_price.py": TESTED, ".coveragerc": "[run]\nomit = shop/*\n"},
            "no coverage report that can be read",
        ),
        (
            {"shop/more.py": "def more():\n    a = 1\n    b = 2\n    return a + b\n"},
            "Coverage fell from 75.00 % to",
        ),
    ],
)
def test_a_patch_that_makes_something_worse_is_found_out(
    shop: Shop, changes: dict[str, str | None], words: str
) -> None:
    _, worse = shop.judge(changes)
    assert words in " ".join(worse)


ALL_PASSED = "".join(
    f'<testcase classname="tests.unit.test_price" name="{name}"/>'
    for name in ("test_a_sum", "test_nothing", "test_known_to_fail")
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
            {"shop/price.py": BROKEN_FOR_UNITS, "tests/unit/test_more.py": BOMB},
            "tests that ran before did not run",
        ),
        (  # code of the product writes the report: the exit code says otherwise
            {"shop/price.py": BROKEN + FORGER.replace("EXIT", "")},
            "tests.integration.test_shop",
        ),
        (  # a test that ends the process before the others can fail
            {
                "shop/price.py": BROKEN,
                "tests/unit/test_a_first.py": "import os\n\ndef test_first():\n    os._exit(0)\n",
            },
            "3 tests that ran before did not run",
        ),
        (  # a report that comes with the patch, as a file or in a folder of its name
            {"shop/price.py": BROKEN, "junit.xml": f"<testsuite>{ALL_PASSED}</testsuite>"},
            "3 tests fail that did not fail before",
        ),
        ({"shop/price.py": BROKEN, "junit.xml/report.xml": "<testsuite/>"}, "3 tests fail that did not fail before"),
        (  # settings that make pytest find nothing
            {"shop/price.py": BROKEN, "pytest.ini": FILES["pytest.ini"] + "python_files = none_*.py\n"},
            "tests that ran before did not run",
        ),
        (  # settings that expect failures
            {
                "shop/price.py": BROKEN,
                "conftest.py": "import pytest\n\ndef pytest_collection_modifyitems(items):\n"
                "    for item in items:\n        item.add_marker(pytest.mark.xfail)\n",
            },
            "tests that ran before did not run",
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


UNITS = ("tests.unit.test_price::test_a_sum", "tests.unit.test_price::test_nothing")


def test_a_corrected_expectation_is_contradicted_with_what_it_said_and_says_now(shop: Shop) -> None:
    corrected = TESTED.replace("assert total([]) == 0", "assert total([]) == 1")
    code = GOOD.replace("return sum(prices)\n", "return sum(prices) or 1\n")
    found, worse = shop.judge({"shop/price.py": code, "tests/unit/test_price.py": corrected})
    assert worse == ()
    (one,) = found.named
    assert (one.name, one.word) == ("tests.unit.test_price::test_nothing", Word.CONTRADICTED)
    assert "assert 1 == 0" in one.asserted
    assert "-    assert total([]) == 0\n+    assert total([]) == 1\n" in one.change
    assert (found.base_passed, found.base_tests) == (2, 3)


def test_a_contradicted_test_may_go(shop: Shop) -> None:
    code = GOOD.replace("return sum(prices)\n", "return sum(prices) or 1\n")
    renamed = TESTED.replace("test_nothing", "test_none").replace("total([]) == 0", "total([]) == 1")
    found, worse = shop.judge({"shop/price.py": code, "tests/unit/test_price.py": renamed})
    assert (worse, [one.name for one in found.named]) == ((), ["tests.unit.test_price::test_nothing"])


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
    assert {one.word for one in found.named if "::" in one.name} == {Word.UNPROVABLE}
    assert set(UNITS) < {one.name for one in found.named}
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


def test_an_edit_of_tests_without_a_red_one_is_unproven(shop: Shop) -> None:
    edited = FILES["tests/unit/test_price.py"] + "\n        # rounded\n"
    found, _ = shop.judge({"shop/price.py": GOOD, "tests/unit/test_price.py": edited})
    assert [(one.name, one.word) for one in found.named] == [("tests/unit/test_price.py", Word.UNPROVEN)]


FAILS_ONCE = """
    from pathlib import Path

    def total(prices, discount=0):
        seen = Path("{seen}")
        first = len(prices) == 3 and not seen.exists()
        if len(prices) == 3:
            seen.touch()
        return 0 if first else max(0, sum(prices) - discount)
"""


def test_a_failure_that_does_not_come_back_in_fresh_checkouts_is_named_and_forgiven(
    shop: Shop, launcher: Launcher
) -> None:
    luck = launcher.root / "luck"  # seen from every checkout, as luck is
    luck.mkdir()
    luck.chmod(0o777)
    found, worse = shop.judge({"shop/price.py": FAILS_ONCE.replace("{seen}", str(luck / "seen"))})
    assert worse == ()
    assert found.integration is not None
    assert (found.integration.failed, found.integration.flaky) == (1, ("tests.integration.test_shop::test_a_basket",))
    assert shop.places == ["after", "again-1-integration", "again-2-integration"]


def test_a_failure_that_only_a_used_checkout_forgets_is_not_forgiven(shop: Shop) -> None:
    found, worse = shop.judge({"shop/price.py": FAILS_ONCE.replace("{seen}", "seen")})
    assert found.new_failures == ("tests.integration.test_shop::test_a_basket",)
    assert "1 test fails that did not fail before the patch" in worse[0]


def test_what_the_catalogue_does_not_name_is_not_run(tmp_path: Path, launcher: Launcher) -> None:
    made = Shop(tmp_path, launcher, Commands(test=UNIT))
    checked = run_checks(made.place("alone"))
    assert checked.unit is not None
    assert (checked.lint, checked.integration, checked.unit.measured) == (None, None, None)


def test_a_coverage_command_without_a_report_of_its_tests_does_not_stand_in_for_them(
    tmp_path: Path, launcher: Launcher
) -> None:
    measure = "python -m coverage run --source=shop -m pytest -q tests; python -m coverage xml -q"
    ran = run_checks(Shop(tmp_path, launcher, Commands(test=UNIT, coverage=measure)).place("alone")).unit
    assert ran is not None
    assert (ran.command, len(ran.outcomes), ran.measured is not None) == (UNIT, 3, True)
