"""What every agent is told about the repositories: built from git at the base commits, the same bytes in every phase.

It stands first in the cached prefix, so nothing in it may depend on phase, time, machine or work folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from msgspec import Struct

from pipelines.agents.untrusted import Cleaner, shortened
from pipelines.catalogue import Catalogue, Repository
from pipelines.job.repositories import Source, read_file, read_tree

_MANIFESTS = frozenset(
    {
        *("pyproject.toml", "setup.cfg", "requirements.txt", "package.json", "tsconfig.json", "playwright.config.ts"),
        *("global.json", "Directory.Build.props", "go.mod", "Cargo.toml", "pom.xml", "build.gradle", "Gemfile"),
    }
)
_MANIFEST_SUFFIXES = (".sln", ".csproj")
_TEST_FOLDERS = frozenset({"test", "tests", "spec", "specs", "__tests__", "e2e"})
_TREE, _TESTS, _FILES = 400, 100, 12
_CHARACTERS = 60_000
"""Of text in all, shared by the repositories."""


class RepositoryContext(Struct, frozen=True, kw_only=True):
    """What agents know of a repository before they read it."""

    repository: str
    commit: str
    agent: str
    """Profile that works here by default."""
    stack: str
    commands: dict[str, str]
    serve: str | None
    tree: list[str]
    tree_left_out: int
    """Files not listed."""
    readme: str
    manifests: dict[str, str]
    tests: list[str]


def build_context(catalogue: Catalogue, sources: Sequence[Source], cleaner: Cleaner) -> str:
    """Return the context document as JSON, one line, repositories sorted by path. Its texts are untrusted."""
    share = _CHARACTERS // max(1, len(sources))
    documents = [
        _repository(catalogue.repositories[source.repository], source, share)
        for source in sorted(sources, key=lambda source: source.repository)
    ]
    return cleaner.document({"agents": sorted(catalogue.agents), "repositories": documents})


def _repository(repository: Repository, source: Source, share: int) -> RepositoryContext:
    tree = read_tree(source)
    commands = repository.stack.commands
    listed, length = [], 0
    for path in sorted(tree, key=lambda path: (path.count("/"), path))[:_TREE]:
        length += len(path) + 3
        if length > share // 3:
            break
        listed.append(path)
    manifests = [path for path in tree if _is_manifest(path) and path.count("/") <= 2][:_FILES]
    readme = next((path for path in tree if path.lower() in {"readme.md", "readme.rst", "readme.txt", "readme"}), None)
    return RepositoryContext(
        repository=repository.project,
        commit=source.base_sha,
        agent=repository.agent,
        stack=repository.stack.preset,
        commands={name: value for name in commands.__struct_fields__ if (value := getattr(commands, name)) is not None},
        serve=repository.serve.run if repository.serve else None,
        tree=sorted(listed),
        tree_left_out=len(tree) - len(listed),
        readme=_read(source, readme, share // 5) if readme else "",
        manifests={path: _read(source, path, share // 3 // max(1, len(manifests))) for path in manifests},
        tests=[path for path in tree if _TEST_FOLDERS & set(PurePosixPath(path).parts[:-1])][:_TESTS],
    )


def _is_manifest(path: str) -> bool:
    return PurePosixPath(path).name in _MANIFESTS or path.endswith(_MANIFEST_SUFFIXES)


def _read(source: Source, path: str, limit: int) -> str:
    return shortened((read_file(source, path) or b"").decode(errors="replace"), limit)
