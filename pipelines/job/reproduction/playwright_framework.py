"""How `@playwright/test` runs a reproduction: files beside the test, command, variables. Runs nothing.

The test imports a stand-in for the package, which is the package and takes notes. Configuration, reporter and stand-in
are ours; the package itself is the repository's, from its base commit.
"""

from __future__ import annotations

import json
from pathlib import Path

from pipelines.job.communication.errors import JobError
from pipelines.job.reproduction.browser import Browser
from pipelines.job.reproduction.run_request import Errand, Prepared

_OURS = Path(__file__).parent / "playwright_test"
CONFIG = _OURS / "config.cjs"


def prepare(errand: Errand) -> Prepared:
    """Write what stands beside the test, and return how to run it. Raises `JobError` without the package."""
    folder, package = errand.folder, errand.tools.package
    if package is None:
        raise JobError("A reproduction in TypeScript needs @playwright/test, which this job has not installed.")
    test = errand.put_test(f"reproduction.spec{errand.script.suffix}")
    (folder / "package.json").write_text(json.dumps({"private": True, "type": errand.tools.module_type}))
    for name in ("tsconfig.json", "jsconfig.json"):  # for releases that don't know the setting
        (folder / name).write_text("{}")
    for name in ("config.cjs", "reporter.cjs"):
        (folder / name).write_bytes((_OURS / name).read_bytes())
    _stand_in(folder / "node_modules" / "@playwright" / "test", package)
    told = settings(
        errand.browser, folder=test.parent, base_url=errand.base_url, output=errand.results / "playwright"
    ) | {
        "test": test.name,
        "tsconfig": str(folder / "tsconfig.json"),
        "notes": str(errand.notes),
        "playwright": str(package),
        "video": "on" if errand.video else "off",
        "reporters": [
            ["junit", {"outputFile": str(errand.results / "junit.xml"), "stripANSIControlSequences": True}],
            [str(folder / "reporter.cjs")],
        ],
    }
    return Prepared(
        command=["node", str(package / "cli.js"), "test", "--config", str(folder / "config.cjs")],
        variables={"BUG_FIX_REPRODUCTION": json.dumps(told), "NO_COLOR": "1"},
    )


def settings(browser: Browser, *, folder: Path, base_url: str, output: Path) -> dict[str, object]:
    """Return what our configuration reads, for runs without notes and reports."""
    return {
        "folder": str(folder),
        "test": None,
        "output": str(output),
        "base_url": base_url,
        "executable": browser.executable,
        "arguments": browser.arguments,
        "sandbox": browser.sandbox,
        "video": "off",
        "reporters": [],
    }


def _stand_in(place: Path, package: Path) -> None:
    place.mkdir(parents=True)
    (place / "index.cjs").write_bytes((_OURS / "index.cjs").read_bytes())
    (place / "index.mjs").write_text(
        f"export * from {json.dumps((package / 'index.mjs').as_uri())};\n"
        'import noting from "./index.cjs";\nexport const test = noting.test;\nexport default noting.test;\n'
    )
    entry = {"import": "./index.mjs", "require": "./index.cjs"}
    (place / "package.json").write_text(json.dumps({"name": "@playwright/test", "exports": {".": entry}}))
