"""Whether lock files and what they lock change together. Pure.

A lock file that changes without a cause hides what it brings; one that stays as its manifest changes breaks installs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from pipelines.patch import manifests
from pipelines.patch.changed import Base, Change, Changed
from pipelines.patch.display_name import shown
from pipelines.patch.kinds import named

Reader = Callable[[str], object]


class Lock(Struct, frozen=True, kw_only=True):
    """A kind of lock file and what it locks."""

    locks: tuple[str, ...]
    manifests: tuple[str, ...]
    asks_for: Reader
    """What a manifest asks for: when that changes, the lock file has to."""
    repeats: Reader | None = None
    """What the lock file holds besides: when that changes, it may."""


LOCKS: Final = (
    Lock(
        locks=("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock"),
        manifests=("package.json",),
        asks_for=manifests.npm,
        repeats=manifests.npm_root,
    ),
    Lock(locks=("uv.lock",), manifests=("pyproject.toml",), asks_for=manifests.uv),
    Lock(locks=("poetry.lock",), manifests=("pyproject.toml",), asks_for=manifests.poetry),
    Lock(locks=("pdm.lock",), manifests=("pyproject.toml",), asks_for=manifests.pdm),
    Lock(locks=("pipfile.lock",), manifests=("pipfile",), asks_for=manifests.pipenv),
    Lock(
        locks=("packages.lock.json",),
        manifests=("*.csproj", "directory.packages.props", "directory.build.props"),
        asks_for=manifests.dotnet,
    ),
    Lock(
        locks=("composer.lock",),
        manifests=("composer.json",),
        asks_for=manifests.composer,
        repeats=manifests.composer_hash,
    ),
    Lock(locks=("cargo.lock",), manifests=("cargo.toml",), asks_for=manifests.cargo),
    Lock(locks=("gemfile.lock",), manifests=("gemfile", "*.gemspec"), asks_for=manifests.ruby),
    Lock(locks=("go.sum",), manifests=("go.mod",), asks_for=manifests.go),
)


def is_lock_file(path: str) -> bool:
    """Say whether a tool writes a file and a person reviews its manifest instead."""
    return any(named(path, lock.locks) for lock in LOCKS)


def dependencies(changed: Sequence[Changed], base: Base) -> Iterator[str]:
    """Yield lock files that change without a cause, and those that should have changed, a sentence each."""
    for lock in LOCKS:
        about = [one for one in changed if named(one.path, lock.manifests)]
        asking = [one for one in about if _differs(one, lock.asks_for)]
        locked = [one for one in changed if named(one.path, lock.locks)]
        if not any(_differs(one, lock.repeats or lock.asks_for) for one in about):
            yield from (
                f"{shown(one.path)} changes although no manifest asks for anything else; restore it." for one in locked
            )
        if not locked:
            yield from (
                f"{shown(one.path)} asks for other packages, but {shown(beside)} is as it was; update it with its tool."
                for one in asking
                if (beside := _beside(one, lock, base)) is not None
            )


def _differs(one: Changed, read: Reader) -> bool:
    if one.change is Change.ADDED:
        return True
    try:
        return read(one.before) != read(one.after)
    except (ValueError, AttributeError, RecursionError):  # it is not what its name says; to be safe, something changed
        return True


def _beside(one: Changed, lock: Lock, base: Base) -> str | None:
    """Return the lock file beside a manifest, if there is one."""
    folder, slash, _ = one.path.rpartition("/")
    written = (form for name in lock.locks for form in (name, name.capitalize()))  # Cargo.lock, Gemfile.lock
    names = (f"{folder}{slash}{name}" for name in written)
    return next((name for name in names if base(name) is not None), None)
