"""Which package each entry of a lock file asks for, and which one its archive holds. Pure.

An archive of the same host may still be another package. So names are compared, not hosts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from pipelines.patch.documents import at, items
from pipelines.patch.origin_names import host


class Archives(StrEnum):
    """Whose lock file names packages and their archives."""

    NPM = "npm"
    YARN = "yarn"
    PNPM = "pnpm"
    PYTHON = "python"


_HEAD: Final = re.compile(r"\s*(?P<name>@?[^@]+)@(?:npm:(?P<alias>@?[^@]+)@)?")
"""A descriptor of yarn: `name@range`, or `name@npm:other@range` where the manifest gives a package another name."""
_PNPM_KEY: Final = re.compile(r"/?(@?[^@]+?)(?:@|/\d)")
_PNPM_REFERENCE: Final = re.compile(r"(?:[^@/:]*/)?(@[^@/:]+/[^@/:]+?|[^@/:]+?)(?:@|/\d)")
"""What begins with a name, and is no address: `/other@1.0.0`, `/other/1.0.0` or `other@1.0.0`."""
_PNPM_PEERS: Final = re.compile(r"(?<=\d)_.*")
"""What stands after a version in files before version 6."""
_PNPM_ALIAS: Final = re.compile(r"npm:(@?[^@]+)")
_PNPM_TABLES: Final = ("dependencies", "devDependencies", "optionalDependencies")
_VERSION: Final = re.compile(r"[0-9a-f]{7,40}|v?\d[\w.+-]*")
_WHEEL: Final = re.compile(r"(.+?)-\d[^/]*\.(?:whl|tar\.\w+|tgz|zip)")


def disguises(archives: Archives | None, text: str, document: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - plain data
    """Yield name and other name of the packages of a lock file whose archive has another name."""
    match archives:
        case Archives.NPM:
            yield from _npm(document)
        case Archives.YARN:
            yield from _yarn(text)
        case Archives.PNPM:
            yield from _pnpm(document)
        case Archives.PYTHON:
            yield from _python(document)


def _npm(document: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - plain data of any shape
    for package, entry in _entries(document):
        name = entry.get("name")
        for key in ("resolved", "version"):
            if isinstance(value := entry.get(key), str) and (other := _other_name(value, package)):
                yield package, other
        if isinstance(name, str) and name != package:
            yield package, name


def _yarn(text: str) -> Iterator[tuple[str, str]]:
    heads: list[str] = []
    for line in text.split("\n"):
        if line[:1] not in ("", " ", "\t", "#", "\r"):
            found = [_HEAD.match(one) for one in line.replace('"', "").rstrip(": \r").split(",")]
            heads = [(one["alias"] or one["name"]) for one in found if one]
            continue
        key, _, value = line.strip().replace('"', "").partition(" ")
        if key == "resolved":
            yield from ((name, other) for name in heads if (other := _other_name(value.strip(), name)))
        elif key == "resolution:" and (match := _HEAD.match(value)):
            yield from ((name, match["name"]) for name in heads if name != match["name"])


def _pnpm(document: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - plain data of any shape
    for one in document if isinstance(document, list) else ():
        for head, entry in items(at(one, ["packages"])):
            address = at(entry, ["resolution", "tarball"])
            if isinstance(address, str) and (match := _PNPM_KEY.match(head)):
                full = address if "//" in address else f"https://registry/{address.lstrip('/')}"
                if other := _other_name(full, match[1]):
                    yield match[1], other
        below = [entry for table in ("importers", "packages", "snapshots") for _, entry in items(at(one, [table]))]
        seen = set[int]()  # an alias of YAML may stand in a thousand places
        for holder in (one, *below):
            for asked in (at(holder, [table]) for table in _PNPM_TABLES):
                for name, value in items(asked) if id(asked) not in seen else ():
                    found = value.get("version") if isinstance(value, dict) else value
                    other = _pnpm_name(found, at(one, ["lockfileVersion"])) if isinstance(found, str) else ""
                    if other not in ("", name, _pnpm_alias(one, holder, name, value)):
                        yield name, other
                seen.add(id(asked))


def _pnpm_name(reference: str, version: object) -> str:
    """Return the name with which a dependency's version begins; empty where it has the dependency's own."""
    plain = reference.partition("(")[0]
    if str(version).startswith("5") and plain[:1].isdigit():
        plain = _PNPM_PEERS.sub("", plain)
    match = _PNPM_REFERENCE.match(plain)
    return match[1] if match else ""


def _pnpm_alias(one: Any, holder: Any, name: str, value: Any) -> str:  # noqa: ANN401 - plain data of any shape
    """Return the other name by which a manifest or catalog openly asks for a dependency; empty where none does."""
    asked = at(value, ["specifier"]) or at(holder, ["specifiers", name])
    if isinstance(asked, str) and asked.startswith("catalog:"):
        asked = at(one, ["catalogs", asked.removeprefix("catalog:").strip() or "default", name, "specifier"])
    match = _PNPM_ALIAS.match(asked) if isinstance(asked, str) else None
    return match[1] if match else ""


def _python(document: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - plain data of any shape
    """Of uv and PDM: the name of a wheel or source archive begins with its package's."""
    packages = document.get("package") if isinstance(document, dict) else None
    for entry in packages if isinstance(packages, list) else ():
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(name, str):
            continue
        for key in ("sdist", "wheels", "files"):
            value = entry.get(key)
            for one in value if isinstance(value, list) else [value]:
                address = one.get("url") if isinstance(one, dict) else None
                match = _WHEEL.fullmatch(_path(address).rpartition("/")[2]) if isinstance(address, str) else None
                if match and _normal(match[1]) != _normal(name):
                    yield name, match[1]


def sources(document: Any, tables: Sequence[str]) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - plain data
    """Yield the packages of composer's lock file with the repositories from which they come."""
    for table in tables:
        packages = document.get(table) if isinstance(document, dict) else None
        for entry in packages if isinstance(packages, list) else ():
            name = entry.get("name") if isinstance(entry, dict) else None
            for key in ("dist", "source"):
                value = entry.get(key) if isinstance(name, str) else None
                address = value.get("url") if isinstance(value, dict) else None
                if isinstance(name, str) and isinstance(address, str):
                    yield name, host(re.sub(r"^https://api\.github\.com/repos/", "https://github.com/", address))


def _entries(document: Any) -> Iterator[tuple[str, dict[str, Any]]]:  # noqa: ANN401 - plain data of any shape
    """Yield name and entry of each package: of `packages`, and of the nested `dependencies` of older files."""
    for path, entry in items(document.get("packages") if isinstance(document, dict) else None):
        _, folder, name = path.rpartition("node_modules/")
        if folder and isinstance(entry, dict):
            yield name, entry
    waiting = [document]
    while waiting:
        inner = waiting.pop()
        for name, entry in items(inner.get("dependencies") if isinstance(inner, dict) else None):
            if isinstance(entry, dict):
                yield name, entry
                waiting.append(entry)


def _other_name(address: str, package: str) -> str:
    """Return the name that an archive has instead of the package's; empty where it has it, or none is known."""
    if address.startswith("npm:"):
        other = re.sub(r"(?<=.)@.*", "", address.removeprefix("npm:"))
        return "" if other == package else other
    if not address.startswith(("http:", "https:")):
        return ""
    path = _path(address)
    head, dash, _ = path.partition("/-/")
    held = head if dash else _VERSION.sub("", path)
    fits = f"{held}/".endswith(f"/{package}/") if dash else f"/{package}/" in path
    is_scoped = held.rpartition(f"/{package}")[0].rpartition("/")[2].startswith("@")
    return "" if fits and not is_scoped and ".." not in path.split("/") else held


def _path(address: str) -> str:
    try:
        return unquote(urlsplit(address).path)
    except ValueError:  # it has no host, so that it counts as a new place
        return ""


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
