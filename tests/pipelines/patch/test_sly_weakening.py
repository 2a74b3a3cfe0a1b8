"""Sly ways to make a test assert less than it seems to are refused; ordinary code in tests is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipelines.patch import Examination
from tests.pipelines.patch.test_weakening import CS, FILES, PY, TS

Examined = Callable[..., Examination]

TWO, SKIPS, ENDS, SWALLOWS = (
    "assert total([]) == 0",
    "skips a test",
    "ends a test before its end",
    "swallows the failure",
)
EMPTY, ALL = "expect(total([])).toBe(0);", "Assert.Empty(Prices.All());"
NOT_RUN, TRIVIAL = "keeps a part of a test from being run", "asserts what is always true"


def before(statement: str, *, indent: int) -> Callable[[str], tuple[str, str]]:
    return lambda said: (statement, f"{said}\n{' ' * indent}{statement}")


SLY = [
    # Python: leaving before the end
    *(
        (PY, before(TWO, indent=12)(said), ENDS)
        for said in (
            "return None",
            "return  # not now",
            "if not total: return",
            "if True:\n                return",
            "amount = 1; return",
            "return total([])",
            "return (None)",
            "if total([1]) == 1:\n                return True",
            "for _ in range(3):\n                return",
            "try:\n                return\n            finally:\n                total([1])",
            "with open(__file__):\n                return 0",
            "yield",
            "value = yield total([])",
            "pytest.exit()",
            "os._exit(0)",
        )
    ),
    (
        PY,
        (TWO, "def check():\n                return\n                assert total([]) == 0\n            check()"),
        ENDS,
    ),
    (
        PY,
        ("assert total([1, 2]) == 3\n            " + TWO, "return\n            check([1, 2], 3)\n            " + TWO),
        ENDS,
    ),
    # Python: not run at all
    *(
        (PY, (TWO, f"{said}\n                {TWO}"), NOT_RUN)
        for said in (
            "if False:",
            "if 0:",
            "if (False):",
            "while False:",
            "if None:",
            "if not True:",
            "if False and total:",
            "for _ in []:",
            "for _ in ():",
            "for _ in range(0):",
        )
    ),
    *(
        (PY, before(TWO, indent=12)(said), SKIPS)
        for said in (
            "pytest.skip('later')",
            "self.skipTest('later')",
            "raise unittest.SkipTest",
            "raise pytest.skip.Exception",
            "pytest.importorskip('nothing')",
            "from pytest import skip as later",
            "pytest.xfail()",
        )
    ),
    # Python: nobody sees it fail
    *(
        (PY, (TWO, said), SWALLOWS)
        for said in (
            f"with contextlib.suppress(AssertionError):\n                {TWO}",
            f"with pytest.raises(AssertionError):\n                {TWO}",
            f"try:\n                {TWO}\n            except AssertionError:\n                seen = True",
            f"try:\n                {TWO}\n            except Exception:\n                print('later')",
            f"try:\n                {TWO}\n            except:\n                return",
            (
                f"try:\n"
                f"                {TWO}\n"
                f"            except (ValueError, AssertionError) as error:\n"
                f"                self.error = error"
            ),
        )
    ),
    (PY, (TWO, f"with suppress(Exception):\n                {TWO}"), SWALLOWS),
    (
        PY,
        (
            TWO,
            (
                "def check():\n                assert total([]) == 0\n            try:\n                check()\n"
                "            except Exception:\n                pass"
            ),
        ),
        SWALLOWS,
    ),
    (
        PY,
        (
            TWO,
            (
                "def run():\n                assert total([]) == 0\n            try:\n                run()\n"
                "            except Exception:\n                pass"
            ),
        ),
        SWALLOWS,
    ),
    (PY, (TWO, f"stack.enter_context(suppress(Exception))\n            {TWO}"), SWALLOWS),
    (
        PY,
        (TWO, f"try:\n                run()\n            except Exception:\n                pass\n            {TWO}"),
        SWALLOWS,
    ),
    (PY, (TWO, f"try:\n                run()\n            except:\n                pass\n            {TWO}"), SWALLOWS),
    (PY, (TWO, f"with suppress(AssertionError):\n                run()\n            {TWO}"), SWALLOWS),
    (PY, (TWO, f"with suppress(Exception):\n                run()\n            {TWO}"), SWALLOWS),
    (PY, (TWO, "p.skip()"), SKIPS),
    (PY, (TWO, "p.skip('later')"), SKIPS),
    *(
        (PY, (TWO, said), TRIVIAL)
        for said in (
            "assert 1 == 1",
            "assert not None",
            "assert (total([]) == 0, 'is empty')",
            "assert total([]) == 0 or 1",
            "assert 'ok'",
        )
    ),
    # TypeScript
    *(
        (TS, before(EMPTY, indent=8)(said), ENDS)
        for said in (
            "return undefined;",
            "return null",
            "if (!total) return;",
            "if (!total) { return; }",
            "{ return; }",
            "return Promise.resolve();",
            "return true;",
            "return void 0;",
            "return total([]);",
            "for (const one of [1]) { return; }",
            "try { return; } finally { total([1]); }",
            "switch (total([1])) { case 1: return; }",
            "process.exit(0);",
        )
    ),
    (TS, (EMPTY, f"await test.step('x', async () => {{ return; {EMPTY} }});"), ENDS),
    (TS, (EMPTY, f"await check(function () {{ if (total) return null; {EMPTY} }});"), ENDS),
    (
        TS,
        ("() => {\n        expect(total([1, 2])", "(): Promise<void> => { return;\n        expect(total([1, 2])"),
        ENDS,
    ),
    (TS, ("async () => {", "async () => { return;"), ENDS),
    *(
        (TS, (EMPTY, said), NOT_RUN)
        for said in (
            f"if (false) {EMPTY}",
            f"if (0) {{ {EMPTY} }}",
            f"while (false) {{ {EMPTY} }}",
            f"if (!1) {EMPTY}",
            f"false && {EMPTY}",
            f"if (false && total) {EMPTY}",
        )
    ),
    *(
        (TS, ('it("adds up", async', said), SKIPS)
        for said in (
            'it.fixme("adds up", async',
            'it.skip("adds up", async',
            'it.skipIf(true)("adds up", async',
            'it.fails("adds up", async',
            'it("adds up", { skip: true }, async',
            'it("adds up", { timeout: 5, todo: "later" }, async',
        )
    ),
    *(
        (TS, before(EMPTY, indent=8)(said), SKIPS)
        for said in (
            "test.fixme(true, 'later');",
            "test.skip();",
            "context.skip();",
            "this.skip();",
            "const { skip } = test;",
            'test["skip"](true);',
            'test?.["fixme"]();',
        )
    ),
    *(
        (TS, ('it("adds up", async', said), "leave out all other tests")
        for said in (
            'it.only("adds up", async',
            'fit("adds up", async',
            'it.concurrent.only("adds up", async',
            'mine.only("adds up", async',
            'it("adds up", { only: true }, async',
        )
    ),
    *(
        (TS, (EMPTY, said), SWALLOWS)
        for said in (
            f"try {{ {EMPTY} }} catch {{ console.log('later'); }}",
            f"try {{ {EMPTY} }} catch (error) {{ return; }}",
            f"const run = async () => {{ {EMPTY} }}; await run().catch(() => null);",
            f"const run = async () => {{ {EMPTY} }}; try {{ await run(); }} catch {{}}",
            "const later = expect(total([])).resolves.toBe(0); await later.catch(() => null);",
            "try { verifyAll(); } catch {}",
            f"try {{ {EMPTY} }} catch (error) {{ /* later */ ; }}",
            "await expect(total([])).resolves.toBe(0).catch(() => undefined);",
            "await expect(total([])).resolves.toBe(0).catch((error) => { console.log(error); });",
        )
    ),
    *(
        (TS, (EMPTY, said), TRIVIAL)
        for said in (
            "expect(sum).toBe(sum);",
            "expect.assertions(0);",
            "expect(0).toBe(0);",
            'expect("ok").toBeTruthy();',
        )
    ),
    # C#
    *(
        (CS, before(ALL, indent=12)(said), ENDS)
        for said in (
            "return;",
            "if (Prices.All() is null) return;",
            "if (true) { return; }",
            "{ return; }",
            "return Task.CompletedTask;",
            "return default;",
            "foreach (var one in new[] { 1 }) { return; }",
            "try { return; } finally { Prices.All(); }",
            "Environment.Exit(0);",
        )
    ),
    (CS, (ALL, f"void Check() {{ return; {ALL} }} Check();"), ENDS),
    (CS, (ALL, f"await Record(async () => {{ return; {ALL} }});"), ENDS),
    *(
        (CS, (ALL, said), NOT_RUN)
        for said in (
            f"if (false) {ALL}",
            f"while (false) {{ {ALL} }}",
            f"if (false && Prices.Any()) {ALL}",
            f"\n    #if LATER\n            {ALL}\n    #endif",
        )
    ),
    *(
        (CS, ("[Fact]\n        public async", f"{said}\n        public async"), SKIPS)
        for said in (
            '[Fact(Skip = "later")]',
            '[Fact(DisplayName = "adds", Skip = "later")]',
            "[Fact(Explicit = true)]",
            "[Fact(SkipUnless = nameof(Ready))]",
            "[Fact]\n        [Ignore]",
            '[Fact, Ignore("later")]',
        )
    ),
    *(
        (CS, before(ALL, indent=12)(said), SKIPS)
        for said in (
            'Assert.Skip("later");',
            "Skip.If(true);",
            "throw new SkipException();",
            "Assert.Inconclusive();",
            "Assert.Ignore();",
        )
    ),
    *(
        (CS, (ALL, said), SWALLOWS)
        for said in (
            f"try {{ {ALL} }} catch (Exception error) {{ Console.WriteLine(error); }}",
            f"try {{ {ALL} }} catch (Exception) when (true) {{ }}",
            f"try {{ {ALL} }} catch {{ return; }}",
            f"Assert.Throws<XunitException>(() => {ALL.rstrip(';')});",
        )
    ),
    *(
        (CS, (ALL, said), TRIVIAL)
        for said in ("Assert.True(true);", "Assert.True(Prices.Any() || true);", "Assert.Equal(1, 1);")
    ),
]


def test_a_test_that_is_written_again_below_itself_without_its_assertions_is_refused(examined: Examined) -> None:
    shadow = "\n\n    class TestTotal:\n        def test_two(self):\n            total([1, 2])\n"
    (sentence,) = examined(FILES, {PY: FILES[PY] + shadow}).refused
    assert sentence == f"`{PY}`: the test `test_two` stands there again, and asserts nothing."
    other = shadow.replace("total([1, 2])", "assert total([9]) == 9").replace("TestTotal", "TestOther")
    assert examined(FILES, {PY: FILES[PY] + other}).refused == ()


@pytest.mark.parametrize(("file", "change", "sentence"), SLY, ids=[f"{one[0][-2:]} {one[1][1][:60]!r}" for one in SLY])
def test_a_test_that_is_weakened_slyly_is_refused(
    examined: Examined, file: str, change: tuple[str, str], sentence: str
) -> None:
    assert FILES[file].count(change[0]) == 1, "the change is one"
    found = examined(FILES, {file: FILES[file].replace(*change)}).refused
    assert [one for one in found if sentence in one], found


AWAITED = {
    TS: (
        'test("shows", async ({ page }) => {\n  await expect(page).toHaveTitle(/x/);\n'
        "  await expect(load()).rejects.toThrow();\n});\n"
    ),
    CS: (
        "class A\n{\n    [Fact]\n    public async Task B()\n    {\n"
        "        await Assert.ThrowsAsync<E>(() => F());\n    }\n}\n"
    ),
}


@pytest.mark.parametrize(
    ("file", "change"), [(TS, "await expect(page)"), (TS, "await expect(load())"), (CS, "await Assert.ThrowsAsync")]
)
def test_an_assertion_that_nobody_waits_for_any_more_is_refused(examined: Examined, file: str, change: str) -> None:
    (sentence,) = examined(AWAITED, {file: AWAITED[file].replace(change, change.removeprefix("await "))}).refused
    assert "no longer waits for what it asserts (1 times)" in sentence


HARMLESS_CODE = [
    # Python
    (PY, "def fake(*_): return 0\n            assert total([], rate=fake) == 0"),
    (
        PY,
        (
            "def fake(amount):\n"
            "                if not amount:\n"
            "                    return\n"
            "                return amount * 2\n"
            "            assert total([fake(1)]) == 2"
        ),
    ),
    (
        PY,
        (
            "class Rates:\n"
            "                def of(self, name):\n"
            "                    return 2\n"
            "            assert total([], Rates()) == 0"
        ),
    ),
    (PY, "assert total([], key=lambda one: one) == 0\n            return"),
    (PY, "rows = client.list(skip=10, limit=5)\n            assert rows == []"),
    (PY, "assert list(collection.find().skip(5)) == []"),
    (
        PY,
        (
            "try:\n"
            "                total(None)\n"
            "            except TypeError as error:\n"
            "                assert 'None' in str(error)"
        ),
    ),
    (PY, "with pytest.raises(SystemExit):\n                main(['--help'])\n            assert total([]) == 0"),
    (PY, "assert (\n                total([1, 2])\n                == 3\n            ), 'it adds'"),
    (PY, "assert (total([1]), total([2])) == (1, 2)"),
    (PY, "assert total(max(1, 2), (3, 4)) == 0"),
    (
        PY,
        (
            "for _ in range(3):\n"
            "                if ready():\n"
            "                    return\n"
            "                time.sleep(1)\n"
            "            pytest.fail('never ready')\n"
            "            assert_later = 0"
        ),
    ),
    (PY, "def numbers():\n                yield 1\n                yield 2\n            assert total(numbers()) == 3"),
    (
        PY,
        (
            "if total([1]):\n"
            "                assert total([1]) == 1\n"
            "            else:\n"
            "                assert total([]) == 0"
        ),
    ),
    (PY, "return_value = total([])\n            assert return_value == 0"),
    # TypeScript
    (TS, "const fake = vi.fn(() => { return 1; });\n        expect(total([fake()])).toBe(1);"),
    (
        TS,
        (
            "server.use(http.get('/x', ({ request }) => { if (!request.url) return; return json(1); "
            "}));\n"
            "        expect(await load()).toBe(1);"
        ),
    ),
    (TS, "const rates = { of(name: string) { return 2; } };\n        expect(total([rates.of('a')])).toBe(2);"),
    (
        TS,
        (
            "function fake(one: number): number { if (one) { return one; } return 0; }\n"
            "        expect(total([1].map(fake))).toBe(1);"
        ),
    ),
    (TS, "expect(total([])).toBe(0);\n        return expect(load()).resolves.toBe(1);"),
    (TS, "expect(total([])).toBe(0);\n        return;"),
    (TS, "let caught; try { total(null); } catch (error) { caught = error; }\n        expect(caught).toBeDefined();"),
    (TS, "try { total(null); } catch (error) { expect(error).toBeInstanceOf(TypeError); }"),
    (TS, "const rows = await Price.find().skip(10).limit(5);\n        expect(rows).toEqual([]);"),
    (TS, "const { data } = useQuery(PRICES, { skip: true });\n        expect(data).toBeUndefined();"),
    (TS, "expect([3, 1].sort((a, b) => { return a - b; })).toEqual([1, 3]);"),
    (
        TS,
        (
            "await page.route('**/api', (route) => { return route.fulfill({ status: 500 }); });\n"
            "        await expect(page).toHaveURL('/x');"
        ),
    ),
    *(
        (TS, f"{said}\n        {EMPTY}")
        for said in (
            "const body = await response.json().catch(() => null);",
            "const body = await response\n          .json()\n          .catch(() => ({}));",
            "const seen = []; try { total(null); } catch (e) { seen.push(e.code); }\n        expect(seen).toEqual([]);",
            "try { await rm(dir); } catch {}",
            "for (;;) { try { await fetch(url); break; } catch { await sleep(100); } }",
            "const client = make({ retries: 3 });",
            "const client = new QueryClient({ queries: { retry: false } });",
            "await store.todo.add(1);",
            "const rows = query.skip(5);",
            "const some = rules.only;",
            "await page.only('a');",
        )
    ),
    *(
        (PY, f"{said}\n            {TWO}")
        for said in (
            (
                "def ready():\n                try:\n                    connect()\n"
                "                except ConnectionError:\n                    return False\n                return True"
            ),
            (
                "for one in files:\n                try:\n                    one.unlink()\n"
                "                except OSError:\n                    continue"
            ),
            "with suppress(FileNotFoundError):\n                path.unlink()",
            "assert rows.skip == 3",
            "rows = query.skip(2)",
            "flaky = Service()",
            "assert job.reruns == 1",
        )
    ),
    (CS, f"try {{ File.Delete(path); }} catch (IOException) {{ }}\n            {ALL}"),
    (TS, "const shown = flag && total([]);\n        expect(shown).toBe(0);"),
    # C#
    (CS, "int Fake(int one) { return one * 2; }\n            Assert.Equal(2, Fake(1));"),
    (
        CS,
        (
            "var rates = new[] { 1, 2 }.Select(one => { return one * 2; }).Skip(1).ToList();\n"
            "            Assert.Single(rates);"
        ),
    ),
    (
        CS,
        (
            "handler.Setup(one => one.Send()).Returns(() => { if (sent) return null; return Answer(); "
            "});\n"
            "            Assert.Empty(Prices.All());"
        ),
    ),
    (CS, "var page = await Prices.List(new Query { Skip = 10, Take = 5 });\n            Assert.Empty(page);"),
    (
        CS,
        (
            "Exception? caught = null; try { Prices.Total(null); } catch (Exception error) { caught = "
            "error; }\n"
            "            Assert.NotNull(caught);"
        ),
    ),
    (CS, "using (var scope = Begin()) { Assert.Empty(Prices.All()); }"),
    (CS, "if (Prices.Any()) { Assert.Single(Prices.All()); } else { Assert.Empty(Prices.All()); }"),
]


@pytest.mark.parametrize(
    ("file", "said"), HARMLESS_CODE, ids=[f"{one[0][-2:]} {one[1][:60]!r}" for one in HARMLESS_CODE]
)
def test_ordinary_code_in_a_test_raises_no_alarm(examined: Examined, file: str, said: str) -> None:
    """Each stands in front of what the test asserts already, as if somebody made it more thorough; or in its place."""
    old = {PY: TWO, TS: EMPTY, CS: ALL}[file]
    refused = [
        one
        for one in examined(FILES, {file: FILES[file].replace(old, said)}).refused
        if "asserts less than before" not in one
    ]
    assert refused == []
