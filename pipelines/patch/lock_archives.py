"""Which package each entry of a lock file asks for, and which one its archive holds. Pure.

An archive of the same host may still be another package. So names are compared, not hosts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote, urlsplit

_HEAD: Final = re.compile(r"\s*(?P<name>@?[^@]+)@(?:npm:(?P<alias>@?[^@]+)@)?")
"""A descriptor of yarn: `name@range`, or `name@npm:other@range` where the manifest gives a package another name."""


def disguises_of_npm(document: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - plain data of any shape
    """Yield name and other name of the packages of npm's lock file whose archive has another name."""
    for package, entry in _entries(document):
        for key in ("resolved", "version"):
            if isinstance(value := entry.get(key), str) and (other := _other_name(value, package)):
                yield package, other
        name = entry.get("name")
        if isinstance(name, str) and name != package:
            yield package, name


def disguises_of_yarn(text: str) -> Iterator[tuple[str, str]]:
    """Yield name and other name of the packages of yarn's lock file whose archive has another name."""
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


def _entries(document: Any) -> Iterator[tuple[str, dict[str, Any]]]:  # noqa: ANN401 - plain data of any shape
    """Yield name and entry of each package: of `packages`, and of the nested `dependencies` of older files."""
    packages = document.get("packages") if isinstance(document, dict) else None
    for path, entry in packages.items() if isinstance(packages, dict) else ():
        _, folder, name = path.rpartition("node_modules/")
        if folder and isinstance(entry, dict):
            yield name, entry
    waiting = [document]
    while waiting:
        inner = waiting.pop()
        entries = inner.get("dependencies") if isinstance(inner, dict) else None
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            if isinstance(entry, dict):
                yield name, entry
                waiting.append(entry)


def _other_name(address: str, package: str) -> str:
    """Return the name that an archive has instead of the package's; empty where it has it, or none is known."""
    if address.startswith("npm:"):
        other = re.sub(r"(?<=.)@.*", "", address.removeprefix("npm:"))
        return "" if other == package else other
    try:
        parts = urlsplit(address)
    except ValueError:  # it has no host, so that it counts as a new place
        return ""
    if parts.scheme not in ("http", "https"):
        return ""
    path = unquote(parts.path)
    head, dash, _ = path.partition("/-/")
    held = head if dash else path
    fits = f"{held}/".endswith(f"/{package}/") if dash else f"/{package}/" in path
    is_scoped = held.rpartition(f"/{package}")[0].rpartition("/")[2].startswith("@")
    return "" if fits and not is_scoped and ".." not in path.split("/") else held
