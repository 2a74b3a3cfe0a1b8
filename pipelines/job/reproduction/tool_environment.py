"""What the agent's own runs of a test need: the browser that the job found. The job's own runs don't use it."""

from __future__ import annotations

import json

from pipelines.job.reproduction import playwright_framework, pytest_framework
from pipelines.job.reproduction.application import Application
from pipelines.job.reproduction.browser import Browser
from pipelines.job.workspace.checkout import Checkout
from pipelines.language import Framework

_NAME = "bug_fix_browser"


def tool_environment(
    framework: Framework, place: Checkout, application: Application, browser: Browser
) -> dict[str, str]:
    """Return variables for the agent's shell: where the application is, and how its tests start that browser.

    `python -m pytest` does so by itself; `playwright test` with `--config "$PLAYWRIGHT_CONFIG"`.
    """
    found = {"BASE_URL": application.base_url} | application.addresses
    folder = place.root / "plugins"
    folder.mkdir(exist_ok=True)
    if framework is Framework.PLAYWRIGHT_TEST:
        config = folder / "playwright.config.cjs"
        config.write_bytes(playwright_framework.CONFIG.read_bytes())
        told = playwright_framework.settings(
            browser, folder=place.folder, base_url=application.base_url, output=place.home / "playwright"
        )
        return found | {"PLAYWRIGHT_CONFIG": str(config), "BUG_FIX_REPRODUCTION": json.dumps(told), "NO_COLOR": "1"}
    (folder / f"{_NAME}.py").write_bytes(pytest_framework.CONFTEST.read_bytes())
    plugin = {"PYTHONPATH": str(folder), "PYTEST_ADDOPTS": f"-p {_NAME}"}
    return found | plugin | pytest_framework.variables(browser, notes="/dev/null")
