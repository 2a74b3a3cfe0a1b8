"""Whether a change lets packages, images and modules be fetched from elsewhere than before. Pure.

What an install fetches runs on every machine that installs, and no run here shows it. So the places that package files
name are compared before and after: a new one is a person's to bring in. Versions are not compared.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec import Struct

from pipelines.patch.changed import Changed
from pipelines.patch.display_name import shown
from pipelines.patch.dockerfile import expanded, instructions
from pipelines.patch.documents import LARGEST, Grammar, at, document, items, leaves, walk
from pipelines.patch.kinds import named
from pipelines.patch.lock_archives import disguises, sources
from pipelines.patch.origin_names import ESCAPED, host, place
from pipelines.patch.origin_table import ROWS, OriginRow

_STAGE: Final = re.compile(r"^[ \t]*FROM[ \t]+\S.*?[ \t]AS[ \t]+(\S+)", re.IGNORECASE | re.MULTILINE)
_REMARK: Final = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
_CONTINUED: Final = re.compile(r"\\\n(?![ \t]*#)")
"""Where a line of pip goes on in the next one; a line that is all comment does not, and ends the one before."""
_REPOSITORY: Final = re.compile(r"([\w.-]+/[\w.-]+)(?:#.*)?")
"""Short for a repository at GitHub where npm expects a version."""
_MOST: Final = 3
"""Origins or packages that a sentence names."""


class Origins(Struct, frozen=True, kw_only=True):
    """What a package file names."""

    direct: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    packages: frozenset[str] = frozenset()
    builders: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    """Other package files of the repository that it takes in."""
    disguised: frozenset[tuple[str, str]] = frozenset()
    """Packages whose archive has another name, and that name."""
    sources: frozenset[tuple[str, str]] = frozenset()
    """Packages with the repositories from which they come."""
    is_unreadable: bool = False
    """It is not what its name says, JSON for example."""


def origins(changed: Sequence[Changed]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what is refused and what is remarked of the places from where something is fetched, a sentence each."""
    refused: list[str] = []
    remarked: list[str] = []
    for one in changed:
        row = next((row for row in ROWS if named(one.path, row.names)), None)
        if row is None or not one.after or one.before == one.after:
            continue
        before, after = _read(row, one.path, one.before), _read(row, one.path, one.after)
        refused += _refused(row, shown(one.path), before if one.before else None, after)
        remarked += _remarked(row, shown(one.path), before if one.before else None, after)
    return tuple(refused), tuple(remarked)


def _refused(row: OriginRow, name: str, known: Origins | None, after: Origins) -> Iterator[str]:
    before = known or Origins()
    if known and after.is_unreadable and not before.is_unreadable:
        yield f"{_cannot_be_read(row, name)}; write it with the tool that owns it."
    if new := sorted(after.direct - before.direct):
        yield f"{name} fetches from a new place ({_some(new)}); a person has to bring it in."
    if known and (new := sorted(after.builders - before.builders)):
        yield f"{name} is built by another program ({_some(new)}); a person has to bring it in."
    if (new := sorted(after.hosts - before.hosts)) and _is_held_against(row, known):
        yield (
            f"{name} fetches packages from {_some(new)}, of which it held nothing before; "
            "a person has to bring that in."
        )
    if new := sorted({package for package, _ in after.disguised - before.disguised}):
        yield f"{name} fetches an archive of another name for {_some(new)}; restore it."
    there = {package for package, _ in before.sources}
    moved = sorted({package for package, _ in after.sources - before.sources if package in there})
    if moved and not after.hosts - before.hosts:
        yield f"{name} fetches {_some(moved)} from another repository than before; a person has to bring that in."


def _remarked(row: OriginRow, name: str, known: Origins | None, after: Origins) -> Iterator[str]:
    before = known or Origins()
    if after.is_unreadable and (known is None or before.is_unreadable):
        yield f"{_cannot_be_read(row, name)}."
    if (new := sorted(after.hosts - before.hosts)) and not _is_held_against(row, known):
        yield f"{name} fetches packages from {_some(new)}; no address stood there before."
    if new := sorted(after.packages - before.packages):
        yield f"{name} asks for packages that it did not ask for: {_some(new)}."
    if new := sorted(after.files - before.files):
        yield f"{name} takes in other files of packages: {_some(new)}."


def _is_held_against(row: OriginRow, known: Origins | None) -> bool:
    """Say whether a new host is refused: not in a new file, nor where no address ever stood that usually does."""
    return known is not None and (bool(known.hosts) or known.is_unreadable or row.is_unusual)


def _cannot_be_read(row: OriginRow, name: str) -> str:
    return f"{name} can't be read as {row.grammar} of at most {LARGEST} characters, so nobody knows what it fetches"


def _some(names: Sequence[str]) -> str:
    return ", ".join(map(shown, names[:_MOST])) + (f" and {len(names) - _MOST} more" if len(names) > _MOST else "")


def _read(row: OriginRow, path: str, whole: str) -> Origins:
    text = whole.removeprefix("\ufeff")
    is_lines = row.grammar in (Grammar.LINES, Grammar.DOCKERFILE)
    found = None
    if not is_lines:
        try:
            found = document(row.grammar, text)
        except ValueError:
            found = None
    is_unreadable = not is_lines and found is None
    texts = _texts(row, text[: LARGEST + 1], found)
    stages = {name.lower() for name in _STAGE.findall("\n".join(texts))}
    patterns = (*row.direct, ESCAPED) if is_unreadable else row.direct
    written = (*_matches(patterns, texts), *_renamed(row, found))
    direct = {name for one in written if (name := place(one)) and name not in stages}
    files, elsewhere = _files(row, path, texts)
    addresses = (*_matches(row.resolved, texts), *_addresses(row, found))
    return Origins(
        direct=frozenset(direct | elsewhere),
        hosts=frozenset(name for one in addresses if (name := host(one, by_host=row.is_by_host))),
        packages=frozenset(name.lower() for name in (*_matches(row.packages, texts), *_keys(found, row.keys))),
        files=frozenset(files),
        disguised=frozenset(disguises(row.archives, text, found)),
        sources=frozenset(sources(found, row.sources)),
        builders=frozenset(one for table in row.builders for one in leaves(at(found, table.split(".")))),
        is_unreadable=is_unreadable,
    )


def _texts(row: OriginRow, text: str, found: Any) -> Sequence[str]:  # noqa: ANN401 - plain data of any shape
    """Return the texts in which origins stand: of the document where there is one, else lines without comments."""
    if found is not None:
        return [leaf for table in row.tables or ("",) for leaf in leaves(at(found, table.split(".")))]
    if not row.comment:
        return [text]
    comment = re.compile(row.comment)
    if row.grammar is Grammar.DOCKERFILE:  # Docker ends lines at newlines only
        return expanded([comment.sub("", line) for line in instructions(text.replace("\r\n", "\n"))])
    plain = "\n".join(text.splitlines())  # as pip does
    if row.is_continued:
        plain = _CONTINUED.sub("", _REMARK.sub("", plain))
    return [comment.sub("", line) for line in plain.split("\n")]


def _files(row: OriginRow, path: str, texts: Sequence[str]) -> tuple[set[str], set[str]]:
    """Return the files that a package file takes in: those whose places are compared as well, and others."""
    known, other = set[str](), set[str]()
    for found in _matches(row.files, texts):
        name = found.strip("\"'")
        if "://" in name:  # an address, which counts as one
            continue
        full = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
        is_known = not full.startswith(("/", "..")) and any(named(full, one.names) for one in ROWS if one.files)
        (known if is_known else other).add(name)
    return known, other


def _addresses(row: OriginRow, found: Any) -> Iterator[str]:  # noqa: ANN401 - plain data of any shape
    for outer, key, value in walk(found):
        if {key, f"{outer}.{key}"}.intersection(row.addresses):
            yield value
        elif f"{outer}.*" in row.addresses:
            yield _REPOSITORY.sub(r"github:\1", value) if _REPOSITORY.fullmatch(value) else value


def _renamed(row: OriginRow, found: Any) -> Iterator[str]:  # noqa: ANN401 - plain data of any shape
    """Yield the other names of packages. A version, of a package that has this key as its name, begins otherwise."""
    for table in row.tables if row.renamed else ():
        for _, key, value in walk(at(found, table.split("."))):
            if key in row.renamed and (value[:1].isalpha() or value[:1] == "_"):
                yield value


def _keys(found: Any, tables: Sequence[str]) -> Iterator[str]:  # noqa: ANN401 - plain data of any shape
    return (key for table in tables for key, _ in items(at(found, table.split("."))))


def _matches(patterns: Sequence[str], texts: Sequence[str]) -> Iterator[str]:
    """Yield what a pattern's group matches."""
    for pattern in patterns:
        compiled = re.compile(pattern, re.IGNORECASE | re.MULTILINE)
        for text in texts:
            yield from compiled.findall(text)
