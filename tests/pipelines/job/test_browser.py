"""Which browser a job uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.job.isolation.processes import Launcher
from pipelines.job.reproduction.browser import find_browser

pytestmark = pytest.mark.integration


def executable(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_the_runners_browser_comes_first_and_then_the_one_on_the_path(launcher: Launcher, tmp_path: Path) -> None:
    named, found = executable(tmp_path / "own" / "browser"), executable(tmp_path / "bin" / "chromium")
    assert find_browser(launcher, {"PATH": str(tmp_path / "bin"), "BUG_FIX_BROWSER": named}).executable == named
    assert find_browser(launcher, {"PATH": str(tmp_path / "bin")}).executable == found
    assert find_browser(launcher, {"PATH": str(tmp_path / "bin"), "BUG_FIX_BROWSER": ""}).executable == found


def test_without_any_other_the_newest_of_playwrights_own_is_taken(launcher: Launcher, tmp_path: Path) -> None:
    executable(tmp_path / "chromium-1190" / "chrome-linux" / "chrome")
    newest = executable(tmp_path / "chromium-1208" / "chrome-linux64" / "chrome")
    environ = {"PATH": str(tmp_path / "bin"), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path)}
    assert find_browser(launcher, environ, places=()).executable == newest
    assert find_browser(launcher, {"PATH": str(tmp_path / "bin")}, places=()).executable is None
