"""Choose the job artifacts that a merge request's description links. Pure.

The files stay artifacts of their jobs and are not uploaded, so GitLab's permissions for artifacts apply to them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from pipelines.language import ArtifactKind, Phase, ProjectPath
from receiver.notes.view import JobFile
from receiver.store.story import Report, ReportedFile


class _Wanted(Struct, frozen=True):
    phase: Phase
    kind: ArtifactKind
    name: str
    """For people."""
    filename: str = ""
    """Base name of the file; empty: the first of its kind."""
    needs: ArtifactKind | None = None
    """Link the file only if the job also has an artifact of this kind."""


WANTED: Final = (
    _Wanted(Phase.REPRODUCTION, ArtifactKind.REPRODUCTION_TEST, "reproduction test"),
    _Wanted(Phase.REPRODUCTION, ArtifactKind.LOG, "browser's console", "console-before.jsonl", ArtifactKind.SCREENSHOT),
    _Wanted(Phase.REPRODUCTION, ArtifactKind.LOG, "requests and answers", "exchanges-before.jsonl"),
    _Wanted(Phase.REPRODUCTION, ArtifactKind.LOG, "server's log before", "server-before.log"),
    _Wanted(Phase.TESTING, ArtifactKind.LOG, "server's log after", "server-after.log"),
    _Wanted(Phase.REPRODUCTION, ArtifactKind.BISECT, "script for git bisect run"),
)
"""File names come from `pipelines.phases.reproduction_evidence`; links appear in this order."""

_PATH: Final = re.compile(r"(?!.*\.\.)[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*")


def of(repository: ProjectPath, reports: Iterable[Report], *, project_url: str) -> tuple[JobFile, ...]:
    """Return the linked files of a repository's accepted reports. `project_url`: of the project that ran the jobs."""
    counted = {r.phase: r for r in reports if r.repository == repository and r.state == "accepted"}
    return tuple(_found(counted, project_url)) if project_url else ()


def _found(reports: dict[str, Report], project_url: str) -> Iterator[JobFile]:
    for wanted in WANTED:
        report = reports.get(wanted.phase)
        if report is None or (wanted.needs and all(file.kind is not wanted.needs for file in report.artifacts)):
            continue
        file = next((file for file in report.artifacts if _is(file, wanted)), None)
        if file is not None:
            yield JobFile(name=wanted.name, url=f"{project_url}/-/jobs/{report.job}/artifacts/file/{file.path}")


def _is(file: ReportedFile, wanted: _Wanted) -> bool:
    name = file.path.rpartition("/")[2]
    return (
        file.kind is wanted.kind
        and file.size > 0
        and wanted.filename in {"", name}
        and _PATH.fullmatch(file.path) is not None
    )
