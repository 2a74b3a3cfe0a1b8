"""What the name of a job says it does: the way back from the names that `graph` and `prepare` give. Pure."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from pipelines.language import Phase, ProjectPath


class JobName(Struct, frozen=True, kw_only=True):
    """What a job's name says it does."""

    phase: Phase
    repository: ProjectPath | None


IN_CHILD: Final = frozenset(
    {
        *(Phase.PREPARE, Phase.REPRODUCTION, Phase.IMPLEMENTATION, Phase.TESTING, Phase.REVIEW),
        Phase.MERGE_REQUEST,
    }
)
_PREPARE = re.compile(r"^prepare(?: windows)?: \[(?P<repository>[^,\]]+)(?:, ?[^\]]*)?\]$")


def parse_job_name(name: str) -> JobName | None:
    """Return phase and repository of one of our jobs' names, or None for any other name.

    `analysis`, `generate`; `prepare: [payk12/api, dotnet, 3f…]` as GitLab names a matrix job of the parent pipeline;
    `testing: payk12/api` as those of the child are named.
    """
    if name in {Phase.ANALYSIS, Phase.GENERATE}:
        return JobName(phase=Phase(name), repository=None)
    if matched := _PREPARE.match(name):
        return JobName(phase=Phase.PREPARE, repository=ProjectPath(matched["repository"]))
    phase, separator, repository = name.partition(": ")
    if separator and repository and phase in IN_CHILD:
        return JobName(phase=Phase(phase), repository=ProjectPath(repository))
    return None
