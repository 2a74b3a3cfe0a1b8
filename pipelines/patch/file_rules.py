"""What a change may not do to files, by their names, modes and contents: a table of rules. Pure.

Each violation is a sentence for people. The same rules run in the job and, since jobs are not trusted, in the receiver.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence

from pipelines.language.change_set import FILE_MODES, SUBMODULE, SYMLINK, ChangeSet, FileChange
from pipelines.language.policy import Policy
from pipelines.patch.display_name import shown
from pipelines.patch.globs import matches
from pipelines.patch.run_elsewhere import ROWS, PathRow, Ruling

_SPECIAL_MODES = {SYMLINK: "is a symbolic link", SUBMODULE: "is a submodule"}
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
"""https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md: the first line of what git holds instead of the file."""

_IGNORABLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")
"""File systems of other people's machines drop these: `.g\u200bit` would arrive there as `.git`."""
_SHORT_GIT = re.compile(r"git~\d+")


def size_faults(change: ChangeSet, *, policy: Policy) -> Iterator[str]:
    """Yield what is wrong with the number of files, a sentence each."""
    if not change.files:
        yield "The fix changes nothing."
    if len(change.files) > policy.max_patch_files:
        yield f"The fix touches {len(change.files)} files; policy allows {policy.max_patch_files}."


def file_faults(file: FileChange, *, allowed: Sequence[str]) -> Iterator[str]:
    """Yield why a file may not be changed, a sentence each. `allowed` are the catalogue's globs (`paths_allowed`)."""
    yield from (sentence for rule in _PATH_RULES if (sentence := rule(file.path)))
    if not any(matches(pattern, file.path) for pattern in allowed):
        yield f"{shown(file.path)} is outside of the paths that the catalogue allows: {', '.join(allowed)}."
    for mode in dict.fromkeys(side.mode for side in (file.before, file.after) if side is not None):
        if mode not in FILE_MODES:
            yield f"{shown(file.path)} {_SPECIAL_MODES.get(mode, f'has the mode {mode}')}; only plain files are taken."
    if file.after is not None:
        yield from content_faults(file.path, file.after.content)


def content_faults(path: str, content: bytes) -> Iterator[str]:
    """Yield why nobody can review a content, before or after the change."""
    if b"\0" in content:
        yield f"{shown(path)} is binary: nobody can review it; a person has to change it."
    if content.startswith(_LFS_POINTER):
        yield f"{shown(path)} is kept in Git LFS, so its content is not here; a person has to change it."


def _not_relative(path: str) -> str | None:
    if path.startswith("/") or re.match(r"[A-Za-z]:", path):
        return f"{shown(path)} is an absolute path."
    if any(part in {"", ".", ".."} for part in path.split("/")):
        return f"{shown(path)} leaves its folder or is not in its plain form."
    return None


def _unprintable(path: str) -> str | None:
    if "\\" in path or any(
        unicodedata.category(character) in {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"} for character in path
    ):
        return f"{shown(path)} holds a backslash, control character or invisible character."
    return None


def _git_file(path: str) -> str | None:
    parts = folded(path).split("/")
    if path.rpartition("/")[2] == ".gitkeep":  # an empty file by which git keeps a folder; git itself reads none
        parts.pop()
    for part in parts:
        if part.startswith(".git") or _SHORT_GIT.match(part):
            return f"{shown(path)} belongs to git or GitLab (.git…); the bot does not touch it."
    return None


def _elsewhere(path: str) -> str | None:
    row = row_of(path)
    if row is None or row.ruling is not Ruling.REFUSE:
        return None
    return f"{shown(path)} {row.why}; a person has to change it."


_PATH_RULES: tuple[Callable[[str], str | None], ...] = (_not_relative, _unprintable, _git_file, _elsewhere)


def row_of(path: str) -> PathRow | None:
    """Return the row of the table that means a path, if there is one."""
    plain = folded(path)
    return next((row for row in ROWS if _means(row, plain)), None)


def _means(row: PathRow, plain: str) -> bool:
    if plain.rpartition(".")[2] in row.unless:
        return False
    return any(matches(_anywhere(pattern), plain) for pattern in row.patterns)


def _anywhere(pattern: str) -> str:
    return pattern[1:] if pattern.startswith("/") else f"**/{pattern}"


def folded(path: str) -> str:
    """Return the path as the most forgiving file system would compare it."""
    visible = _IGNORABLE.sub("", unicodedata.normalize("NFKC", path)).casefold()
    return "/".join(part.rstrip(". ") or part for part in visible.split("/"))
