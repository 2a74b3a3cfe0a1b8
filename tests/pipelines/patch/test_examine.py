"""Configuration of tests, lock files, generated and vendored files; the examination as a whole."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from pipelines.language.change_set import FileChange
from pipelines.language.policy import PatchRule, Policy
from pipelines.patch import Base, examine, is_documentation
from tests.changes import change_set, file_change

Examined = Callable[..., tuple[str, ...]]

PACKAGE = {"name": "web", "scripts": {"test": "vitest run"}, "dependencies": {"next": "15.0.0"}}
PYPROJECT = """\
    [project]
    name = "shop"
    dependencies = ["httpx"]

    [tool.pytest.ini_options]
    addopts = "--strict-markers"

    [tool.shop]
    colour = "blue"
    """
CSPROJ = """\
    <Project Sdk="Microsoft.NET.Sdk">
      <ItemGroup>
        <PackageReference Include="xunit" Version="2.9.0" />
      </ItemGroup>
    </Project>
    """
BEFORE = {
    "package.json": json.dumps(PACKAGE, indent=2),
    "pyproject.toml": PYPROJECT,
    "setup.cfg": "[metadata]\nname = shop\n[tool:pytest]\naddopts = -q\n",
    "pytest.ini": "[pytest]\naddopts = -q\n",
    "web/vitest.config.ts": "export default {};\n",
    "web/playwright.config.ts": "export default {retries: 0};\n",
    "Directory.Build.targets": "<Project>\n</Project>\n",
    "all.runsettings": "<RunSettings/>\n",
    ".eslintrc.json": "{}\n",
    "Api.Tests/Api.Tests.csproj": CSPROJ,
    "backend/pyproject.toml": "",
    "packed/tests/__init__.py": "",
}


def package(**changes: object) -> str:
    return json.dumps({**PACKAGE, **changes}, indent=2)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pytest.ini", "[pytest]\naddopts = -q --deselect tests/test_a.py\n"),
        ("web/vitest.config.ts", "export default {test: {exclude: ['**']}};\n"),
        ("web/playwright.config.ts", "export default {retries: 3};\n"),
        ("web/jest.config.js", "module.exports = {testPathIgnorePatterns: ['.']};\n"),
        ("all.runsettings", "<RunSettings><x/></RunSettings>\n"),
        (".eslintrc.json", '{"rules": {}}\n'),
        ("pyproject.toml", PYPROJECT.replace("--strict-markers", "-k nothing")),
        ("pyproject.toml", PYPROJECT + "\n    [tool.coverage.run]\n    omit = ['*']\n"),
        ("setup.cfg", "[metadata]\nname = shop\n[tool:pytest]\naddopts = -k nothing\n"),
        ("package.json", package(scripts={"test": "true"})),
        ("package.json", package(vitest={"exclude": ["**"]})),
        ("Api.Tests/Api.Tests.csproj", CSPROJ.replace("<ItemGroup>", '<ItemGroup><Compile Remove="TotalTests.cs" />')),
        (
            "Api.Tests/Api.Tests.csproj",
            CSPROJ.replace("<ItemGroup>", '<ItemGroup><Compile\n Remove="TotalTests.cs" />'),
        ),
        ("Api.Tests/Api.Tests.csproj", CSPROJ.replace("<ItemGroup>", '<Import Project="more.xml" /><ItemGroup>')),
        ("Directory.Build.targets", '<Project><Target Name="VSTest"><Message Text="ok" /></Target></Project>\n'),
        ("Directory.Build.targets", '<Project><Target Name="X"\n  BeforeTargets="Build;VSTest"></Target></Project>\n'),
        ("Directory.Build.targets", '<Project><Target Name="A"><Exec Command="cp x.trx y" /></Target></Project>\n'),
        ("Directory.Build.rsp", "-p:VSTestTestCaseFilter=None\n"),
        ("global.json", '{"test": {"runner": "Ours"}}\n'),
        ("testconfig.json", "{}\n"),
        ("web/vitest.unit.config.ts", "export default {};\n"),
        ("web/src/setupTests.ts", "expect.extend({});\n"),
        ("web/tsconfig.spec.json", "{}\n"),
        ("web/.env.test", "NODE_OPTIONS=--require ./ours.js\n"),
        ("package.json", package(pnpm={"patchedDependencies": {"vitest": "x"}})),
        ("package.json", package(config={"script-shell": "./ours"})),
        ("pyproject.toml", PYPROJECT + '\n    [project.entry-points.pytest11]\n    ours = "shop.ours"\n'),
        ("pyproject.toml", PYPROJECT + '\n    [tool.poetry.plugins.pytest11]\n    ours = "shop.ours"\n'),
        ("pyproject.toml", PYPROJECT + '\n    [tool.hatch.envs.default.scripts]\n    test = "true"\n'),
        ("setup.cfg", BEFORE["setup.cfg"] + "[options.entry_points]\npytest11 =\n  ours = shop.ours\n"),
    ],
)
def test_how_tests_are_run_is_a_persons_to_change_unless_policy_allows_it(
    examined: Examined, file: str, text: str
) -> None:
    (sentence,) = examined(BEFORE, {file: text})
    assert sentence.startswith(f"`{file}`")
    assert "how tests and checks are run" in sentence
    assert examined(BEFORE, {file: text}, Policy(test_configuration=PatchRule.ALLOW)) == ()


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pyproject.toml", PYPROJECT.replace("blue", "green")),
        ("setup.cfg", "[metadata]\nname = shop\nversion = 2\n[tool:pytest]\naddopts = -q\n"),
        ("package.json", package(description="A shop")),
        ("Api.Tests/Api.Tests.csproj", CSPROJ.replace("</ItemGroup>", "</ItemGroup>\n      <!-- ours -->")),
        ("src/shop/like_pytest.py", "def pytest_like(): ...\n"),
        ("Api.Tests/Api.Tests.csproj", CSPROJ.replace("2.9.0", "2.9.1")),
        ("Directory.Build.targets", '<Project><Target Name="CopyFonts"><Copy /></Target></Project>\n'),
        ("Directory.Build.targets", "<Project><!-- <Exec /> --></Project>\n"),
        ("global.json", '{"sdk": {"version": "9.0.100"}}\n'),
        ("setup.cfg", BEFORE["setup.cfg"] + "[options.entry_points]\nconsole_scripts =\n  shop = shop.main\n"),
        ("src/shop/json.py", "def dumps(): ...\n"),
        ("src/shop/coverage.py", "def covers(): ...\n"),
        ("src/shop/hypothesis.py", "class Hypothesis: ...\n"),
        ("api/calendar.py", "def days(): ...\n"),
        ("src/calendar.py", "def days(): ...\n"),
        ("src/shop/types.py", "Name = str\n"),
        ("src/shop/playwright.py", "class Playwright: ...\n"),
        ("packed/tests/types.py", "Name = str\n"),
        ("src/pytest.md", "About pytest\n"),
        ("web/src/pytest.ts", "export {};\n"),
        ("web/src/patches/list.ts", "export {};\n"),
    ],
)
def test_the_rest_of_such_files_may_change(examined: Examined, file: str, text: str) -> None:
    assert examined(BEFORE, {file: text}) == ()


@pytest.mark.parametrize(
    ("file", "module"),
    [
        ("pytest.py", "pytest"),
        ("pytest/__init__.py", "pytest"),
        ("_pytest/__init__.py", "_pytest"),
        ("src/pluggy.py", "pluggy"),
        ("tests/xdist/__init__.py", "xdist"),
        ("coverage.py", "coverage"),
        ("unittest/__init__.py", "unittest"),
        ("shlex.py", "shlex"),
        ("api/pytest.py", "pytest"),
        ("backend/src/pytest.py", "pytest"),
        ("packed/tests/pytest/__init__.py", "pytest"),
        ("pytest_mock.py", "pytest_mock"),
        ("src/pytest_django/__init__.py", "pytest_django"),
        ("sitecustomize.py", "sitecustomize"),
        ("api/usercustomize.py", "usercustomize"),
        ("src/pytest.so", "pytest"),
        ("src/_pytest.cpython-313-x86_64-linux-gnu.so", "_pytest"),
        ("pluggy.pyd", "pluggy"),
        ("tests/hypothesis.py", "hypothesis"),
        ("api/tests/unit/hypothesis.py", "hypothesis"),
        ("tests/shlex.py", "shlex"),
        ("backend/src/playwright/__init__.py", "playwright"),
        ("backend/coverage.py", "coverage"),
        ("backend/json.py", "json"),
    ],
)
def test_a_new_module_by_the_runners_name_is_refused(examined: Examined, file: str, module: str) -> None:
    (sentence,) = examined(BEFORE, {file: "def main(): ...\n"})
    assert f"would be taken for the module `{module}`" in sentence
    assert examined(BEFORE | {file: "x = 1\n"}, {file: "x = 2\n"}) == ()


def test_the_root_is_where_tests_are_started_whatever_is_in_it(examined: Examined) -> None:
    (sentence,) = examined({}, {"json.py": "def dumps(): ...\n"})
    assert "would be taken for the module `json`" in sentence


@pytest.mark.parametrize("file", ["ours.pth", "src/ours.PTH"])
def test_a_file_that_python_runs_at_its_start_is_refused(examined: Examined, file: str) -> None:
    (sentence,) = examined(BEFORE, {file: "import os\n"})
    assert "would be run whenever Python starts" in sentence


def test_a_file_that_gets_a_runners_name_is_refused_as_a_new_one_is(examined: Examined) -> None:
    (sentence,) = examined({"shop.py": "x = 1\n"}, {"shop.py": None, "pytest.py": "x = 1\n"})
    assert "would be taken for the module `pytest`" in sentence


@pytest.mark.parametrize("file", ["pyproject.toml", "package.json"])
def test_a_manifest_that_can_t_be_read_is_refused(examined: Examined, file: str) -> None:
    assert "can't be read" in examined(BEFORE, {file: "{[\n"})[0]


LOCKED = {
    "web/package.json": package(),
    "web/package-lock.json": '{"lockfileVersion": 3}\n',
    "pyproject.toml": PYPROJECT,
    "uv.lock": "version = 1\n",
}


def test_a_lock_file_without_a_cause_is_refused(examined: Examined) -> None:
    assert examined(LOCKED, {"web/package-lock.json": '{"lockfileVersion": 2}\n'}) == (
        "`web/package-lock.json` changes although no manifest asks for anything else; restore it.",
    )
    after = {"web/package.json": package(description="x"), "web/package-lock.json": "{}\n"}
    assert "no manifest asks for anything else" in examined(LOCKED, after)[0]


def test_a_manifest_that_asks_for_more_brings_its_lock_file(examined: Examined) -> None:
    wanted = package(dependencies={"next": "15.0.0", "zod": "3.0.0"})
    (sentence,) = examined(LOCKED, {"web/package.json": wanted})
    assert sentence.startswith("`web/package.json` asks for other packages, but `web/package-lock.json` is as it was;")
    more = PYPROJECT.replace('"httpx"', '"httpx", "attrs"')
    assert "`uv.lock` is as it was" in examined(LOCKED, {"pyproject.toml": more})[0]
    assert examined(LOCKED, {"pyproject.toml": more, "uv.lock": "version = 2\n"}) == ()


def test_a_manifest_without_a_lock_file_changes_alone(examined: Examined) -> None:
    before = {"api/package.json": package()}
    assert examined(before, {"api/package.json": package(dependencies={})}) == ()


def looked_at(base: Base, *files: FileChange, policy: Policy | None = None) -> tuple[str, ...]:
    return examine(
        change_set(*files),
        base,
        folders=lambda _: (),
        allowed=("**",),
        policy=policy or Policy(),
        secrets=lambda _: (),
    )


@pytest.mark.parametrize(("before", "there"), [("b", b"z"), ("b", None), (None, b"b")])
def test_a_change_for_another_commit_is_refused(before: str | None, there: bytes | None) -> None:
    file = file_change("x", before, "c")
    assert looked_at(lambda _: None if before is None else before.encode(), file) == ()
    (found,) = looked_at(lambda _: there, file)
    assert "does not fit 'x'" in found


def test_nothing_is_read_by_a_name_that_a_change_may_not_have() -> None:
    def base(path: str) -> bytes | None:
        assert path in {"fine.txt", ".gitlab-ci.yml", ".gitattributes"}
        return None

    (found,) = looked_at(base, file_change("../x", "b", "c"), file_change("fine.txt", None, "x"))
    assert "leaves its folder" in found


def test_the_number_of_lines_is_policy_and_moved_lines_count() -> None:
    before, after = "1\n2\n3\n4\n5\n6\n", "4\n5\n6\n1\n2\n3\n"
    policy = Policy(max_patch_lines=5)
    assert (
        "changes 6 lines; policy allows 5"
        in looked_at(lambda _: before.encode(), file_change("x", before, after), policy=policy)[0]
    )
    assert looked_at(lambda _: before.encode(), file_change("x", before, "1\n2\n"), policy=policy) == ()


def test_what_nobody_can_review_is_refused_whatever_policy_allows() -> None:
    policy = Policy(max_patch_lines=1_000_000)
    many = "x = 1\n" * 100_000

    def added(**files: str) -> tuple[str, ...]:
        changes = [file_change(f"src/{name}.py", None, text) for name, text in files.items()]
        return looked_at(lambda _: None, *changes, policy=policy)

    assert added(a=many) == ()
    assert added(a="x" * 10_000) == ()
    (found,) = added(a=many, b=many)
    assert found == "The fix adds 1200000 bytes: nobody can review more than 1000000."
    (found,) = added(a="a\n" + "x" * 10_001)
    assert found == "`src/a.py` gets a line of more than 10000 characters: nobody can review it."


def test_a_long_line_that_was_there_and_a_large_lock_file_are_no_reason() -> None:
    long = "x" * 20_000
    file = file_change("a.js", f"{long}\na\n", f"{long}\nb\n")
    assert looked_at(lambda _: f"{long}\na\n".encode(), file) == ()
    lock = file_change("package-lock.json", None, long * 100)
    manifest = file_change("package.json", None, '{"dependencies": {"a": "1"}}')
    assert looked_at(lambda _: None, lock, manifest) == ()


def test_a_project_file_of_unclosed_references_is_compared_quickly(examined: Examined) -> None:
    before = {"Api.csproj": "<Project/>\n", "packages.lock.json": "{}\n"}
    text = ("<PackageReference " * 500 + "\n") * 100  # 45 billion steps if each ran to the end
    assert examined(before, {"Api.csproj": text}) == ()


def test_a_binary_or_large_file_of_before_is_a_persons_to_take_away() -> None:
    assert "is binary" in looked_at(lambda _: b"P\0", file_change("a.png", b"P\0", None))[0]
    pointer = b"version https://git-lfs.github.com/spec/v1\n"
    assert "Git LFS" in looked_at(lambda _: pointer, file_change("a.psd", pointer, "text"))[0]


@pytest.mark.parametrize("path", ["README.md", "docs/api.yml", "CHANGELOG", "src/shop/README.rst", "UPGRADING.txt"])
def test_documentation_is_told_by_its_path(path: str) -> None:
    assert is_documentation(path)


@pytest.mark.parametrize(
    "path",
    [
        *("src/readmes.py", "tests/data/page.md", "src/docs.py", "mydocs/x.yml", "src/history.ts"),
        *("src/Docs/Store.cs", "lib/changes.py"),
    ],
)
def test_other_files_are_no_documentation(path: str) -> None:
    assert not is_documentation(path)
