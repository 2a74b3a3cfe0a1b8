"""Coverage of a repository and of a change's lines, from what Cobertura reports say. Pure.

Reports name files as their tool saw them: relative to a source folder, absolute, with a drive letter, from another
checkout. A file of the repository is recognised by the end of that path, and only where no other file could be meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pipelines.language import Coverage
from pipelines.patch import compare
from pipelines.proof.measured_file import MeasuredFile, plain

Lines = Mapping[str, Mapping[int, bool]]
"""By path, relative to the repository's root, then by line: whether it was run."""


def located(measured: Iterable[MeasuredFile], paths: Iterable[str], *, root: str) -> dict[str, dict[int, bool]]:
    """Return the measured lines by path; what is no file of the repository keeps its own name, after a `?`.

    `paths` are the repository's files, `root` is the folder in which the report was made.
    """
    measured = tuple(measured)
    known = frozenset(paths)
    names, ends = {path.rpartition("/")[2] for path in known}, _ends(known, {file.name for file in measured})
    found: dict[str, dict[int, bool]] = {}
    for file in measured:
        is_known = file.name.rpartition("/")[2] in names
        path = (_path(file, known, f"{plain(root)}/") or ends.get(file.name)) if is_known else None
        lines = found.setdefault(path or f"?{file.name}", {})
        for number, hit in file.lines.items():
            lines[number] = lines.get(number, False) or hit
    return found


def _path(file: MeasuredFile, known: frozenset[str], root: str) -> str | None:
    """Return the file of the repository that a place means: by its root, or the longest path that the place ends with.

    Each place is read once, whatever else is called alike: a report and a repository can name thousands of files alike.
    """
    for place in file.places:
        if place.startswith(root):
            if (here := place.removeprefix(root)) in known:
                return here
        elif end := next((end for end in _suffixes(place) if end in known and ("/" in end or end == place)), None):
            return end
    return None


def _ends(paths: Iterable[str], names: set[str]) -> dict[str, str | None]:
    """Return the one path below a folder that ends with a measured name; None where there are several."""
    found: dict[str, str | None] = {}
    for path in paths:
        for end in _suffixes(path):
            if end in names and end != path:
                found[end] = None if end in found else path
    return found


def _suffixes(path: str) -> Iterator[str]:
    """Yield a path, and what is left of it when its first folders are taken away, one after the other."""
    yield path
    while "/" in path:
        path = path.partition("/")[2]
        yield path


def in_all(lines: Lines) -> Coverage:
    """Return the coverage of everything that was measured."""
    hits = [hit for file in lines.values() for hit in file.values()]
    return Coverage(covered=sum(hits), coverable=len(hits))


def of_change(lines: Lines, texts: Mapping[str, tuple[str, str]]) -> Coverage:
    """Return the coverage of the lines that a change adds or rewrites; the others of its lines can't be run.

    `texts` are the changed files' texts before and after, by path.
    """
    hits = [
        lines[path][number]
        for path, (before, after) in texts.items()
        if path in lines
        for number in compare(before, after).added
        if number in lines[path]
    ]
    return Coverage(covered=sum(hits), coverable=len(hits))
