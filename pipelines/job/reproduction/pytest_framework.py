"""How pytest runs a reproduction: files beside the test, command, variables. Runs nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pipelines.job.reproduction.browser import Browser
from pipelines.job.reproduction.repository_imports import SOURCES
from pipelines.job.reproduction.run_request import Errand, Prepared

CONFTEST = Path(__file__).parent / "injected_conftest.py"
_PLUGIN = "pytest_playwright.pytest_playwright"


def prepare(errand: Errand) -> Prepared:
    """Write what stands beside the test, and return how to run it."""
    folder, results = errand.folder, errand.results
    test = errand.put_test("test_reproduction.py")
    (folder / "conftest.py").write_bytes(CONFTEST.read_bytes())
    (folder / "pytest.ini").write_text("\n".join(("[pytest]", "addopts =", *_search_path(errand, test), "")))
    alone = [
        f"--rootdir={folder}",
        f"--confcutdir={folder}",
        "-c",
        str(folder / "pytest.ini"),
        "-p",
        "no:cacheprovider",
    ]
    wanted = ["--tracing=on", "--screenshot=on", f"--output={results / 'playwright'}"]
    report = [f"--junitxml={results / 'junit.xml'}", f"--base-url={errand.base_url}", "--import-mode=importlib", "-q"]
    video = ["--video=on"] if errand.video else []
    return Prepared(
        command=[errand.python, "-I", "-m", "pytest", "-p", _PLUGIN, *alone, *wanted, *video, *report, str(test)],
        variables=variables(errand.browser, notes=str(errand.notes)) | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )


def _search_path(errand: Errand, test: Path) -> Iterator[str]:
    """Yield where the modules are found that a test imports from its repository."""
    if errand.script.imports:
        yield "pythonpath ="
        yield from (
            f"    {place.relative_to(errand.folder)}"
            for place in (*(errand.copy / one for one in SOURCES), test.parent)
        )


def variables(browser: Browser, *, notes: str) -> dict[str, str]:
    """Return what our conftest reads: the browser to start, and the file for its notes."""
    told = {"executable": browser.executable, "arguments": browser.arguments, "sandbox": browser.sandbox}
    return {"BUG_FIX_NOTES": notes, "BUG_FIX_BROWSER": json.dumps(told)}
