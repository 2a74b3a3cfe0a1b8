"""Build what agents know of a repository before they read it, from git at one commit. Runs no code of it.

The same commit gives the same document, byte for byte: nothing in it depends on phase, time, machine or work folder.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Final

from pipelines.agents.untrusted import shortened
from pipelines.job.workspace.repositories import Source, read_file, read_tree
from pipelines.language.repository_context import RepositoryContext

_MANIFESTS: Final = frozenset(
    {
        *("pyproject.toml", "setup.cfg", "requirements.txt", "package.json", "tsconfig.json", "global.json"),
        *("Directory.Build.props", "Directory.Packages.props", "packages.config", "go.mod", "Cargo.toml", "pom.xml"),
        *("build.gradle", "Gemfile", "next.config.js", "next.config.mjs", "next.config.ts", ".editorconfig"),
        *("eslint.config.js", "eslint.config.mjs", ".prettierrc", "ruff.toml"),
    }
)
_MANIFEST_SUFFIXES: Final = (".sln", ".slnx", ".csproj")
_DOCUMENTS: Final = re.compile(
    r"(?i)^(docs?/)?(architecture|contributing|conventions|design|development|overview|agents|testing)\.(md|rst|txt)$"
)
_READMES: Final = frozenset({"readme.md", "readme.rst", "readme.txt", "readme"})
_TEST_FOLDERS: Final = frozenset({"test", "tests", "spec", "specs", "__tests__", "e2e"})
_TEST_FILE: Final = re.compile(r"(^test_|_test\.|\.test\.|\.spec\.|Tests?\.cs$)")
_TEST_SETUP: Final = re.compile(
    r"(^conftest\.py$|^pytest\.ini$|^tox\.ini$|^(playwright|jest|vitest)\.config\.[a-z]+$|\.runsettings$|^xunit\.runner)"
)
_DEFINITIONS: Final[Mapping[str, re.Pattern[str]]] = {
    ".py": re.compile(r"(    )?(async )?(class|def) \w"),
    ".ts": re.compile(r"(export )?(default )?(async )?(function|class|interface|type|enum|const) \w"),
    ".tsx": re.compile(r"(export )?(default )?(async )?(function|class|interface|type|const) \w"),
    ".js": re.compile(r"(export )?(default )?(async )?(function|class|const) \w"),
    ".cs": re.compile(r"\s{0,8}(public|internal|protected)\s.*(class |interface |record |enum |\()"),
}
"""How a line begins that defines something, by suffix: near enough to find one's way, and no parser has to run."""

_MOST: Final = {"manifests": 16, "documents": 6, "setup": 8}
"""Files of a kind that are read."""
_ROOM: Final = {"tree": 30_000, "tests": 10_000, "outline": 30_000}
"""Characters of lists."""
_DEFINITIONS_OF_A_FILE, _LINE, _LARGEST_SOURCE = 40, 200, 200_000
_DOCUMENT, _README, _MANIFEST, _SETUP = 5_000, 8_000, 2_000, 2_000


def build(source: Source) -> RepositoryContext:
    """Return the document of a repository at its base commit."""
    tree = read_tree(source)
    listed = _within(sorted(tree, key=_depth), _ROOM["tree"])
    readme = next((path for path in tree if path.lower() in _READMES), None)
    tests = [path for path in tree if _is_test(path)]
    setup = [path for path in tree if _TEST_SETUP.search(PurePosixPath(path).name)]
    manifests = [path for path in tree if _is_manifest(path) and path.count("/") <= 2]
    return RepositoryContext(
        repository=source.repository,
        commit=source.base_sha,
        languages=_languages(tree),
        tree=[_shown(path) for path in sorted(listed)],
        tree_left_out=len(tree) - len(listed),
        readme=_read(source, readme, _README) if readme else "",
        documents=_texts(source, (path for path in tree if _DOCUMENTS.match(path)), "documents", _DOCUMENT),
        manifests=_texts(source, manifests, "manifests", _MANIFEST),
        outline=_outline(source, [path for path in tree if not _is_test(path)]),
        test_setup=_texts(source, setup, "setup", _SETUP),
        tests=[_shown(path) for path in _within(tests, _ROOM["tests"])],
    )


def _languages(tree: Iterable[str]) -> dict[str, int]:
    counts = Counter(PurePosixPath(path).suffix or "(none)" for path in tree)
    return {_shown(suffix): count for suffix, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:12]}


def _is_test(path: str) -> bool:
    pure = PurePosixPath(path)
    return bool(_TEST_FOLDERS & set(pure.parts[:-1])) or bool(_TEST_FILE.search(pure.name))


def _is_manifest(path: str) -> bool:
    return PurePosixPath(path).name in _MANIFESTS or path.endswith(_MANIFEST_SUFFIXES)


def _texts(source: Source, paths: Iterable[str], kind: str, limit: int) -> dict[str, str]:
    return {_shown(path): _read(source, path, limit) for path in list(paths)[: _MOST[kind]]}


def _outline(source: Source, tree: Iterable[str]) -> dict[str, list[str]]:
    """Return the definitions of the source files, those near the root first."""
    found: dict[str, list[str]] = {}
    left = _ROOM["outline"]
    for path in sorted(tree, key=_depth):
        pattern = _DEFINITIONS.get(PurePosixPath(path).suffix)
        if pattern is None or path.endswith((".d.ts", ".min.js", ".Designer.cs")):
            continue
        text = (read_file(source, path, limit=_LARGEST_SOURCE) or b"").decode(errors="replace")
        # long lines are no definitions, and would make the patterns slow
        lines = [line.rstrip(" {:") for line in text.splitlines() if len(line) <= _LINE and pattern.match(line)]
        lines = lines[:_DEFINITIONS_OF_A_FILE]
        left -= len(path) + sum(len(line) for line in lines)
        if left < 0:
            break
        if lines:
            found[_shown(path)] = lines
    return found


def _depth(path: str) -> tuple[int, str]:
    return path.count("/"), path


def _within(paths: Iterable[str], room: int) -> list[str]:
    """Return as many paths, from the first on, as have room."""
    found: list[str] = []
    for path in paths:
        room -= len(path)
        if room < 0:
            break
        found.append(path)
    return found


def _read(source: Source, path: str, limit: int) -> str:
    return shortened((read_file(source, path, limit=_LARGEST_SOURCE) or b"").decode(errors="replace"), limit)


def _shown(path: str) -> str:
    return path[:500]
