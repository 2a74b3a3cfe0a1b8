"""Choose the files that reviewers see in a merge request or ticket: few, small, of kinds that are shown there. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from pipelines.language import ArtifactKind, Phase
from receiver import limits
from receiver.notes.view import Moment
from receiver.store.story import Report, ReportedFile

ENDINGS = {ArtifactKind.SCREENSHOT: ".png", ArtifactKind.TRACE: ".zip", ArtifactKind.VIDEO: ".webm"}
"""What is shown, and how its name has to end: the name is the job's, and GitLab goes by it."""

MOMENTS = {Phase.REPRODUCTION: Moment.BEFORE, Phase.TESTING: Moment.AFTER}
"""Whose files show how it was, and whose how it is with the patch."""


class Chosen(Struct, frozen=True, kw_only=True):
    """A file that is shown."""

    report: Report
    file: ReportedFile
    moment: Moment

    @property
    def name(self) -> str:
        """Its name among others: what it is and when, nothing that a job chose."""
        return f"{self.file.kind}-{self.moment}{ENDINGS[self.file.kind]}"


def chosen(reports: Iterable[Report], *, repository: str) -> tuple[Chosen, ...]:
    """Return the first fitting file of each kind before and after, as far as all together are not too large.

    `reports`: those that count in the iteration.

    Testing runs the reproduction on both states: of its files those count that are named after the patched one.
    """
    taken: dict[tuple[Moment, ArtifactKind], Chosen] = {}
    left = limits.EVIDENCE_TOTAL
    for report in reports:
        moment = MOMENTS.get(Phase(report.phase))
        if moment is None or (report.repository, report.state) != (repository, "accepted"):
            continue
        for file in sorted(report.artifacts, key=lambda one: moment not in one.path.rpartition("/")[2]):
            place = (moment, file.kind)
            if place not in taken and _fits(file) and file.size <= left:
                taken[place] = Chosen(report=report, file=file, moment=moment)
                left -= file.size
    return tuple(taken.values())


def _fits(file: ReportedFile) -> bool:
    ending = ENDINGS.get(file.kind)
    return ending is not None and file.path.endswith(ending) and 0 < file.size <= limits.EVIDENCE_FILE
