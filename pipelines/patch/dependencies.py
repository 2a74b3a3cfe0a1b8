"""Whether lock files and what they lock change together. Pure.

A lock file that changes without a cause hides what it brings; one that stays as its manifest changes breaks installs.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from msgspec import Struct

from pipelines.patch.changed import Base, Change, Changed
from pipelines.patch.display_name import shown
from pipelines.patch.kinds import named

_JSON_KEYS: Final = (
    *("dependencies", "devDependencies", "peerDependencies", "optionalDependencies", "bundledDependencies"),
    *("overrides", "resolutions", "workspaces", "engines", "packageManager", "require", "require-dev"),
)
_REFERENCE: Final = re.compile(r"<(?:Package|Project|Framework)(?:Reference|Version)\b[^<>]{0,2000}>", re.IGNORECASE)


def _package(text: str) -> object:
    document = json.loads(text) if text.strip() else {}
    return {key: document.get(key) for key in _JSON_KEYS} if isinstance(document, dict) else text


def _pyproject(text: str) -> object:
    document = tomllib.loads(text)
    tools = document.get("tool", {})
    poetry = tools.get("poetry", {})
    project: dict[str, Any] = document.get("project", {})
    return (
        [project.get(key) for key in ("name", "version", "dependencies", "optional-dependencies", "requires-python")],
        [document.get("dependency-groups"), tools.get("uv"), tools.get("pdm")],
        {key: value for key, value in poetry.items() if key in {"extras", "group"} or key.endswith("dependencies")},
    )


def _references(text: str) -> object:
    return sorted(_REFERENCE.findall(text))


class Lock(Struct, frozen=True, kw_only=True):
    """A kind of lock file and what it locks."""

    locks: tuple[str, ...]
    manifests: tuple[str, ...]
    asks_for: Callable[[str], object]
    """What a manifest asks for: equal before and after when nothing else is asked for."""


LOCKS: Final = (
    Lock(
        locks=("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock"),
        manifests=("package.json",),
        asks_for=_package,
    ),
    Lock(locks=("uv.lock", "poetry.lock", "pdm.lock"), manifests=("pyproject.toml",), asks_for=_pyproject),
    Lock(locks=("pipfile.lock",), manifests=("pipfile",), asks_for=str.strip),
    Lock(
        locks=("packages.lock.json",),
        manifests=("*.csproj", "directory.packages.props", "directory.build.props"),
        asks_for=_references,
    ),
    Lock(locks=("composer.lock",), manifests=("composer.json",), asks_for=_package),
    Lock(locks=("cargo.lock",), manifests=("cargo.toml",), asks_for=str.strip),
    Lock(locks=("gemfile.lock",), manifests=("gemfile", "*.gemspec"), asks_for=str.strip),
    Lock(locks=("go.sum",), manifests=("go.mod",), asks_for=str.strip),
)


def is_lock_file(path: str) -> bool:
    """Say whether a tool writes a file and a person reviews its manifest instead."""
    return any(named(path, lock.locks) for lock in LOCKS)


def dependencies(changed: Sequence[Changed], base: Base) -> Iterator[str]:
    """Yield lock files that change without a cause, and those that should have changed, a sentence each."""
    for lock in LOCKS:
        asking = [one for one in changed if named(one.path, lock.manifests) and _asks_otherwise(one, lock)]
        locked = [one for one in changed if named(one.path, lock.locks)]
        if not asking:
            yield from (
                f"{shown(one.path)} changes although no manifest asks for anything else; restore it." for one in locked
            )
        if not locked:
            yield from (
                f"{shown(one.path)} asks for other packages, but {shown(beside)} is as it was; update it with its tool."
                for one in asking
                if (beside := _beside(one, lock, base)) is not None
            )


def _asks_otherwise(one: Changed, lock: Lock) -> bool:
    if one.change is Change.ADDED:
        return True
    try:
        return lock.asks_for(one.before) != lock.asks_for(one.after)
    except (ValueError, AttributeError, RecursionError):  # it is not what its name says; to be safe, something changed
        return True


def _beside(one: Changed, lock: Lock, base: Base) -> str | None:
    """Return the lock file beside a manifest, if there is one."""
    folder, slash, _ = one.path.rpartition("/")
    names = (f"{folder}{slash}{name}" for name in lock.locks if name == name.lower())
    return next((name for name in names if base(name) is not None), None)
