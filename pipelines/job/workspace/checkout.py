"""A checkout in which untrusted commands run: its folder, its home, its share of the cache, its role.

All checkouts of a repository for one role have the same path, one after the other: what runs in one can't tell by its
name which one it is. Runs the catalogue's commands; judges none of them.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pipelines.job import limits
from pipelines.job.communication.errors import CommandsError, JobError, RunnerError
from pipelines.job.communication.job_log import JobLog
from pipelines.job.isolation import file_trees
from pipelines.job.isolation.command_output import Completed
from pipelines.job.isolation.processes import Launcher
from pipelines.job.isolation.project_folder import discard
from pipelines.job.isolation.role_users import Role
from pipelines.job.workspace.job_files import Artifacts
from pipelines.language import ArtifactKind
from pipelines.language.repository import Repository

_CACHE = ".cache"
"""The only folder of CI_PROJECT_DIR that stack presets keep between jobs."""


class Checkout:
    """One checkout with a home of its own, so that what is installed for one can't serve another."""

    def __init__(
        self,
        *,
        name: str,
        place: str,
        role: Role,
        repository: Repository,
        launcher: Launcher,
        artifacts: Artifacts,
        log: JobLog,
    ) -> None:
        """`name` is for people, `place` that of the folder."""
        self.name = name
        self.role = role
        self.repository = repository
        self.launcher = launcher
        self.artifacts = artifacts
        self.log = log
        self.root = launcher.root
        self.place = self.root / place
        self.folder = self.place / "repository"
        self.home = self.place / "home"
        self._kept: Path | None = None

    def settle(self, project_dir: Path) -> None:
        """Make the home, with a copy of the cache that GitLab restored, and hand all to the role."""
        (self.home / "tmp").mkdir(parents=True)
        place = self.home / "project"
        place.mkdir()
        cache = project_dir / _CACHE
        if cache.is_dir() and not cache.is_symlink():  # a link could lead to what only this program may read
            file_trees.copy(cache, place / _CACHE)
        self.launcher.users.give(self.home, self.role)
        self.launcher.users.give(self.folder, self.role)

    def return_cache(self, project_dir: Path) -> None:
        """Put the cache back for GitLab to keep; the role's processes must have ended."""
        kept = self.home / "project" / _CACHE
        if kept.is_dir() and not kept.is_symlink():
            discard(project_dir, _CACHE)
            file_trees.copy(kept, project_dir / _CACHE)

    def keep(self) -> None:
        """Keep a copy of the checkout with its home as they are now, for `renew`; once, out of everybody's reach."""
        if self._kept is not None:
            return
        store = self.root / "kept"
        store.mkdir(mode=0o700, exist_ok=True)
        self._kept = Path(tempfile.mkdtemp(dir=store))
        file_trees.copy(self.place, self._kept / "place")
        self.launcher.untouched[self.place] = self

    def renew(self) -> None:
        """Put the checkout back as it was kept, and remove all else that its role left anywhere."""
        self.launcher.renew(self.role)
        if self.launcher.untouched.get(self.place) is self:
            return  # nothing ran here since
        if self._kept is None:
            raise JobError(f"The checkout {self.name} was never kept, so it can't be renewed.")
        self.clear()
        file_trees.copy(self._kept / "place", self.place)
        self.launcher.untouched[self.place] = self

    def forget(self) -> None:
        """Remove the copy that was kept."""
        if self._kept is not None:
            file_trees.remove(self._kept)
            self._kept = None

    def clear(self) -> None:
        """Remove what is at the checkout's place. Raises `RunnerError` when something resists."""
        self.launcher.untouched.pop(self.place, None)
        if not file_trees.remove(self.place):
            raise RunnerError(f"A folder of untrusted code can't be removed: {self.place}.")

    @property
    def variables(self) -> dict[str, str]:
        """The stack's variables; `$CI_PROJECT_DIR`, where caches lie, is a folder that the role may write to."""
        place = str(self.home / "project")
        return {
            name: value.replace("${CI_PROJECT_DIR}", place).replace("$CI_PROJECT_DIR", place)
            for name, value in self.repository.stack.variables.items()
        }

    def start(self, command: str, *, extra: Mapping[str, str], output: int) -> subprocess.Popen[bytes]:
        """Start a shell command and return it."""
        self.launcher.untouched.pop(self.place, None)
        return self.launcher.start(
            ["/bin/bash", "-c", command],
            role=self.role,
            cwd=self.folder,
            extra=self.variables | dict(extra),
            home=self.home,
            output=output,
        )

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """End a command that was started."""
        self.launcher.stop(process, self.role)

    def run(self, title: str, command: str, *, log_name: str) -> Completed:
        """Run a command of the catalogue to its end; its output becomes an artifact."""
        self.launcher.untouched.pop(self.place, None)
        with self.log.step(title):
            done = self.launcher.run(
                ["/bin/bash", "-c", command],
                role=self.role,
                cwd=self.folder,
                timeout_s=limits.COMMAND_S,
                extra=self.variables,
                home=self.home,
            )
        self.artifacts.keep(ArtifactKind.LOG, log_name, self.log.redacted(done.output).encode())
        if done.exit_code != 0:
            self.log.state(f"{title}: exit code {done.exit_code}{' (time is over)' if done.timed_out else ''}")
            self.log.block(done.output)
        return done

    def install(self) -> None:
        """Run the catalogue's install command. Raises `CommandsError` when it fails."""
        command = self.repository.stack.commands.install
        if command is None:
            return
        log_name = f"install-{self.name}.log"
        done = self.run(f"install ({self.name})", command, log_name=log_name)
        if done.exit_code != 0:
            raise CommandsError(
                f"Installing {self.repository.key} failed with exit code {done.exit_code}; see {log_name}."
            )

    def end(self) -> None:
        """Kill every process of the role."""
        self.launcher.end(self.role)
