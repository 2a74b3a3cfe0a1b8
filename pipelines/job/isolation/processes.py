"""Run commands that are not trusted: as other users where this process may, with an explicit environment, killed whole.

Four roles are kept apart: the agent and the repository's commands, the application under test, what runs beside it, and
the test that judges it. Confines neither network nor CPU; where the runner is not root, all roles are this user.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from pipelines.job import limits
from pipelines.job.communication.errors import RunnerError
from pipelines.job.isolation import confinement, file_trees, process_tree, shared_folders
from pipelines.job.isolation.clean_up_steps import each
from pipelines.job.isolation.command_output import Completed, kill_group, read_until_end
from pipelines.job.isolation.confined_start import ConfinedStart
from pipelines.job.isolation.confinement import Confinement, Means, View
from pipelines.job.isolation.executables import located
from pipelines.job.isolation.leftovers import Leftovers
from pipelines.job.isolation.python_runtime import Runtime, own_runtime, shared_runtime, usable_by
from pipelines.job.isolation.role_users import Role, RoleUsers
from pipelines.job.isolation.shared_folders import Shared
from pipelines.language import Isolation

_PASSED = (
    *("LANG", "LC_ALL", "TZ", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"),
)


class Launcher:
    """Starts untrusted commands and ends them for good."""

    def __init__(
        self,
        *,
        root: Path,
        job_id: int = 0,
        environ: Mapping[str, str] | None = None,
        may_switch: bool = True,
        means: Collection[Means] = frozenset(Means),
    ) -> None:
        """`may_switch` and `means` leave out what this runner could do, as another runner can't."""
        self.root = root
        environ = os.environ if environ is None else environ
        self._passed = {name: environ[name] for name in _PASSED if name in environ}
        self._search_path = environ.get("PATH", "/usr/local/bin:/usr/bin:/bin")
        self._project_dir = environ.get("CI_PROJECT_DIR")
        self._groups: dict[Role, list[subprocess.Popen[bytes]]] = defaultdict(list)
        self._before = frozenset(process_tree.descendants(os.getpid()))
        self._apart: set[int] = set()
        self.untouched: dict[Path, object] = {}
        """What lies at a place, where nothing ran since it was put there."""
        self.ports: dict[str, int] = {}
        """By name: an application is served at the same port each time."""
        self._used: set[Role] = set()
        self.users = RoleUsers(job_id=job_id, may_switch=may_switch)
        self._means = means
        self._leftovers = Leftovers(self.users, runtime=lambda: self.runtime, shared=lambda: self._shared)

    @property
    def isolation(self) -> Isolation:
        """How far this runner lets us keep untrusted code apart; found out when it is first asked for."""
        if not self.users.are_apart:
            return Isolation.NONE
        return Isolation.NAMESPACES if self.confinement.means is Means.NAMESPACES else Isolation.USERS

    @cached_property
    def confinement(self) -> Confinement:
        """How the test that judges is confined."""
        home = self.home(Role.BROWSER)
        return confinement.found(
            python=self.runtime.python,
            uid=self.users.uid(Role.BROWSER),
            hidden=(*self._shared.folders, self.root, *([Path(self._project_dir)] if self._project_dir else [])),
            environment=self.environment(Role.BROWSER),
            view=View(readable=self.programs(), writable=(home,)),
            cwd=home,
            allowed=self._means,
        )

    @cached_property
    def _shared(self) -> Shared:
        beside = [self.root / "_", *([Path(self._project_dir)] if self._project_dir else [])]
        return shared_folders.found(beside=beside)

    @cached_property
    def runtime(self) -> Runtime:
        """A Python with our packages that the roles can run."""
        uid = self.users.uid(Role.WORK)
        return own_runtime() if uid is None or usable_by(uid) else shared_runtime(self.root / "runtime")

    def home(self, role: Role) -> Path:
        """Return the role's own folder, which no other role can read; made when it is first asked for."""
        home = self.root / "home" / role
        if not home.exists():
            (home / "tmp").mkdir(parents=True)
            home.parent.chmod(0o711)
            self.users.give(home, role)
        return home

    def environment(
        self, role: Role, extra: Mapping[str, str] | None = None, *, home: Path | None = None
    ) -> dict[str, str]:
        """Return the whole environment of a command; nothing of this process gets in that is not named here."""
        home = home or self.home(role)
        if not self._used:
            assert self._shared is not None  # noqa: S101 - looked at before anything untrusted runs
        self._used.add(role)
        own = {
            # What a command installed for itself comes last: it stands in the way of nothing that the runner has.
            "PATH": os.pathsep.join((*self.runtime.path, self._search_path, str(home / ".local/bin"))),
            "HOME": str(home),
            "TMPDIR": str(home / "tmp"),
            "USER": "bug-fix",
            "LOGNAME": "bug-fix",
            "CI": "true",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
        }
        if self.runtime.library_path is not None:
            own["LD_LIBRARY_PATH"] = self.runtime.library_path
        return {"LANG": "C.UTF-8"} | self._passed | own | dict(extra or {})

    def start(
        self,
        argv: Sequence[str],
        *,
        role: Role,
        cwd: Path,
        extra: Mapping[str, str] | None = None,
        home: Path | None = None,
        output: int = subprocess.DEVNULL,
        stdin: int = subprocess.DEVNULL,
        view: View | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a command in a session of its own and return it; with a `view` it is confined to that when it begins.

        A program that is named without a path is the runner's, never one that the role installed. Raises `RunnerError`
        where the command can't be confined.
        """
        command = [self.located(argv[0]), *argv[1:]]
        environment = self.environment(role, extra, home=home)
        streams = {"stdin": stdin, "stdout": output, "stderr": subprocess.STDOUT}
        arguments = {"cwd": cwd, "env": environment, **streams}
        if view is None:
            return self._started(command, role, arguments | self.users.popen_arguments(role))
        with ConfinedStart() as start:
            command = self.confinement.command(command, view=view, cwd=cwd, report=start.report)
            arguments |= {"start_new_session": True, "pass_fds": (start.report,)}
            process = self._started(command, role, arguments)
            try:
                start.check(timeout_s=limits.CONFINE_S)
            except RunnerError:
                if process.stdout is not None:
                    process.stdout.close()
                self.stop(process, role)
                raise
        return process

    def _started(self, command: Sequence[str], role: Role, arguments: Mapping[str, Any]) -> subprocess.Popen[bytes]:
        process: subprocess.Popen[bytes] = subprocess.Popen(command, **arguments)
        self._groups[role].append(process)
        return process

    def located(self, name: str) -> str:
        """Return the absolute path of a program of this runner's that the roles can run. Raises `RunnerError`."""
        search_path = os.pathsep.join((*self.runtime.path, self._search_path))
        return located(name, search_path, for_others=self.users.are_apart)

    def programs(self) -> tuple[Path, ...]:
        """Return the folders that hold Python and the programs of this runner's search path."""
        found = [Path(one) for one in self._search_path.split(os.pathsep) if one.startswith("/")]
        around = [one.parent for one in found if one.name == "bin"]
        libraries = [Path(one) for one in (self.runtime.library_path or "").split(os.pathsep) if one.startswith("/")]
        wanted = dict.fromkeys((*self.runtime.folders, *libraries, *found, *around))
        return tuple(one for one in wanted if one.is_dir() and not self.root.is_relative_to(one))

    def run(
        self,
        argv: Sequence[str],
        *,
        role: Role,
        cwd: Path,
        timeout_s: float,
        extra: Mapping[str, str] | None = None,
        home: Path | None = None,
        given: bytes = b"",
        view: View | None = None,
    ) -> Completed:
        """Run a command to its end, then end what it left in its process group. `given` is its standard input."""
        begun = time.monotonic()
        with open(os.memfd_create("given"), "w+b") as stdin:  # noqa: PTH123 - a descriptor: a file's name would differ
            stdin.write(given)
            stdin.seek(0)
            process = self.start(
                argv,
                role=role,
                cwd=cwd,
                extra=extra,
                home=home,
                output=subprocess.PIPE,
                stdin=stdin.fileno(),
                view=view,
            )
        output, timed_out = read_until_end(process, deadline=begun + timeout_s)
        kill_group(process)
        code = process.wait()
        return Completed(
            exit_code=code,
            output=output.decode(errors="replace"),
            seconds=time.monotonic() - begun,
            timed_out=timed_out,
        )

    def stop(self, process: subprocess.Popen[bytes], role: Role) -> None:
        """End a command that was started, with its process group. Raises `RunnerError` where it does not end."""
        kill_group(process)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired as error:
            raise RunnerError(f"Process {process.pid} of the {role} role can't be ended on this runner.") from error
        if process in self._groups[role]:
            self._groups[role].remove(process)

    def leave_alone(self, pid: int) -> None:
        """Keep a process that others started, with all below it, when a role's processes are ended."""
        self._apart.add(pid)

    def end(self, role: Role) -> None:
        """Kill every process of a role, also those that left their session."""
        for process in self._groups.pop(role, []):
            kill_group(process)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=5)
        uid = self.users.uid(role)
        if uid is None:
            self._end_strays()
            return
        self._leftovers.kill(role, uid)

    def _end_strays(self) -> None:
        """Where all roles are one user: kill what descends from this process and from no command that still runs."""
        known = {process.pid for group in self._groups.values() for process in group if process.poll() is None}
        process_tree.kill_descendants(timeout_s=5, but=known | self._apart | self._before)

    def renew(self, role: Role) -> None:
        """Kill the role's processes and remove all that they left: the next command starts as if it were the first."""
        self.end(role)
        file_trees.remove(self.home(role))
        self._leftovers.remove(role)

    def end_all(self) -> None:
        """Kill every process that came from this one and remove what they left outside of the job's folder.

        A step that fails, whatever with, keeps no other from being tried. Raises the first error at the end.
        """
        roles = sorted(self._used)
        steps: list[Callable[[], object]] = [
            partial(step, role) for role in roles for step in (self.end, self._leftovers.remove)
        ]
        if not self.users.are_apart:
            steps.append(partial(process_tree.kill_descendants, timeout_s=5, but=self._before))
        each(*steps)


def make_root() -> Path:
    """Make the folder of this job, which others may pass through but not list."""
    root = Path(tempfile.mkdtemp(prefix="bug-fix-"))
    root.chmod(0o711)
    return root
