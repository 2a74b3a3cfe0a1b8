"""Which changed files of the product are taken back, one variant each, and which can't be. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Final

from msgspec import Struct

from pipelines.language import FileWord, ProbedFile
from pipelines.language.change_set import ChangeSet
from pipelines.patch.dependencies import LOCKS
from pipelines.patch.kinds import GENERATED, MIGRATIONS, is_documentation, named

_ALIKE: Final = 0.5
"""Share of its lines that a file has to keep under another name to be the same file."""
_MOST_LINES: Final = 2_000


class Variant(Struct, frozen=True, kw_only=True):
    """The change without one of its files."""

    path: str
    without: tuple[str, ...]
    """The file, and lock files that belong to it."""


class RevertPlan(Struct, frozen=True, kw_only=True):
    """What to take back."""

    variants: tuple[Variant, ...]
    left_out: tuple[ProbedFile, ...]
    """Files that can't be taken back alone."""


def revert_plan(change: ChangeSet, *, about_tests: Sequence[str], texts: Mapping[str, tuple[str, str]]) -> RevertPlan:
    """Return the variants of a change; documentation, tests and lock files are no product files.

    `texts` are the changed files' texts before and after.
    """
    product = [file for file in change.files if file.path not in about_tests and not is_documentation(file.path)]
    renamed = set(_renamed(change, texts))
    variants: list[Variant] = []
    left_out: list[ProbedFile] = []
    for file in product:
        if named(file.path, _LOCKED):
            continue
        if file.path in renamed:
            reason = "it is renamed"
        elif named(file.path, MIGRATIONS):
            reason = "it is a migration"
        elif named(file.path, GENERATED):
            reason = "it is generated"
        else:
            variants.append(Variant(path=file.path, without=(file.path, *_locks(file.path, change))))
            continue
        left_out.append(ProbedFile(path=file.path, word=FileWord.NOT_PROBED, reason=reason))
    return RevertPlan(variants=tuple(variants), left_out=tuple(left_out))


_LOCKED: Final = tuple(name for lock in LOCKS for name in lock.locks)


def _locks(path: str, change: ChangeSet) -> Iterator[str]:
    """Yield the changed lock files of a manifest."""
    for lock in LOCKS:
        if named(path, lock.manifests):
            yield from (file.path for file in change.files if named(file.path, lock.locks))


def _renamed(change: ChangeSet, texts: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    """Yield both paths of files that the change takes away in one place and brings in another."""
    added = [file.path for file in change.files if file.before is None and file.path in texts]
    for gone in (file.path for file in change.files if file.after is None and file.path in texts):
        before = texts[gone][0].splitlines()[:_MOST_LINES]
        for new in added:
            after = texts[new][1].splitlines()[:_MOST_LINES]
            if before and SequenceMatcher(a=before, b=after, autojunk=False).ratio() >= _ALIKE:
                yield from (gone, new)
