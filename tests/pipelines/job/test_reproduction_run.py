"""The same notes and verdicts whether pytest or `@playwright/test` runs a reproduction; with a real Chromium."""

from __future__ import annotations

import os
import shutil
import textwrap
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pipelines.job.isolation import file_trees
from pipelines.job.isolation.confinement import Means
from pipelines.job.isolation.processes import Launcher, make_root
from pipelines.job.reproduction.application import Application
from pipelines.job.reproduction.browser import find_browser
from pipelines.job.reproduction.ffmpeg import find_recorder
from pipelines.job.reproduction.frameworks import Tools
from pipelines.job.reproduction.reproduction_run import Bench, Evidence, left_file, run_reproduction
from pipelines.job.reproduction.run_request import Script
from pipelines.language import ArtifactKind, Framework, image_format
from pipelines.proof.observations import Console, LeftFile, ObservedExchange, ObservedStep, Response, Viewport
from pipelines.proof.reproduction_verdict import called_tests, judge_failing, judge_passing
from sandbox import node_tools
from tests.pngs import png

pytestmark = pytest.mark.integration

PAGE = b"<h1>Contacts</h1><script>console.error('no such name'); fetch('/missing')</script>"


class Contacts(BaseHTTPRequestHandler):
    """An application with one page, and an API that fails."""

    def do_GET(self) -> None:
        self._answer(404 if self.path == "/missing" else 200, PAGE)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self._answer(500, b'{"error": "unescaped quote"}')

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def application() -> Iterator[Application]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Contacts) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield Application(base_url=f"http://127.0.0.1:{http.server_port}", log=Path("/dev/null"))
        http.shutdown()


@pytest.fixture(scope="module")
def run(application: Application) -> Iterator[Callable[..., Evidence]]:
    with TemporaryDirectory(prefix="bug-fix-node-") as name:
        Path(name).chmod(0o755)
        binaries = node_tools.place(Path(name) / "node")
        assert binaries is not None, "run scripts/setup"
        numbers = iter(range(1000 + os.getpid() * 13 % 1900, 3000))
        launchers: dict[Means | None, Launcher] = {}
        package = binaries.parent / "node_modules" / "@playwright" / "test"

        def launcher_of(means: Means | None) -> Launcher:
            if means not in launchers:
                launchers[means] = Launcher(
                    root=make_root(),
                    job_id=next(numbers),
                    environ={"PATH": f"{binaries}:/usr/bin:/bin"},
                    means=[means] if means else list(Means),
                )
            return launchers[means]

        def once(
            test: str,
            suffix: str,
            module_type: str = "commonjs",
            *,
            filming: dict[str, str] | None = None,
            files: dict[str, str] | None = None,
            means: Means | None = None,
        ) -> Evidence:
            framework = Framework.PYTEST if suffix == ".py" else Framework.PLAYWRIGHT_TEST
            tools = Tools(
                framework=framework,
                package=None if framework is Framework.PYTEST else package,
                module_type=module_type,
            )
            launcher = launcher_of(means)
            root, recorder = launcher.root, None
            if filming is not None:
                shutil.rmtree(root / "recorder", ignore_errors=True)
                recorder = find_recorder(root, tools, filming)
            for name, text in (files or {}).items():
                (root / "base" / name).parent.mkdir(parents=True, exist_ok=True)
                (root / "base" / name).write_text(textwrap.dedent(text))
            bench = Bench(launcher=launcher, browser=find_browser(launcher), tools=tools, recorder=recorder)
            script = Script(
                data=textwrap.dedent(test).encode(),
                framework=framework,
                path=f"e2e/contacts.spec{suffix}",
                imports=files is not None,
            )
            return run_reproduction(
                script, application=application, bench=bench, folder=root / "reproduction", base=root / "base"
            )

        once.root = launcher_of(None).root  # type: ignore[attr-defined]  # where a hostile file can lie
        yield once
        for launcher in launchers.values():
            launcher.end_all()
            file_trees.remove(launcher.root)


PAGE_PY = """
    from playwright.sync_api import Page, expect

    def test_a_contact_is_listed(page: Page, base_url: str) -> None:
        page.goto(base_url)
        expect(page.get_by_text("O'Brien")).to_be_visible(timeout=500)
"""
PAGE_TS = """
    import { test, expect, type Page } from "@playwright/test";

    async function open(page: Page): Promise<void> {
      await page.goto("/");
    }

    test("a contact is listed", async ({ page }) => {
      await open(page);
      await expect(page.getByText("O'Brien")).toBeVisible({ timeout: 500 });
    });
"""
CLIENT_PY = """
    def test_a_contact_is_taken(playwright, base_url):
        client = playwright.request.new_context(base_url=base_url)
        response = client.post("/contacts", data={"name": "O'Brien"})
        assert response.status == 201, response.text()
"""
CLIENT_TS = """
    import { test, expect } from "@playwright/test";

    test("a contact is taken", async ({ request }) => {
      const response = await request.post("/contacts", { data: { name: "O'Brien" } });
      expect(response.status()).toBe(201);
    });
"""


@pytest.mark.parametrize(("test", "suffix"), [(PAGE_PY, ".py"), (PAGE_TS, ".ts")], ids=["pytest", "playwright_test"])
def test_a_page_that_is_wrong_is_red_with_its_evidence(run: Callable[..., Evidence], test: str, suffix: str) -> None:
    evidence = run(test, suffix)
    verdict = judge_failing(evidence.run)
    assert verdict.holds, (verdict.reason, evidence.completed.output)
    assert "visible" in verdict.reason
    assert evidence.screenshot is not None
    assert image_format.png_size(evidence.screenshot) == (1280, 720)
    assert evidence.trace is not None
    assert evidence.trace.startswith(b"PK")
    assert any(isinstance(note, Console) and note.text == "no such name" for note in evidence.run.notes)
    assert any(isinstance(note, Response) and note.status == 404 for note in evidence.run.notes)


@pytest.mark.parametrize(
    ("test", "suffix"),
    [pytest.param(PAGE_PY, ".py", marks=pytest.mark.nightly), (PAGE_TS, ".ts")],  # told apart under Landlock as well
    ids=["pytest", "playwright_test"],
)
def test_a_browser_works_where_landlock_confines_the_test(run: Callable[..., Evidence], test: str, suffix: str) -> None:
    evidence = run(test, suffix, means=Means.LANDLOCK)
    assert judge_failing(evidence.run).holds, evidence.completed.output
    assert evidence.screenshot is not None


HELPERS = {
    "e2e/pages.py": 'def listed(page):\n    return page.get_by_text("O\'Brien")\n',
    "e2e/pages.ts": 'export const listed = (page: any) => page.getByText("O\'Brien");\n',
    "conftest.py": "raise RuntimeError('a conftest of the repository')\n",
}
IMPORTS_PY = PAGE_PY.replace("import Page, expect", "import Page, expect\n    from pages import listed").replace(
    'page.get_by_text("O\'Brien")', "listed(page)"
)
IMPORTS_TS = f'    import {{ listed }} from "./pages";{PAGE_TS}'.replace('page.getByText("O\'Brien")', "listed(page)")


@pytest.mark.parametrize(
    ("test", "suffix"), [(IMPORTS_PY, ".py"), (IMPORTS_TS, ".ts")], ids=["pytest", "playwright_test"]
)
def test_one_that_imports_from_its_repository_runs_in_a_copy_of_it(
    run: Callable[..., Evidence], test: str, suffix: str
) -> None:
    files = HELPERS if suffix == ".ts" else {name: text for name, text in HELPERS.items() if name != "conftest.py"}
    evidence = run(test, suffix, files=files)
    assert judge_failing(evidence.run).holds, evidence.completed.output
    assert run.root.joinpath("base", "e2e", "pages.py").exists()  # type: ignore[attr-defined]  # see the fixture


@pytest.mark.parametrize(
    ("test", "suffix"), [(CLIENT_PY, ".py"), (CLIENT_TS, ".ts")], ids=["pytest", "playwright_test"]
)
def test_an_application_without_a_page_is_red_with_the_exchange(
    run: Callable[..., Evidence], test: str, suffix: str, application: Application
) -> None:
    evidence = run(test, suffix)
    verdict = judge_failing(evidence.run)
    assert verdict.holds, (verdict.reason, evidence.completed.output)
    (exchange,) = [note for note in evidence.run.notes if isinstance(note, ObservedExchange)]
    assert (exchange.method, exchange.url) == ("POST", f"{application.base_url}/contacts")
    assert (exchange.status, exchange.received) == (500, '{"error": "unescaped quote"}')
    assert "O'Brien" in exchange.sent
    assert evidence.screenshot is None


def test_no_configuration_above_the_test_swaps_what_judges_it(run: Callable[..., Evidence]) -> None:
    above: Path = run.root  # type: ignore[attr-defined]  # see the fixture
    (above / "tsconfig.json").write_text('{"compilerOptions": {"paths": {"@playwright/test": ["./kind.js"]}}}')
    (above / "kind.js").write_text("throw new Error('a judge of the patch');")
    try:
        evidence = run(CLIENT_TS, ".ts")
        verdict = judge_failing(evidence.run)
        assert verdict.holds, (verdict.reason, evidence.completed.output)
    finally:
        (above / "tsconfig.json").unlink()


HEAD = 'import { test, expect } from "@playwright/test";\n'
ASKED = 'const answer = await request.get("/");'
WRONG = {
    "not to be compiled": (HEAD + 'test("x", async ({ page }) => { const = 1; });', "can't be run: SyntaxError"),
    "an import that is not there": ('import { x } from "./pages";\n' + HEAD + "test(x, () => {});", "can't be run"),
    "a set-up that fails": (
        HEAD
        + f"test.beforeEach(async ({{ request }}) => {{ {ASKED} expect(answer.status()).toBe(1); }});\n"
        + 'test("x", async () => {});',
        "its setup did",
    ),
    "a click that times out": (
        HEAD
        + "test('x', async ({ page }) => { await page.goto('/'); await page.getByText('y').click({ timeout: 9 }); });",
        "ended with TimeoutError",
    ),
    "no application": (
        HEAD + "test('x', async () => { expect(1).toBe(2); });",
        "before the application had answered",
    ),
    "an error that is thrown after a caught assertion": (
        HEAD
        + f"test('x', async ({{ request }}) => {{ {ASKED} try {{ expect(answer.status()).toBe(1); }} "
        + "catch { throw new TypeError('y'); } });",
        "ended with TypeError",
    ),
    "an expected failure": (
        HEAD + f"test('x', async ({{ request }}) => {{ test.fail(); {ASKED} expect(answer.status()).toBe(1); }});",
        "do not agree",
    ),
}


@pytest.mark.parametrize(("test", "words"), WRONG.values(), ids=WRONG)
def test_a_script_that_fails_for_another_reason_does_not_count(
    run: Callable[..., Evidence], test: str, words: str
) -> None:
    evidence = run(test, ".ts")
    verdict = judge_failing(evidence.run)
    assert not verdict.holds
    assert words in verdict.reason, (verdict.reason, evidence.completed.output)


def test_a_script_of_a_module_package_passes_when_all_is_well(run: Callable[..., Evidence]) -> None:
    red = run(CLIENT_TS, ".ts", "module")
    assert judge_failing(red.run).holds, red.completed.output
    green = run(CLIENT_TS.replace("201", "500"), ".ts", "module")
    verdict = judge_passing(green.run, names=called_tests(red.run))
    assert verdict.holds, (verdict.reason, green.completed.output)


LIE = """
    import { test } from "@playwright/test";
    import { appendFileSync, writeFileSync } from "node:fs";

    test("a contact is listed", async ({ request }) => {
      await request.get("/");
      const told = JSON.parse(process.env.BUG_FIX_REPRODUCTION!);
      const test = "a contact is listed";
      const step = { kind: "step", test, outcome: "passed", error: null, message: "", in_test: false };
      for (const when of ["setup", "call", "teardown"])
        appendFileSync(told.notes, JSON.stringify({ ...step, when }) + "\\n");
      writeFileSync(told.reporters[0][1].outputFile, `<testsuite><testcase name="${test}"/></testsuite>`);
      ENDS
    });
"""


@pytest.mark.parametrize("ends", ["process.exit(0);", 'process.kill(process.ppid, "SIGKILL");'])
def test_a_script_that_forges_its_reports_is_not_believed(run: Callable[..., Evidence], ends: str) -> None:
    evidence = run(LIE.replace("ENDS", ends), ".ts")
    assert any(isinstance(note, ObservedStep) and note.outcome == "passed" for note in evidence.run.notes)
    assert not judge_passing(evidence.run, names=("a contact is listed",)).holds
    assert not judge_failing(evidence.run).holds


FFMPEG = '#!/bin/sh\nfor last; do :; done\n(printf "\\032\\105\\337\\243"; cat) >"$last"\n'
"""Stands for ffmpeg: what it is given becomes the film, which begins as WebM does."""


def test_a_run_is_filmed_where_there_is_an_ffmpeg(run: Callable[..., Evidence], tmp_path: Path) -> None:
    """By pytest; test_judge.py has films of `@playwright/test`."""
    ffmpeg = tmp_path / "ffmpeg"
    ffmpeg.write_text(FFMPEG)
    ffmpeg.chmod(0o755)
    evidence = run(PAGE_PY, ".py", filming={"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": str(tmp_path)})
    assert judge_failing(evidence.run).holds, evidence.completed.output
    assert evidence.video, evidence.completed.output


def test_without_an_ffmpeg_there_is_nothing_to_film_with(tmp_path: Path) -> None:
    tools = Tools(framework=Framework.PYTEST)
    assert find_recorder(tmp_path, tools, {"PATH": str(tmp_path), "HOME": str(tmp_path)}) is None


SHOWN = Viewport(width=40, height=30)


def taken(results: Path, path: str, *, shown: Viewport = SHOWN) -> bytes | None:
    notes = (shown, LeftFile(what="screenshot", path=path))
    return left_file(ArtifactKind.SCREENSHOT, notes, results)


def test_only_an_announced_picture_of_the_size_of_a_page_is_taken(tmp_path: Path) -> None:
    (tmp_path / "of-the-test").mkdir()
    for name, data in {
        "whole.png": png(40, 30),
        "double.png": png(80, 60),
        "wide.png": png(44, 30),
        "cut.png": png(40, 30)[:-5],
        "text.png": b"<svg/>",
    }.items():
        (tmp_path / "of-the-test" / name).write_bytes(data)
    assert left_file(ArtifactKind.SCREENSHOT, (SHOWN,), tmp_path) is None
    assert taken(tmp_path, "of-the-test/whole.png") == png(40, 30)
    assert taken(tmp_path, "of-the-test/double.png") is None
    assert taken(tmp_path, "of-the-test/double.png", shown=Viewport(width=40, height=30, scale=2)) == png(80, 60)
    assert {taken(tmp_path, f"of-the-test/{name}.png") for name in ("wide", "cut", "text", "absent")} == {None}


def test_a_link_leads_to_no_evidence(tmp_path: Path) -> None:
    results, elsewhere = tmp_path / "results", tmp_path / "elsewhere"
    results.mkdir()
    elsewhere.mkdir()
    (elsewhere / "a.png").write_bytes(png(40, 30))
    (results / "folder").symlink_to(elsewhere)
    (results / "circle.png").symlink_to("circle.png")
    (results / "b.png").symlink_to(elsewhere / "a.png")
    (results / "c.png").mkdir()
    (results / "d.png").hardlink_to(elsewhere / "a.png")
    paths = ("folder/a.png", "circle.png", "b.png", "c.png", "d.png", "../elsewhere/a.png", "", ".", "a\0b.png")
    assert {taken(results, path) for path in (*paths, str(elsewhere / "a.png"))} == {None}
