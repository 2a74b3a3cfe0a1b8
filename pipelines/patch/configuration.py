"""Whether a patch changes how tests and checks are run: their configuration, hooks and scripts. Pure.

A suite that was told to pass proves nothing, so this is a person's to change, unless policy says otherwise.
"""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from pipelines.patch import code
from pipelines.patch.content import Changed
from pipelines.patch.kinds import TEST_CONFIGURATION, named
from pipelines.patch.shown import shown

_TOOLS: Final = ("pytest", "coverage", "tox", "nox", "ruff", "mypy", "pyright", "pylint", "black", "isort", "flake8")
_PACKAGE_KEYS: Final = ("scripts", "jest", "vitest", "mocha", "ava", "nyc", "c8", "playwright", "eslintConfig")
_HOOKS: Final = re.compile(r"\bdef[ ]+(pytest_\w+)|\b(pytest_plugins|hookimpl|hookwrapper)\b")
_EXCLUDED: Final = re.compile(
    r"<Compile\s+Remove\b|<IsTestProject>\s*false|<VSTestTestCaseFilter>|<RunSettingsFilePath>", re.IGNORECASE
)


def configuration(changed: Sequence[Changed]) -> Iterator[str]:
    """Yield what is changed of the way in which tests and checks are run, a sentence each."""
    for one in changed:
        for path in dict.fromkeys((one.file.old_path, one.path)):
            if named(path, TEST_CONFIGURATION):
                yield f"{shown(path)} says how tests and checks are run; a person has to change it."
        reader = next((read for name, read in _READERS.items() if named(one.path, (name,))), None)
        if reader is None:
            continue
        try:
            before, after = reader(one.before), reader(one.after)
        except (ValueError, configparser.Error, RecursionError):  # those of JSON and TOML are ValueErrors
            yield f"{shown(one.path)} can't be read, before or after the patch, so nobody knows what it does to tests."
            continue
        keys = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
        if keys:
            what = ", ".join(shown(key) for key in keys[:5])
            yield f"{shown(one.path)} changes how tests and checks are run ({what}); a person has to do that."


def _pyproject(text: str) -> dict[str, Any]:
    tools = tomllib.loads(text).get("tool", {})
    return {f"tool.{name}": tools[name] for name in _TOOLS if name in tools} if isinstance(tools, dict) else {}


def _setup_cfg(text: str) -> dict[str, Any]:
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    parser.read_string(text)
    return {name: dict(parser[name]) for name in parser.sections() if name.partition(":")[0] in {"tool", *_TOOLS}}


def _package(text: str) -> dict[str, Any]:
    document = json.loads(text) if text.strip() else {}
    return {key: document[key] for key in _PACKAGE_KEYS if key in document} if isinstance(document, dict) else {}


def _conftest(text: str) -> dict[str, Any]:
    """Return hooks with their code: a hook decides what a test's outcome is."""
    source = code.read(text, code.PYTHON)
    return {
        (found[1] or found[2]): source.whole(found.start(), found.start() + 2_000).partition("\n")[0]
        for found in _HOOKS.finditer(source.text)
    }


def _project(text: str) -> dict[str, Any]:
    return {line.strip(): True for line in text.splitlines() if _EXCLUDED.search(line)}


_READERS: Final[dict[str, Callable[[str], dict[str, Any]]]] = {
    "pyproject.toml": _pyproject,
    "setup.cfg": _setup_cfg,
    "package.json": _package,
    "conftest.py": _conftest,
    "*.csproj": _project,
    "directory.build.props": _project,
}
"""Files that say other things as well: of these only what tests and checks are run by, by key."""
