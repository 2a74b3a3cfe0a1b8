"""The files of a job: artifacts that it leaves for GitLab, inputs from other jobs, and what untrusted code wrote.

Reads untrusted files as plain files only, bounded, after the processes that could change them have ended.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pipelines.job.errors import InputMismatchError
from pipelines.job.project_folder import write
from pipelines.model import Artifact, ArtifactKind, Phase
from pipelines.wire import Input, sha256

_LIMIT = 50 * 1024 * 1024


class Artifacts:
    """What a job leaves below `.bug-fix/<phase>/` of CI_PROJECT_DIR."""

    def __init__(self, project_dir: Path, phase: Phase) -> None:
        self._project_dir = project_dir
        self.folder = project_dir / ".bug-fix" / phase
        self._kept: dict[str, Artifact] = {}

    @property
    def all(self) -> tuple[Artifact, ...]:
        """All that was kept, in the order of keeping."""
        return tuple(self._kept.values())

    def keep(self, kind: ArtifactKind, name: str, data: bytes) -> Artifact:
        """Write a file (again) and remember it for the report."""
        relative = (self.folder / name).relative_to(self._project_dir)
        write(self._project_dir, relative, data)
        path = relative.as_posix()
        self._kept[path] = Artifact(kind=kind, path=path, sha256=sha256(data), size=len(data))
        return self._kept[path]


def read_untrusted(path: Path, *, limit: int = _LIMIT) -> bytes | None:
    """Return a plain file's bytes; None for anything else and for more than `limit` bytes."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or facts.st_nlink > 1 or facts.st_size > limit:
            return None
        return file.read(limit + 1)[:limit]


def read_input(project_dir: Path, inputs: tuple[Input, ...], *, phase: Phase, kind: ArtifactKind) -> bytes:
    """Return the file that an accepted report names, if it is still that file. Raises `InputMismatchError`."""
    wanted = [given.artifact for given in inputs if given.phase is phase and given.artifact.kind is kind]
    if len(wanted) != 1:
        raise InputMismatchError(f"The receiver names {len(wanted)} files of kind {kind} from {phase}; one is needed.")
    artifact = wanted[0]
    path = project_dir / artifact.path
    if ".." in Path(artifact.path).parts or not path.is_relative_to(project_dir):
        raise InputMismatchError(f"{artifact.path} is not below this job's project folder.")
    data = read_untrusted(path)
    if data is None:
        raise InputMismatchError(f"{artifact.path} of {phase} did not reach this job; check `needs` and `artifacts`.")
    if sha256(data) != artifact.sha256:
        raise InputMismatchError(f"{artifact.path} was changed: it is not what the receiver accepted from {phase}.")
    return data
