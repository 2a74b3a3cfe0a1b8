"""Choose the files that reviewers see in a merge request: few, small, and of kinds that GitLab shows. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from pipelines.model import ArtifactKind, Phase
from receiver.store.story import File, Report

ENDINGS = {ArtifactKind.SCREENSHOT: ".png", ArtifactKind.TRACE: ".zip"}
"""What is shown, and how its name has to end: the name is the job's, and GitLab goes by it."""

PHASES = frozenset({Phase.REPRODUCTION, Phase.TESTING})
"""How it was before, and how it is with the patch."""

LARGEST = 10 * 1024 * 1024
"""Bytes of one file."""

TOTAL = 25 * 1024 * 1024
"""Bytes of all files of a merge request."""


def chosen(reports: Iterable[Report], *, repository: str, iteration: int) -> tuple[tuple[Report, File], ...]:
    """Return the first file of each kind in each phase that fits, as far as all together are not too large."""
    taken: dict[tuple[str, ArtifactKind], tuple[Report, File]] = {}
    left = TOTAL
    for report in reports:
        of_this = (report.repository, report.iteration, report.state)
        if report.phase not in PHASES or of_this != (repository, iteration, "accepted"):
            continue
        for file in report.artifacts:
            place = (report.phase, file.kind)
            if place not in taken and _fits(file) and file.size <= left:
                taken[place] = (report, file)
                left -= file.size
    return tuple(taken.values())


def _fits(file: File) -> bool:
    ending = ENDINGS.get(file.kind)
    return ending is not None and file.path.endswith(ending) and 0 < file.size <= LARGEST
