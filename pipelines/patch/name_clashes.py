"""Names that can't stand side by side on machines that ignore case, Unicode form or trailing dots. Pure.

A change is compared with itself and, where it adds files, with the folders of its base commit that they come into.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from msgspec import Struct

from pipelines.language.change_set import ChangeSet
from pipelines.patch.display_name import shown
from pipelines.patch.file_rules import folded


class FolderEntry(Struct, frozen=True, kw_only=True):
    """What a folder holds under one name."""

    name: str
    is_folder: bool
    """False for files, links and submodules."""


Folders = Callable[[str], Iterable[FolderEntry]]
"""Returns what a folder of the base commit holds, by its path; the root is empty. It is asked for folders that it named
itself, some of them more than once."""


def folders_of(paths: Iterable[str]) -> Folders:
    """Return the folders of a commit that has files at these paths."""
    held: Mapping[str, dict[str, FolderEntry]] = defaultdict(dict)
    for path in paths:
        above, name, is_folder = *_split(path), False
        while name not in held[above]:
            held[above][name] = FolderEntry(name=name, is_folder=is_folder)
            if not above:
                break
            above, name, is_folder = *_split(above), True
    return lambda folder: held[folder].values() if folder in held else ()


def name_faults(change: ChangeSet, folders: Folders) -> Iterator[str]:
    """Yield names that can't stand side by side, a sentence each; what is deleted makes room, so a case may change."""
    left = [file.path for file in change.files if file.after is not None]
    yield from _within(left)
    touched = frozenset(file.path for file in change.files)
    for file in change.files:
        if file.before is None:
            there = next((one for one in _beside(file.path, folders) if one not in touched), None)
            if there is not None:
                yield (
                    f"{shown(file.path)} would be one with {shown(there)}, which the commit has, on some machines; "
                    "change that file instead, or delete it as well."
                )


def _within(paths: Collection[str]) -> Iterator[str]:
    names: dict[str, list[str]] = {}
    for path in paths:
        names.setdefault(folded(path), []).append(path)
    groups = [group for group in names.values() if len(group) > 1]
    for path in paths:
        for above in _above(path):
            groups += [[file, path] for file in names.get(folded(above), ())]
    for group in groups:
        yield f"{' and '.join(map(shown, group))} would be one file on some machines; keep one of them."


def _beside(path: str, folders: Folders) -> Iterator[str]:
    """Yield files of the base commit that some machines would take for a path, or for a folder above it.

    What is spelled the same is left to git, which refuses it.
    """
    reached = [""]
    for spelled in (*_above(path), path):
        name = folded(_split(spelled)[1])
        named = [
            (_join(above, one.name), one) for above in reached for one in folders(above) if folded(one.name) == name
        ]
        reached = [there for there, one in named if one.is_folder]
        for there, one in named:
            if there == spelled:
                continue
            if not one.is_folder:
                yield there
            elif spelled == path:
                yield from _files(there, folders)


def _files(folder: str, folders: Folders) -> Iterator[str]:
    for one in folders(folder):
        path = _join(folder, one.name)
        if one.is_folder:
            yield from _files(path, folders)
        else:
            yield path


def _above(path: str) -> Iterator[str]:
    """Yield the folders above a path, the outermost first."""
    parts = path.split("/")
    for depth in range(1, len(parts)):
        yield "/".join(parts[:depth])


def _split(path: str) -> tuple[str, str]:
    above, _, name = path.rpartition("/")
    return above, name


def _join(above: str, name: str) -> str:
    return f"{above}/{name}" if above else name
