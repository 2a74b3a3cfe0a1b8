"""What agents know of a repository before they read it: the document, and how much of it stands in a prompt. Pure.

Built once for each repository and commit (`pipelines.context.builder`), kept by the receiver, and put into the cached
prefix of every phase: the same documents give the same bytes, whatever job, time or machine puts them together.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from pipelines.language import CommitSha, ProjectPath
from pipelines.language.catalogue import Catalogue, can_write
from pipelines.language.repository import Repository

CONTEXT_VERSION: Final = 1
"""Of what is built: raised when the same commit would give another document."""

MAX_CONTEXT: Final = 1024 * 1024
"""Bytes of one document that the receiver takes."""

LONGEST: Final = 72_000
"""Characters of a prompt for the documents of all repositories together; each gets an equal share."""

_Name = Annotated[str, Meta(max_length=1_000)]


class RepositoryContext(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A repository at a commit. Every text comes from the repository, so it is untrusted."""

    version: int = CONTEXT_VERSION
    repository: ProjectPath
    commit: CommitSha
    languages: dict[_Name, int]
    """Number of files by suffix, the most frequent first."""
    tree: list[_Name]
    tree_left_out: int
    """Files not listed."""
    readme: str
    documents: dict[_Name, str]
    """Architecture, conventions, how to contribute."""
    manifests: dict[_Name, str]
    """Dependencies, tools and their configuration."""
    outline: dict[_Name, list[_Name]]
    """Definitions of the source files, in their order: the patterns that are there."""
    test_setup: dict[_Name, str]
    """Fixtures and configuration of the tests."""
    tests: list[_Name]


_ORDER: Final = ("readme", "documents", "manifests", "test_setup", "outline", "tests", "tree")
"""What is kept first when a share is small."""

_SHARES: Final = {
    "readme": 0.14,
    "documents": 0.20,
    "manifests": 0.14,
    "test_setup": 0.10,
    "outline": 0.20,
    "tests": 0.07,
    "tree": 0.15,
}
"""Of a repository's share of the prompt, by field; what a field leaves is the next ones'."""


def of_catalogue(catalogue: Catalogue, contexts: Iterable[RepositoryContext]) -> dict[str, Any]:
    """Return the document of a prompt: the agents, and each repository with how it is built, sorted by path."""
    known = sorted(contexts, key=lambda context: context.repository)
    share = LONGEST // max(1, len(known))
    return {
        "agents": [
            {"name": agent.name, "stacks": list(agent.stacks) or "all"}
            for agent in sorted(catalogue.agents.values(), key=lambda one: one.name)
            if can_write(agent.tools)
        ],
        "repositories": [_entry(catalogue.repositories[one.repository], one, share) for one in known],
    }


def _entry(repository: Repository, context: RepositoryContext, share: int) -> dict[str, Any]:
    commands = repository.stack.commands
    named = {name: value for name in commands.__struct_fields__ if (value := getattr(commands, name)) is not None}
    plain: dict[str, Any] = msgspec.to_builtins(context)
    plain.pop("version")
    left = share
    for number, field in enumerate(_ORDER):
        rest = sum(_SHARES[name] for name in _ORDER[number:])
        allowance = int(left * _SHARES[field] / rest)
        plain[field], used = _cut(plain[field], allowance)
        left -= used
    plain["tree_left_out"] += len(context.tree) - len(plain["tree"])
    return {
        "repository": plain.pop("repository"),
        "commit": plain.pop("commit"),
        "agent": repository.agent,
        "stack": str(repository.stack.preset),
        "commands": named,
        "serve": repository.serve.run if repository.serve else None,
        **plain,
    }


def _cut(value: Any, allowance: int) -> tuple[Any, int]:  # noqa: ANN401 - one of the fields' plain shapes
    """Return what fits, and how many characters it has."""
    if isinstance(value, str):
        kept = value if len(value) <= allowance else f"{value[: max(0, allowance - 20)]}\n[… cut here …]"
        return kept, len(kept)
    used, size = 0, 0
    kept_items: Any = {} if isinstance(value, dict) else []
    for item in value:
        text = value[item] if isinstance(value, dict) else ""
        size = len(item) + 6 + (len(text) if isinstance(text, str) else sum(len(line) + 4 for line in text))
        if used + size > allowance:
            break
        used += size
        if isinstance(value, dict):
            kept_items[item] = text
        else:
            kept_items.append(item)
    return kept_items, used
