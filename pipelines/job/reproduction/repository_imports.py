"""Whether a reproduction test imports from its repository: only such a test gets a copy of it beside it. Pure.

Read from its text, so what is imported in a roundabout way is not found: then the test can't be loaded, and is told so.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from pathlib import PurePosixPath
from typing import Final

from pipelines.language import Framework

SOURCES: Final = (PurePosixPath("."), PurePosixPath("src"))
"""Where modules of a Python repository are looked for, beside the test's own folder."""

_SPECIFIER: Final = re.compile(r"""(?:\bfrom|\bimport|\brequire\s*\(|\bimport\s*\()\s*["'](\.{1,2}/[^"'\n]+)["']""")
_ENDINGS: Final = ("", ".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".json")


def imports_from(files: Collection[str], test: bytes, *, path: str, framework: Framework) -> bool:
    """Say whether a test at a path imports any of the repository's files."""
    text = test.decode(errors="replace")
    found = _python(text, path) if framework is Framework.PYTEST else _node(text, path)
    return not set(files).isdisjoint(found)


def _python(text: str, path: str) -> Iterator[str]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    folder = PurePosixPath(path).parent
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (file for one in node.names for top in (*SOURCES, folder) for file in _modules(top, one.name))
        elif isinstance(node, ast.ImportFrom):
            above = folder if node.level < 2 else (folder / "x").parents[min(node.level - 1, len(folder.parents))]
            for top in (*SOURCES, folder) if node.level == 0 else (above,):
                names = [one.name for one in node.names]
                yield from _modules(top, node.module) if node.module else ()
                yield from (file for name in names for file in _modules(top, f"{node.module or ''}.{name}".strip(".")))


def _modules(top: PurePosixPath, name: str) -> Iterator[str]:
    parts = name.split(".")
    for length in range(1, len(parts) + 1):
        place = top.joinpath(*parts[:length])
        yield f"{place}.py"
        yield f"{place}/__init__.py"


def _node(text: str, path: str) -> Iterator[str]:
    folder = PurePosixPath(path).parent
    for found in _SPECIFIER.finditer(text):
        parts: list[str] = [*folder.parts]
        for part in found[1].split("/"):
            if part == "..":
                parts = parts[:-1]
            elif part != ".":
                parts.append(part)
        place = "/".join(parts)
        bare = re.sub(r"\.[cm]?jsx?$", "", place)  # TypeScript names what it will be compiled to
        yield from (f"{one}{ending}" for one in (place, bare) for ending in _ENDINGS)
        yield from (f"{place}/index{ending}" for ending in _ENDINGS[1:])
