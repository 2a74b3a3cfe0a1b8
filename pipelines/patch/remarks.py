"""What people are asked to look at in a change that is not refused: a sentence each, for the merge request. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelines.patch.changed import Changed
from pipelines.patch.ci_files import CiFiles, run_by_ci
from pipelines.patch.display_name import shown
from pipelines.patch.file_rules import row_of
from pipelines.patch.origins import origins
from pipelines.patch.run_elsewhere import Ruling
from pipelines.patch.unseen import unseen


def remarks(changed: Sequence[Changed], known: CiFiles | None = None) -> tuple[str, ...]:
    """Return what a reader of the change should look at; `known` is what the repository's own CI names."""
    return (*_elsewhere(changed), *run_by_ci(changed, known or CiFiles()), *origins(changed)[1], *unseen(changed)[1])


def _elsewhere(changed: Sequence[Changed]) -> Iterator[str]:
    for one in changed:
        row = row_of(one.path)
        if row is not None and row.ruling is Ruling.REMARK:
            yield f"{shown(one.path)} {row.why}."
