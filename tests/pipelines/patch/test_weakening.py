"""Patches that take tests away or make them weaker are refused; those that only move or mend them are not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipelines.patch import Examination

Examined = Callable[..., Examination]

PYTHON = """\
    import pytest

    from shop.prices import total


    @pytest.mark.parametrize("amount", [1, 2, 3])
    def test_amounts(amount):
        assert total([amount]) == amount


    class TestTotal:
        def test_two(self):
            # adds up
            assert total([1, 2]) == 3
            assert total([]) == 0

        def test_negative(self):
            with pytest.raises(ValueError):
                total([-1])
    """
TYPESCRIPT = """\
    import { expect, test } from "vitest";
    import { total } from "../src/prices";

    describe("total", () => {
      test.each([
        [1, 1],
        [2, 2],
      ])("of one: %s", (amount, sum) => {
        expect(total([amount])).toBe(sum);
      });

      it("adds up", async () => {
        expect(total([1, 2])).toBe(3);
        expect(total([])).toBe(0);
      });
    });

    test("refuses what's negative", () => {
      expect(() => total([-1])).toThrow(/negative/);
    });
    """
CSHARP = """\
    using Xunit;

    public class TotalTests
    {
        [Theory]
        [InlineData(1)]
        [InlineData(2)]
        public void OfOne(int amount)
        {
            Assert.Equal(amount, Prices.Total(new[] { amount }));
        }

        [Fact]
        public async Task AddsUp()
        {
            Assert.Equal(3, await Prices.Total(new[] { 1, 2 }));
            Assert.Empty(Prices.All());
        }

        [InlineData(-1)]
        [InlineData(-2)]
        [Theory]
        public void Refuses(int amount)
        {
            Assert.Throws<ArgumentException>(() => Prices.Total(new[] { amount }));
        }

        [Fact]
        public void RefusesNegative() => Assert.Throws<ArgumentException>(() => Prices.Total(new[] { -1 }));
    }
    """
GO = """\
    package shop

    func TestTotal(t *testing.T) {
    \tif Total(1, 2) != 3 {
    \t\tt.Fatal("total")
    \t}
    }
    """
FILES = {
    "tests/test_prices.py": PYTHON,
    "web/src/prices.test.ts": TYPESCRIPT,
    "Api.Tests/TotalTests.cs": CSHARP,
    "shop/total_test.go": GO,
}
PY, TS, CS, GO_FILE = FILES

WEAKER = [
    # tests that are gone
    (PY, ("    def test_negative(self):\n", "    def check_negative(self):\n"), "the test `test_negative` is gone"),
    (PY, ("    def test_negative", "    # def test_negative"), "gone"),
    (TS, ('    it("adds up", async', '    notATest("adds up", async'), "the test `adds up` is gone"),
    (TS, ('  test("refuses', '  // test("refuses'), "gone"),
    (CS, ("        [Fact]\n        public void Refuses", "        public void Refuses"), "`RefusesNegative` is gone"),
    (GO_FILE, ("func TestTotal", "func testTotal"), "the test `TestTotal` is gone"),
    # fewer assertions
    (PY, ("            assert total([]) == 0\n", ""), "the test `test_two` asserts less than before (1 instead of 2"),
    (PY, ("with pytest.raises(ValueError):", "if True:"), "`test_negative` asserts less"),
    (TS, ("        expect(total([])).toBe(0);\n", ""), "the test `adds up` asserts less than before (1 instead of 2"),
    (TS, ("expect(total([])).toBe(0);", "// expect(total([])).toBe(0);"), "asserts less"),
    (TS, ("expect(total([])).toBe(0);", "String('expect(total([])).toBe(0);');"), "asserts less"),
    (CS, ("            Assert.Empty(Prices.All());\n", ""), "the test `AddsUp` asserts less"),
    (GO_FILE, ('t.Fatal("total")', 't.Log("total")'), "asserts less"),
    # fewer cases
    (PY, ("[1, 2, 3]", "[1, 2]"), "the test `test_amounts` is run with 2 instead of 3 cases"),
    (TS, ("        [2, 2],\n", ""), "is run with 1 instead of 2 cases"),
    (CS, ("        [InlineData(2)]\n", ""), "the test `OfOne` is run with 1 instead of 2 cases"),
    (CS, ("        [InlineData(-1)]\n", ""), "the test `Refuses` is run with 1 instead of 2 cases"),
    # skipped, alone, retried
    (PY, ("    def test_two", "    @pytest.mark.skip(reason='flaky')\n        def test_two"), "line 12 skips a test"),
    (PY, ("    @pytest.mark.param", "    @pytest.mark.xfail\n    @pytest.mark.param"), "line 6 skips a test"),
    (PY, ("        # adds up", "        pytest.skip()"), "line 13 skips a test"),
    (PY, ("    class TestTotal:\n", "    class TestTotal:\n        __test__ = False\n\n"), "skips a test"),
    (PY, ("    class TestTotal", "    @unittest.skipIf(True, 'no')\n    class TestTotal"), "skips a test"),
    (PY, ("    class TestTotal", "    @pytest.mark.flaky(reruns=5)\n    class TestTotal"), "runs a test again"),
    (TS, ('it("adds', 'it.skip("adds'), "line 12 skips a test"),
    (TS, ('it("adds', 'xit("adds'), "skips a test"),
    (TS, ('it("adds', 'it.only("adds'), "line 12 lets a runner leave out all other tests"),
    (TS, ('    describe("total"', '    describe.skip("total"'), "line 4 skips a test"),
    (TS, ('    describe("total"', '    xdescribe("total"'), "line 4 skips a test"),
    (TS, ("        expect(total([1, 2])", "        test.fixme();\n        expect(total([1, 2])"), "skips a test"),
    (TS, ("    describe(", "    jest.retryTimes(3);\n    describe("), "runs a test again until it passes"),
    (TS, ('("refuses', '.todo("refuses'), "skips a test"),
    (CS, ("[Fact]\n        public async", '[Fact(Skip = "flaky")]\n        public async'), "line 13 skips a test"),
    (CS, ("        [InlineData(1)]", "        [Ignore]\n        [InlineData(1)]"), "skips a test"),
    (CS, ("            Assert.Empty", "            Assert.Inconclusive();\n            Assert.Empty"), "skips a test"),
    (CS, ("        [InlineData(1)]", "        [Retry(3)]\n        [InlineData(1)]"), "runs a test again"),
    (GO_FILE, ("\tif Total", "\tt.Skip()\n\tif Total"), "line 4 skips a test"),
    # assertions of nothing
    (PY, ("assert total([]) == 0", "assert True"), "line 15 asserts what is always true"),
    (PY, ("assert total([]) == 0", "assert total([]) == 0 or True"), "asserts what is always true"),
    (TS, ("expect(total([])).toBe(0)", "expect(true).toBe(true)"), "line 14 asserts what is always true"),
    (TS, ("expect(total([])).toBe(0)", "expect(1).toBeTruthy()"), "asserts what is always true"),
    (CS, ("Assert.Empty(Prices.All());", "Assert.True(true);"), "asserts what is always true"),
    # the end before the end, failures that nobody sees
    (PY, ("            assert total([]) == 0", "            return\n            assert total([]) == 0"), "ends a test"),
    (TS, ("        expect(total([])).toBe(0);", "        return;\n        expect(total([])).toBe(0);"), "ends a test"),
    (
        PY,
        (
            "            assert total([]) == 0\n",
            "            try:\n                assert total([]) == 0\n            except:\n                pass\n",
        ),
        "swallows the failure",
    ),
    (TS, ("expect(total([])).toBe(0);", "try { expect(total([])).toBe(0); } catch (e) {}"), "swallows the failure"),
    (CS, ("Assert.Empty(Prices.All());", "try { Assert.Empty(Prices.All()); } catch { }"), "swallows the failure"),
]


@pytest.mark.parametrize(("file", "change", "sentence"), WEAKER)
def test_a_weaker_test_is_refused(examined: Examined, file: str, change: tuple[str, str], sentence: str) -> None:
    assert FILES[file].count(change[0]) == 1, "the change is one"
    found = examined(FILES, {file: FILES[file].replace(*change)}).refused
    assert [one for one in found if sentence in one], found
    assert all(one.startswith(f"`{file}`") and one.endswith(".") for one in found)


NEW_TESTS = {
    PY: "\n    def test_new():\n        assert total([5]) == 5\n        assert total([6]) == 6\n",
    TS: '\n    test("new", () => {\n      expect(total([5])).toBe(5);\n      expect(total([6])).toBe(6);\n    });\n',
}


@pytest.mark.parametrize(("file", "change"), [(one[0], one[1]) for one in WEAKER if one[0] in NEW_TESTS])
def test_new_tests_make_up_for_no_weaker_one(examined: Examined, file: str, change: tuple[str, str]) -> None:
    assert examined(FILES, {file: FILES[file].replace(*change) + NEW_TESTS[file]}).refused


@pytest.mark.parametrize("file", FILES)
def test_a_deleted_file_of_tests_is_refused(examined: Examined, file: str) -> None:
    (sentence, *more) = examined(FILES, {file: None}).refused
    assert "gone; keep tests, and correct what they expect." in sentence
    assert all("asserts less" in one for one in more)


def test_a_file_that_the_runner_no_longer_finds_has_no_tests(examined: Examined) -> None:
    found = examined(FILES, {PY: None, "tests/prices_old.py": PYTHON}).refused
    assert "gone" in found[0]


def test_a_new_test_that_is_skipped_is_refused(examined: Examined) -> None:
    text = "import pytest\n\n\n@pytest.mark.skip\ndef test_new():\n    assert total([5]) == 5\n"
    assert examined(FILES, {"tests/test_new.py": text}).refused == (
        "`tests/test_new.py` line 4 skips a test or lets it fail; take that out.",
    )


def test_a_deleted_snapshot_is_refused_and_a_changed_one_noticed(examined: Examined) -> None:
    before = FILES | {"web/__tests__/__snapshots__/page.snap": "one\n"}
    (sentence,) = examined(before, {"web/__tests__/__snapshots__/page.snap": None}).refused
    assert "belongs to the tests and is deleted" in sentence
    found = examined(before, {"web/__tests__/__snapshots__/page.snap": "two\n"})
    assert (found.refused, len(found.noticed)) == ((), 1)


HARMLESS = [
    ("a new test", {file: FILES[file] + text for file, text in NEW_TESTS.items()}),
    (
        "more cases",
        {PY: PYTHON.replace("[1, 2, 3]", "[1, 2, 3, 4]"), TS: TYPESCRIPT.replace("[2, 2],", "[2, 2], [3, 3],")},
    ),
    ("one more assertion", {PY: PYTHON.replace("== 0\n", "== 0\n            assert total([4]) == 4\n")}),
    ("a moved file", {PY: None, "tests/unit/test_prices.py": PYTHON}),
    (
        "a test moved to another file",
        {
            PY: PYTHON.partition("\n\n    class TestTotal")[0] + "\n",
            "tests/test_total.py": "    import pytest\n    class TestTotal" + PYTHON.partition("class TestTotal")[2],
        },
    ),
    (
        "laid out anew",
        {
            PY: PYTHON.replace(
                "assert total([1, 2]) == 3",
                "assert (\n                total([1, 2])\n                == 3\n            )",
            ).replace("[1, 2, 3]", "[\n        1,\n        2,\n        3,\n    ]"),
            TS: TYPESCRIPT.replace("expect(total([1, 2])).toBe(3)", "expect(\n  total([1, 2]),\n).toBe(3)"),
            CS: CSHARP.replace("Assert.Equal(3, await", "Assert.Equal(\n                3,\n                await"),
        },
    ),
    (
        "another comment, a docstring",
        {PY: PYTHON.replace("# adds up", '"""It is assert True and pytest.skip() in words."""')},
    ),
    (
        "a helper",
        {
            PY: PYTHON.replace("assert total([]) == 0", "nothing()")
            + "\n    def nothing():\n        assert total([]) == 0\n"
        },
    ),
    ("ordinary code", {"src/shop/prices.py": "def total(amounts):\n    return sum(amounts)\n\ndef skip(): return\n"}),
    ("no skip any more", {PY: PYTHON}),
]


@pytest.mark.parametrize(("what", "after"), HARMLESS, ids=[what for what, _ in HARMLESS])
def test_what_takes_nothing_from_the_tests_is_accepted(
    examined: Examined, what: str, after: dict[str, str | None]
) -> None:
    before = FILES | (
        {PY: PYTHON.replace("    class", "    @pytest.mark.skip\n    class")} if "any more" in what else {}
    )
    assert examined(before, after).refused == ()


CORRECTED = [
    (PY, ("assert total([1, 2]) == 3", "assert total([1, 2]) == 3.0"), "the test `test_two` expects something else"),
    (TS, ("toBe(3)", 'toBe("3.00")'), "the test `adds up` expects something else"),
    (CS, ("Assert.Equal(3,", "Assert.Equal(4,"), "the test `AddsUp` expects something else"),
    (PY, ("def test_two", "def test_three"), "the test `test_three` was called `test_two`"),
    (TS, ('it("adds up"', 'it("adds it up"'), "the test `adds it up` was called `adds up`"),
    (CS, ("AddsUp", "AddsItUp"), "the test `AddsItUp` was called `AddsUp`"),
]


@pytest.mark.parametrize(("file", "change", "sentence"), CORRECTED)
def test_a_test_that_asserts_the_bug_may_be_corrected_and_the_reviewer_is_told(
    examined: Examined, file: str, change: tuple[str, str], sentence: str
) -> None:
    found = examined(FILES, {file: FILES[file].replace(*change)})
    assert found.refused == ()
    assert [one for one in found.noticed if sentence in one], found.noticed


def test_a_test_replaced_by_another_one_is_a_test_that_is_gone(examined: Examined) -> None:
    head, _, rest = PYTHON.partition("def test_two")
    other = (
        f"{head}def test_else(self):\n            assert len('ab') == 2\n            assert len('') == 0\n\n        def"
        f"{rest.partition('def')[2]}"
    )
    assert other != PYTHON
    assert "the test `test_two` is gone" in examined(FILES, {PY: other}).refused[0]


@pytest.mark.parametrize(
    "filler", ["(", "def test_a():\n", '"""', "/*", "`", "it('a', () => {\n", "assert (", "@x(\n", "\n" * 9]
)
def test_no_text_is_too_hostile_to_be_read(examined: Examined, filler: str) -> None:
    text = filler * (40_000 // len(filler))
    found = examined({PY: text, TS: text, CS: text}, dict.fromkeys((PY, TS, CS), text + "x\n"))
    assert isinstance(found, Examination)


NAMED_CASES = {
    PY: """\
        import pytest

        CASES = [
            (1, 1),
            (2, 2),
        ]


        @pytest.mark.parametrize("amounts", CASES)
        def test_amounts(amounts):
            assert total(amounts)
        """,
    TS: """\
        const cases: number[][] = [
            (1, 1),
            (2, 2),
        ];

        test.each(cases)("amounts %s", (amounts) => { expect(total(amounts)).toBeTruthy(); });
        """,
}


@pytest.mark.parametrize("file", NAMED_CASES)
def test_cases_that_are_listed_under_a_name_are_missed_by_the_reviewer_only(examined: Examined, file: str) -> None:
    found = examined(NAMED_CASES, {file: NAMED_CASES[file].replace("            (2, 2),\n", "")})
    assert found.refused == ()
    assert found.noticed == (
        f"`{file}`: what stands outside of its tests lists less than before; are cases of tests gone?",
    )


def test_a_table_in_a_template_literal_loses_no_case(examined: Examined) -> None:
    text = "test.each`\n  a    | b\n  ${1} | ${2}\n  ${3} | ${4}\n`('of $a', ({ a, b }) => { expect(a).toBe(b); });\n"
    (sentence,) = examined({TS: text}, {TS: text.replace("  ${3} | ${4}\n", "")}).refused
    assert "the test `of $a` is run with 3 instead of 4 cases" in sentence
