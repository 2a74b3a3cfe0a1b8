"""Keys of bug-fix.yml that belong to a later version: each is refused until something reads it. Pure.

A key that is accepted and ignored promises what does not happen. A row leaves this table when its key comes into force.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipelines.catalogue.yaml_lines import Document, FileProblem, Path

FUTURE_KEYS: Final[dict[str, str]] = {
    "policy.budget_usd.month": "budgets are kept for a run and for a day",
    "policy.on_push": "what people push to a fix is left as it is",
    "repositories.*.deploys": "nothing is deployed yet",
    "repositories.*.version": "nothing is deployed yet",
    "deploy.pattern": "nothing is deployed yet; the order is that in which people are asked to merge",
    "deploy.environments": "nothing is deployed yet",
    "deploy.verify": "nothing is deployed yet",
}
"""Place of the key, `*` for any name, and what happens as long as it is not in force."""


def future_keys(document: Document) -> Iterator[FileProblem]:
    """Yield the keys of a document that belong to a later version."""
    for path, line in document.lines.items():
        today = FUTURE_KEYS.get(_place(path))
        if today is not None:
            sentence = f"this key belongs to a later version; remove it ({today})"
            yield FileProblem(line=line, path=path, sentence=sentence)


def is_below(path: Path, problems: tuple[FileProblem, ...]) -> bool:
    """Whether a place is that of one of the problems, or inside of it."""
    return any(path[: len(one.path)] == one.path for one in problems)


def _place(path: Path) -> str:
    """Return a path as the table has it."""
    names = ["*" if index == 1 and path[0] == "repositories" else str(part) for index, part in enumerate(path)]
    return ".".join(names)
