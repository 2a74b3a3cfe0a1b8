"""Whether a file is somebody else's code or made by a tool, so that a fix belongs where it comes from. Pure.

Folder names are weak signs: `vendor`, `coverage` and `dist` are words of businesses too. They count where the tool that
makes such a folder makes it: in lower case, at the root or beside its manifest. A repository's `.gitattributes` decide
before names do, and the catalogue before them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from pipelines.patch.changed import Base, Changed
from pipelines.patch.display_name import shown
from pipelines.patch.git_attributes import attributes
from pipelines.patch.globs import matches
from pipelines.patch.kinds import GENERATED, VENDORED, named


class Foreign(StrEnum):
    """What a file is that no fix changes."""

    VENDORED = "belongs to somebody else's code that is kept here; mend it where it comes from"
    GENERATED = "is generated; change what it is made from"


class _Folder(Struct, frozen=True, kw_only=True):
    """A folder that a tool makes."""

    names: tuple[str, ...]
    """As the tool writes it."""
    is_: Foreign
    beside: tuple[tuple[str, bytes], ...]
    """Manifests beside which the tool makes it, `{parent}` for the name of their folder, and what each holds."""
    at_root: bool = True
    """A sign by itself at the root of the repository."""


_PACKAGE: Final = ("package.json", b"{")
_GO: Final = ("go.mod", b"module ")
_CARGO: Final = ("Cargo.toml", b"[")
_PROJECTS: Final = tuple((f"{{parent}}.{kind}proj", b"<Project") for kind in ("cs", "fs", "vb"))

_FOLDERS: Final = (
    _Folder(
        names=("vendor", "vendored"),
        is_=Foreign.VENDORED,
        beside=(_GO, _CARGO, ("composer.json", b"{"), ("Gemfile", b"gem ")),
    ),
    _Folder(names=("third_party", "third-party"), is_=Foreign.VENDORED, beside=(_GO, _CARGO)),
    _Folder(
        names=("dist",), is_=Foreign.GENERATED, beside=(_PACKAGE, ("pyproject.toml", b"["), ("setup.py", b"setup"))
    ),
    _Folder(names=("obj",), is_=Foreign.GENERATED, beside=_PROJECTS),
    _Folder(names=("test-results",), is_=Foreign.GENERATED, beside=(_PACKAGE,)),
    _Folder(names=("coverage",), is_=Foreign.GENERATED, beside=(_PACKAGE,), at_root=False),
)

_SAYS_GENERATED: Final = ("linguist-generated", "gitlab-generated")
_SAYS_VENDORED: Final = ("linguist-vendored",)
"""https://docs.gitlab.com/user/project/merge_requests/changes/#collapse-generated-files and linguist's overrides."""
_MARK: Final = re.compile(
    r"code generated .{0,80}do not edit|@generated\b|<auto-?generated|this file (?:is|was) (?:auto-?)?generated",
    re.IGNORECASE,
)
_HEAD: Final = 1_000
"""Characters at a file's beginning in which generators say so."""


def foreign_files(changed: Sequence[Changed], base: Base, *, handwritten: Sequence[str]) -> Iterator[str]:
    """Yield a sentence for each file that is not written here. `handwritten`: globs of those that are."""
    for one in changed:
        if any(matches(pattern, one.path) for pattern in handwritten):
            continue
        found = _foreign(one, base)
        if found is not None:
            yield f"{shown(one.path)} {found}; or a person names it in bug-fix.yml (`paths_handwritten`)."


def _foreign(one: Changed, base: Base) -> Foreign | None:
    by_name = _by_name(one.path)
    by_folder = None if by_name else _by_folder(one.path, base)
    said = attributes(one.path, base, nested=(by_name or by_folder) is not None)
    is_generated, is_vendored = _said(said, _SAYS_GENERATED), _said(said, _SAYS_VENDORED)
    if is_generated or is_vendored:
        return Foreign.GENERATED if is_generated else Foreign.VENDORED
    by_text = Foreign.GENERATED if _MARK.search(one.before[:_HEAD]) else None
    found = by_name or by_folder or by_text
    denied = is_vendored if found is Foreign.VENDORED else is_generated
    return None if denied is False else found


def _said(said: dict[str, bool], names: Sequence[str]) -> bool | None:
    return next((said[name] for name in names if name in said), None)


def _by_name(path: str) -> Foreign | None:
    if named(path, VENDORED):
        return Foreign.VENDORED
    return Foreign.GENERATED if named(path, GENERATED) else None


def _by_folder(path: str, base: Base) -> Foreign | None:
    *folders, _ = path.split("/")
    for place, name in enumerate(folders):
        for row in _FOLDERS:
            if name in row.names and ((row.at_root and not place) or _has_manifest(folders[:place], row, base)):
                return row.is_
    return None


def _has_manifest(above: Sequence[str], row: _Folder, base: Base) -> bool:
    parent = above[-1] if above else ""
    for name, holds in row.beside:
        content = base("/".join((*above, name.format(parent=parent))))
        if content is not None and holds in content:
            return True
    return False
