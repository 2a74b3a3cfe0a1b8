"""What the agent's own runs of pytest need: the browser that the job found. The job's own runs don't use it."""

from __future__ import annotations

import json
from pathlib import Path

from pipelines.job.browser import Browser

_PLUGIN = Path(__file__).parent / "reproduction_conftest.py"
_NAME = "bug_fix_browser"


def browser_environment(root: Path, browser: Browser) -> dict[str, str]:
    """Return variables that make `python -m pytest` start that browser, through a plugin in a folder of its own."""
    folder = root / "plugins"
    folder.mkdir(exist_ok=True)
    (folder / f"{_NAME}.py").write_bytes(_PLUGIN.read_bytes())
    return {
        "PYTHONPATH": str(folder),
        "PYTEST_ADDOPTS": f"-p {_NAME}",
        "BUG_FIX_NOTES": "/dev/null",
        "BUG_FIX_BROWSER": json.dumps({"executable": browser.executable, "arguments": browser.arguments}),
    }
