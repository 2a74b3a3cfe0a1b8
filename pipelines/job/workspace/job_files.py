"""The files of a job: artifacts that it leaves for GitLab, inputs from other jobs, and what untrusted code wrote.

Reads untrusted files as plain files only, bounded, after the processes that could change them have ended.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path, PurePosixPath

from pipelines.job.communication.disclosure import SAYS_NOTHING, Disclosure
from pipelines.job.communication.errors import InputMismatchError, JobError
from pipelines.job.isolation.project_folder import discard, write
from pipelines.language import Artifact, ArtifactKind, Phase
from pipelines.language.change_set import ChangeSet, ChangeSetError, read_change_set
from pipelines.language.report_seal import SUBMITTED
from pipelines.language.wire import Input, sha256

_LIMIT = 50 * 1024 * 1024
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Artifacts:
    """What a job leaves below `.bug-fix/<phase>/` of CI_PROJECT_DIR, from where GitLab takes its artifacts.

    What is not to be disclosed is not written there: the receiver gets what it takes from this process's memory.
    """

    def __init__(self, project_dir: Path, phase: Phase) -> None:
        self.project_dir = project_dir
        self.folder = project_dir / ".bug-fix" / phase
        self._disclosure = Disclosure.OPEN
        self._kept: dict[str, Artifact] = {}
        self._held: dict[str, bytes] = {}

    @property
    def all(self) -> tuple[Artifact, ...]:
        """All that was kept, in the order of keeping."""
        return tuple(self._kept.values())

    @property
    def is_open(self) -> bool:
        """Say whether anything may be left for GitLab."""
        return self._disclosure is Disclosure.OPEN

    def disclose(self, disclosure: Disclosure) -> None:
        """From here on leave what may be left; of what was held back, all or nothing."""
        self._disclosure = disclosure
        if disclosure is Disclosure.OPEN:
            while self._held:
                path, data = self._held.popitem()
                write(self.project_dir, Path(path), data)
        if disclosure is Disclosure.WITHHELD:
            for artifact in self.all:
                self._let_go(artifact)
            self._withdraw()

    def _withdraw(self) -> None:
        """Take back what was left for GitLab, which collects it when the job ends."""
        if not self.folder.exists():
            return
        plain = [(Path(one.path), self.content(one)) for one in self.all if one.kind in SAYS_NOTHING]
        discard(self.folder.parent, self.folder.name)
        for path, data in plain:
            write(self.project_dir, path, data)

    def keep(self, kind: ArtifactKind, name: str, data: bytes) -> Artifact:
        """Write a file (again) and remember it for the report; of what is withheld, what the receiver takes."""
        relative = (self.folder / name).relative_to(self.project_dir)
        path = relative.as_posix()
        artifact = self._kept[path] = Artifact(kind=kind, path=path, sha256=sha256(data), size=len(data))
        if self.is_open or kind in SAYS_NOTHING:
            write(self.project_dir, relative, data)
            return artifact
        self._held[path] = data
        if self._disclosure is Disclosure.WITHHELD:
            self._let_go(artifact)
        return artifact

    def content(self, artifact: Artifact) -> bytes:
        """Return the bytes of a file that was kept. Raises `JobError` when something else wrote to it."""
        data = self._held.get(artifact.path)
        if data is None:
            data = read_untrusted(self.project_dir / artifact.path)
        if data is None or sha256(data) != artifact.sha256:
            raise JobError(
                f"{artifact.path} is not what this job kept there; code of its own user may have changed it."
            )
        return data

    def _let_go(self, artifact: Artifact) -> None:
        """Forget a file that nobody may get."""
        if artifact.kind not in SUBMITTED | SAYS_NOTHING:
            del self._kept[artifact.path]
            self._held.pop(artifact.path, None)


def read_untrusted(path: Path, *, limit: int = _LIMIT) -> bytes | None:
    """Return a plain file's bytes; None for anything else and for more than `limit` bytes."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode) or facts.st_nlink > 1 or facts.st_size > limit:
        os.close(descriptor)
        return None
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
        return file.read(limit + 1)[:limit]


def read_below(folder: Path, relative: str, *, limit: int) -> bytes | None:
    """Return a plain file's bytes as `read_untrusted` does; None also where a link leads to it or out of the folder."""
    parts = PurePosixPath(relative).parts
    if not parts or ".." in parts or "\0" in relative or PurePosixPath(relative).is_absolute():
        return None
    with contextlib.ExitStack() as opened:
        try:
            here = os.open(folder, _FOLDER)
            opened.callback(os.close, here)
            for name in parts[:-1]:
                here = os.open(name, _FOLDER, dir_fd=here)
                opened.callback(os.close, here)
        except (OSError, ValueError):
            return None
        return read_untrusted(Path(f"/proc/self/fd/{here}", parts[-1]), limit=limit)


def read_input(project_dir: Path, inputs: tuple[Input, ...], *, phase: Phase, kind: ArtifactKind) -> bytes:
    """Return the file that an accepted report names, if it is still that file. Raises `InputMismatchError`."""
    wanted = [given for given in inputs if given.phase is phase and given.artifact.kind is kind]
    if len(wanted) != 1:
        raise InputMismatchError(f"The receiver names {len(wanted)} files of kind {kind} from {phase}; one is needed.")
    artifact, content = wanted[0].artifact, wanted[0].content
    path = project_dir / artifact.path
    if ".." in Path(artifact.path).parts or not path.is_relative_to(project_dir):
        raise InputMismatchError(f"{artifact.path} is not below this job's project folder.")
    data = read_untrusted(path) if content is None else content
    if data is None:
        raise InputMismatchError(f"{artifact.path} of {phase} did not reach this job; check `needs` and `artifacts`.")
    if sha256(data) != artifact.sha256:
        raise InputMismatchError(f"{artifact.path} was changed: it is not what the receiver accepted from {phase}.")
    return data


def read_change(project_dir: Path, inputs: tuple[Input, ...]) -> tuple[ChangeSet, bytes]:
    """Return the accepted implementation's change set, and its bytes. Raises `InputMismatchError`."""
    is_former = any(given.artifact.kind is ArtifactKind.PATCH for given in inputs)  # which is refused with a sentence
    kind = ArtifactKind.PATCH if is_former else ArtifactKind.CHANGE_SET
    data = read_input(project_dir, inputs, phase=Phase.IMPLEMENTATION, kind=kind)
    try:
        return read_change_set(data), data
    except ChangeSetError as error:
        raise InputMismatchError(str(error)) from error
