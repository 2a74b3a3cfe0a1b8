"""A checkout in which untrusted commands run: its folder, its home, its share of the cache, its role.

Runs the catalogue's commands; judges none of them.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from pipelines.job import limits
from pipelines.job.isolation.processes import Completed, Launcher, Role
from pipelines.job.isolation.project_folder import discard
from pipelines.job.reporting.errors import CommandsError
from pipelines.job.reporting.job_log import JobLog
from pipelines.job.workspace.job_files import Artifacts
from pipelines.language import ArtifactKind
from pipelines.language.catalogue import Repository

_CACHE = ".cache"
"""The only folder of CI_PROJECT_DIR that stack presets keep between jobs."""


class Checkout:
    """One checkout with a home of its own, so that what is installed for one can't serve another."""

    def __init__(
        self, *, name: str, role: Role, repository: Repository, launcher: Launcher, artifacts: Artifacts, log: JobLog
    ) -> None:
        self.name = name
        self.role = role
        self.repository = repository
        self.launcher = launcher
        self.artifacts = artifacts
        self.log = log
        self.root = launcher.root
        self.folder = self.root / name / "repository"
        self.home = self.root / name / "home"

    def settle(self, project_dir: Path) -> None:
        """Make the home, with a copy of the cache that GitLab restored, and hand all to the role."""
        (self.home / "tmp").mkdir(parents=True)
        place = self.home / "project"
        place.mkdir()
        cache = project_dir / _CACHE
        if cache.is_dir() and not cache.is_symlink():  # a link could lead to what only this program may read
            shutil.copytree(cache, place / _CACHE, symlinks=True)
        self.launcher.give(self.home, self.role)
        self.launcher.give(self.folder, self.role)

    def return_cache(self, project_dir: Path) -> None:
        """Put the cache back for GitLab to keep; the role's processes must have ended."""
        kept = self.home / "project" / _CACHE
        if kept.is_dir() and not kept.is_symlink():
            discard(project_dir, _CACHE)
            shutil.move(kept, project_dir / _CACHE)

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
