"""Coverage of a repository and of a patch's lines, from what Cobertura reports say. Pure.

Reports name files as their tool saw them: relative to a source folder, absolute, with a drive letter, from another
checkout. A file of the repository is recognised by the end of that path, and only where no other file could be meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipelines.job.cobertura import MeasuredFile, plain
from pipelines.model import Coverage
from pipelines.patch import PatchSummary

Lines = Mapping[str, Mapping[int, bool]]
"""By path, relative to the repository's root, then by line: whether it was run."""


def located(measured: Iterable[MeasuredFile], paths: Iterable[str], *, root: str) -> dict[str, dict[int, bool]]:
    """Return the measured lines by path; what is no file of the repository keeps its own name, after a `?`.

    `paths` are the repository's files, `root` is the folder in which the report was made.
    """
    by_name: dict[str, list[str]] = {}
    for path in paths:
        by_name.setdefault(path.rpartition("/")[2], []).append(path)
    found: dict[str, dict[int, bool]] = {}
    for file in measured:
        candidates = by_name.get(file.name.rpartition("/")[2], [])
        lines = found.setdefault(_path(file, candidates, f"{plain(root)}/") or f"?{file.name}", {})
        for number, hit in file.lines.items():
            lines[number] = lines.get(number, False) or hit
    return found


def _path(file: MeasuredFile, candidates: list[str], root: str) -> str | None:
    for place in file.places:
        if place.startswith(root):
            if (here := place.removeprefix(root)) in candidates:
                return here
        elif ends := [path for path in candidates if place == path or ("/" in path and place.endswith(f"/{path}"))]:
            return max(ends, key=len)
    within = [path for path in candidates if path.endswith(f"/{file.name}")]
    return within[0] if len(within) == 1 else None


def in_all(lines: Lines) -> Coverage:
    """Return the coverage of everything that was measured."""
    hits = [hit for file in lines.values() for hit in file.values()]
    return Coverage(covered=sum(hits), coverable=len(hits))


def of_patch(lines: Lines, patch: PatchSummary) -> Coverage:
    """Return the coverage of the lines that a patch adds or changes; the others of its lines can't be run."""
    hits = [
        lines[file.path][number]
        for file in patch.files
        if file.path in lines
        for number, _ in file.added
        if number in lines[file.path]
    ]
    return Coverage(covered=sum(hits), coverable=len(hits))
