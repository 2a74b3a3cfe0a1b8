"""Whether a change lets packages, images and modules be fetched from elsewhere than before. Pure.

What an install fetches runs on every machine that installs, and no run here shows it. So the places that package files
name are compared before and after: a new one is a person's to bring in. Versions are not compared.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from pipelines.patch.changed import Changed
from pipelines.patch.display_name import shown
from pipelines.patch.kinds import named
from pipelines.patch.origin_table import ADDRESS, ROWS, Grammar, OriginRow

_LARGEST: Final = 5_000_000
"""Characters of a file that are read."""
_ARCHIVE: Final = re.compile(r"\.(?:whl|tgz|tar(?:\.\w+)?|zip|jar|gem|crate|nupkg|git)$", re.IGNORECASE)
_VERSION: Final = re.compile(r"v?\d+(?:\.\w+)+(?:[-+.]\w+)*")
_IS_ADDRESS: Final = re.compile(ADDRESS, re.IGNORECASE)
_ITSELF: Final = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//(?:localhost|127\.[\d.]+|0\.0\.0\.0|\[::1?\])(?![\w.-])")
"""An address of the machine that asks: nothing comes from elsewhere."""
_STAGE: Final = re.compile(r"^[ \t]*FROM[ \t]+\S.*?[ \t]AS[ \t]+(\S+)", re.IGNORECASE | re.MULTILINE)
_MOST: Final = 3
"""Origins or packages that a sentence names."""


class Origins(Struct, frozen=True, kw_only=True):
    """What a package file names."""

    direct: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    packages: frozenset[str] = frozenset()
    builders: frozenset[str] = frozenset()
    disguised: frozenset[str] = frozenset()
    """Packages whose archive has another name."""


def origins(changed: Sequence[Changed]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what is refused and what is remarked of the places from where something is fetched, a sentence each."""
    refused: list[str] = []
    remarked: list[str] = []
    for one in changed:
        row = next((row for row in ROWS if named(one.path, row.names)), None)
        if row is None or not one.after:
            continue
        name, before, after = shown(one.path), _read(row, one.before), _read(row, one.after)
        if new := sorted(after.direct - before.direct):
            refused.append(f"{name} fetches from a new place ({_some(new)}); a person has to bring it in.")
        if one.before and (new := sorted(after.builders - before.builders)):
            refused.append(f"{name} is built by another program ({_some(new)}); a person has to bring it in.")
        if new := sorted(after.hosts - before.hosts):
            sentence = f"{name} fetches packages from {_some(new)}"
            if before.hosts or (row.is_unusual and one.before):
                refused.append(f"{sentence}, of which it held nothing before; a person has to bring that in.")
            else:
                remarked.append(f"{sentence}; no address stood there before.")
        if new := sorted(after.disguised - before.disguised):
            refused.append(f"{name} fetches an archive of another name for {_some(new)}; restore it.")
        if new := sorted(after.packages - before.packages):
            remarked.append(f"{name} asks for packages that it did not ask for: {_some(new)}.")
    return tuple(refused), tuple(remarked)


def _some(names: Sequence[str]) -> str:
    return ", ".join(map(shown, names[:_MOST])) + (f" and {len(names) - _MOST} more" if len(names) > _MOST else "")


def _read(row: OriginRow, text: str) -> Origins:
    document = _document(row, text[:_LARGEST])
    texts = _texts(row, text[:_LARGEST], document)
    stages = {name.lower() for name in _STAGE.findall(text)}
    direct = {place for found in _matches(row.direct, texts) if (place := _place(found)) and place not in stages}
    return Origins(
        direct=frozenset(direct),
        hosts=frozenset(host for found in _matches(row.resolved, texts) if (host := _host(found))),
        packages=frozenset(name.lower() for name in (*_matches(row.packages, texts), *_keys(document, row.keys))),
        disguised=frozenset(
            package for package, archive in _matches(row.archives, texts) if f"/{package}/" not in unquote(archive)
        ),
        builders=frozenset(text for table in row.builders for text in _leaves(_at(document, table.split(".")))),
    )


def _document(row: OriginRow, text: str) -> Any:  # noqa: ANN401 - plain data of any shape
    """Return what a TOML or JSON file holds; None for other files, and where it is not what its name says."""
    if row.grammar is Grammar.LINES:
        return None
    try:
        return tomllib.loads(text) if row.grammar is Grammar.TOML else json.loads(text or "{}")
    except (ValueError, RecursionError):
        return None


def _texts(row: OriginRow, text: str, document: Any) -> Sequence[str]:  # noqa: ANN401 - plain data of any shape
    """Return the texts in which origins stand: of tables where there are some, else all lines without comments."""
    if document is not None:
        return [leaf for table in row.tables for leaf in _leaves(_at(document, table.split(".")))]
    if not row.comment:
        return [text]
    comment = re.compile(row.comment)
    return [comment.sub("", line) for line in text.split("\n")]


def _keys(document: Any, tables: Sequence[str]) -> Iterator[str]:  # noqa: ANN401 - plain data of any shape
    for table in tables:
        found = _at(document, table.split("."))
        yield from found if isinstance(found, dict) else ()


def _at(value: Any, keys: Sequence[str]) -> Any:  # noqa: ANN401 - plain data of any shape
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _leaves(value: Any) -> Iterator[str]:  # noqa: ANN401 - plain data of any shape
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)


def _matches(patterns: Sequence[str], texts: Sequence[str]) -> Iterator[Any]:
    """Yield what a pattern's group matches; a tuple where it has several."""
    for pattern in patterns:
        compiled = re.compile(pattern, re.IGNORECASE | re.MULTILINE)
        for text in texts:
            yield from compiled.findall(text)


def _place(found: str) -> str:
    """Return an origin without versions: of an address all but query, branch and archive; of an image its name."""
    text = found.strip().lower()
    if _ITSELF.match(text):
        return ""
    if not _IS_ADDRESS.fullmatch(text):
        return (
            re.sub(r"(?<=.)(?:@.*|#.*|:[^:/]*)$", "", text.removeprefix("npm:")) if not text.startswith(".") else text
        )
    plain = re.split(r"[?#]", text)[0]
    head, slash, last = plain.rpartition("/")
    last = last.partition("@")[0]
    kept = [part for part in head.split("/") if not _VERSION.fullmatch(part)]
    is_file = _ARCHIVE.search(last) and not last.endswith(".git")
    return "/".join(kept) + ("" if is_file else f"{slash}{last.removesuffix('.git')}").rstrip("/")


def _host(found: str) -> str:
    """Return scheme and host of an address; empty for a path and a package's name."""
    try:
        parts = urlsplit(found.strip())
    except ValueError:  # it is no address, and nobody should fetch from it
        return found.strip()
    scheme = parts.scheme.rpartition("+")[2]
    return f"{scheme}://{parts.hostname}" if parts.hostname else ""
