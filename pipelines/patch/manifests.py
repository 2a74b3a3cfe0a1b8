"""What a package manifest asks for: the parts on which its lock file depends, and nothing else. Pure.

Each reader returns a value that is equal before and after a change when no other packages are asked for. A reader
raises ValueError, AttributeError or RecursionError for a file that is not what its name says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pipelines.patch.documents import toml

_NPM: Final = (
    *("dependencies", "devDependencies", "peerDependencies", "peerDependenciesMeta", "optionalDependencies"),
    *("bundledDependencies", "bundleDependencies", "overrides", "resolutions", "workspaces"),
)
_NPM_ROOT: Final = (*_NPM, "name", "version", "engines", "packageManager", "license", "bin", "os", "cpu")
"""What the root entry of package-lock.json repeats: https://docs.npmjs.com/cli/configuring-npm/package-lock-json."""
_COMPOSER: Final = ("require", "require-dev", "conflict", "replace", "provide", "minimum-stability", "repositories")
_COMPOSER_HASH: Final = (*_COMPOSER, "name", "version", "prefer-stable", "extra", "config")
_PROJECT: Final = ("dependencies", "optional-dependencies", "requires-python")
_CARGO: Final = ("dependencies", "dev-dependencies", "build-dependencies", "target", "features", "patch", "replace")
_REFERENCE: Final = re.compile(r"<(?:Package|Project|Framework)(?:Reference|Version)\b[^<>]{0,2000}>", re.IGNORECASE)
_GO_COMMENT: Final = re.compile(r"//(?! indirect).*")


def npm(text: str) -> object:
    """Return what a package.json asks for."""
    return _json(text, _NPM)


def npm_root(text: str) -> object:
    """Return all of a package.json that its lock file repeats, its own version for example."""
    return _json(text, _NPM_ROOT)


def composer(text: str) -> object:
    """Return what a composer.json asks for."""
    return _json(text, _COMPOSER)


def composer_hash(text: str) -> object:
    """Return all of a composer.json that its lock's content hash covers."""
    return _json(text, _COMPOSER_HASH)


def poetry(text: str) -> object:
    """Return what Poetry's content hash covers: dependency tables and sources, not the project's own version."""
    document = toml(text)
    tables = document.get("tool", {}).get("poetry", {})
    names = {"extras", "group", "source", *(name for name in tables if name.endswith("dependencies"))}
    return [_picked(tables, names), _python(document)]


def pdm(text: str) -> object:
    """Return what PDM's content hash covers."""
    document = toml(text)
    tables = document.get("tool", {}).get("pdm", {})
    return [_picked(tables, ("dev-dependencies", "source", "resolution", "overrides")), _python(document)]


def uv(text: str) -> object:
    """Return what uv.lock depends on: it holds the project itself, with name and version."""
    document = toml(text)
    project = document.get("project", {})
    settings = {name: value for name, value in document.get("tool", {}).get("uv", {}).items() if name != "pip"}
    return [project.get("name"), project.get("version"), settings, _python(document)]


def pipenv(text: str) -> object:
    """Return what the hash in Pipfile.lock covers."""
    return {name: value for name, value in toml(text).items() if name not in {"scripts", "pipenv"}}


def cargo(text: str) -> object:
    """Return what Cargo.lock depends on: it holds the package itself, with name and version."""
    document = toml(text)
    package, workspace = document.get("package", {}), document.get("workspace", {})
    return [
        package.get("name"),
        package.get("version"),
        _picked(document, _CARGO),
        _picked(workspace, ("members", "exclude", "dependencies")),
        workspace.get("package", {}).get("version"),
    ]


def go(text: str) -> object:
    """Return the modules that a go.mod names; its own, Go's version and the toolchain are in no go.sum."""
    lines = (_GO_COMMENT.sub("", line).strip() for line in text.splitlines())
    return sorted(
        line for line in lines if line and not re.match(r"(?:module|go|toolchain|retract|require \()\b", line)
    )


def ruby(text: str) -> object:
    """Return a Gemfile or gemspec without comments and blank lines: it is a program."""
    return [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]


def dotnet(text: str) -> object:
    """Return the references of a project file."""
    return sorted(_REFERENCE.findall(text))


def _json(text: str, names: Iterable[str]) -> object:
    document = json.loads(text) if text.strip() else {}
    return _picked(document, names) if isinstance(document, dict) else text


def _python(document: Mapping[str, Any]) -> object:
    return [_picked(document.get("project", {}), _PROJECT), document.get("dependency-groups")]


def _picked(table: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: table[name] for name in names if name in table}
