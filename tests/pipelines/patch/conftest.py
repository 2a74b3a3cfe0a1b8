"""Changes between two states of a repository, as texts by path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from textwrap import dedent

import pytest

from pipelines.language.policy import Policy
from pipelines.patch.examine import examine
from pipelines.patch.name_clashes import folders_of
from tests.changes import change_set, file_change

Files = Mapping[str, str]


@pytest.fixture
def examined() -> Callable[..., tuple[str, ...]]:
    """Examine the change between two states of a repository; a file that is not in `after` is left as it was."""

    def look(before: Files, after: Mapping[str, str | None], policy: Policy | None = None) -> tuple[str, ...]:
        base = {path: dedent(text).encode() for path, text in before.items()}
        changed = {path: None if text is None else dedent(text).encode() for path, text in after.items()}
        files = [file_change(path, base.get(path), text) for path, text in changed.items() if base.get(path) != text]
        return examine(
            change_set(*files),
            base.get,
            folders=folders_of(base),
            allowed=("**",),
            policy=policy or Policy(),
            secrets=lambda _: (),
        )

    return look
