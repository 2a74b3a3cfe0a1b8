"""Whether a patch changes how tests and checks are run: their configuration, hooks and scripts. Pure.

A suite that was told to pass proves nothing, so this is a person's to change, unless policy says otherwise.
"""

from __future__ import annotations

import configparser
import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from pipelines.patch.changed import Base, Change, Changed
from pipelines.patch.display_name import shown
from pipelines.patch.documents import toml
from pipelines.patch.kinds import TEST_CONFIGURATION, named
from pipelines.patch.stand_ins import stand_in

_TOOLS: Final = ("pytest", "coverage", "tox", "nox", "ruff", "mypy", "pyright", "pylint", "black", "isort", "flake8")
_PACKAGE_KEYS: Final = (
    *("scripts", "jest", "vitest", "mocha", "ava", "nyc", "c8", "playwright", "eslintConfig"),
    *("babel", "config", "nx", "pnpm", "tap", "wireit"),
)
_MSBUILD: Final = re.compile(
    r"""<(?: Compile\ (?:[^<>]{0,300}\ )?Remove\b | IsTestProject>\ ?false | VSTest\w+> | RunSettingsFilePath>
    | Import\b | (?:Exec|UsingTask)\b | Target\b (?= [^<>]{0,500}["';] (?:\w*Test\w*) ["';] ) ) [^<>]{0,300}""",
    re.IGNORECASE | re.VERBOSE,
)
"""What leaves tests out, or lets MSBuild do something in place of them, around them or from another file."""
_COMMENT: Final = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_PLUGIN: Final = "pytest11"
"""The group of entry points by which pytest loads a plugin that nobody asked for."""


def configuration(changed: Sequence[Changed], base: Base) -> Iterator[str]:
    """Yield what is changed of the way in which tests and checks are run, a sentence each."""
    for one in changed:
        if named(one.path, TEST_CONFIGURATION):
            yield f"{shown(one.path)} says how tests and checks are run; a person has to change it."
        if one.change is Change.ADDED and (why := stand_in(one.path, base)):
            yield f"{shown(one.path)} {why}"
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
    document = toml(text)
    found = {f"tool.{name}": _at(document, "tool", name) for name in _TOOLS}
    deep = (("tool", "hatch", "envs"), ("tool", "pdm", "scripts"), ("tool", "poe"), ("tool", "taskipy"))
    plugins = (("project", "entry-points", _PLUGIN), ("tool", "poetry", "plugins", _PLUGIN))
    found |= {".".join(names): _at(document, *names) for names in (*deep, *plugins)}
    return {key: value for key, value in found.items() if value is not None}


def _at(document: object, *names: str) -> Any:  # noqa: ANN401 - plain TOML data of any shape
    for name in names:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _setup_cfg(text: str) -> dict[str, Any]:
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    parser.read_string(text)
    found: dict[str, Any] = {
        name: dict(parser[name]) for name in parser.sections() if name.partition(":")[0] in {"tool", *_TOOLS}
    }
    plugin = parser.get("options.entry_points", _PLUGIN, fallback=None)
    return found if plugin is None else found | {_PLUGIN: plugin}


def _package(text: str) -> dict[str, Any]:
    document = json.loads(text) if text.strip() else {}
    return {key: document[key] for key in _PACKAGE_KEYS if key in document} if isinstance(document, dict) else {}


def _project(text: str) -> dict[str, Any]:
    plain = " ".join(_COMMENT.sub(" ", text).split())
    return {found[0].strip(): True for found in _MSBUILD.finditer(plain)}


def _global(text: str) -> dict[str, Any]:
    document = json.loads(text) if text.strip() else {}
    return {"test": document["test"]} if isinstance(document, dict) and "test" in document else {}


_READERS: Final[dict[str, Callable[[str], dict[str, Any]]]] = {
    "pyproject.toml": _pyproject,
    "setup.cfg": _setup_cfg,
    "package.json": _package,
    "*.*proj": _project,
    "*.props": _project,
    "*.targets": _project,
    "global.json": _global,
}
"""Files that say other things as well: of these only what tests and checks are run by, by key."""
