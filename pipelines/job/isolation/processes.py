"""Run commands that are not trusted: as other users where this process may, with an explicit environment, killed whole.

Four roles are kept apart: the agent and the repository's commands, the application under test, what runs beside it, and
the test that judges it. Confines neither network nor CPU; where the runner is not root, all roles are this user.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from msgspec import Struct

from pipelines.job import limits
from pipelines.job.isolation import process_tree
from pipelines.job.isolation.python_runtime import Runtime, own_runtime, shared_runtime, usable_by
from pipelines.job.isolation.user_ids import NoUidsError, UidBlock
from pipelines.job.reporting.errors import RunnerError
from pipelines.language import Isolation

_PASSED = (
    *("LANG", "LC_ALL", "TZ", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"),
)
_SHARED_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - cleaned, not used


class Role(StrEnum):
    """On whose behalf a command runs."""

    WORK = "work"
    APPLICATION = "application"
    BROWSER = "browser"
    NEIGHBOUR = "neighbour"
    """Repositories that the one under test needs running beside it: a patch to it can't reach into them."""


class Completed(Struct, frozen=True, kw_only=True):
    """A command that ended, or was ended."""

    exit_code: int
    """Negative: the signal that ended it."""
    output: str
    """Standard output and error together; the last 10 MB, untrusted."""
    seconds: float
    timed_out: bool = False


class Launcher:
    """Starts untrusted commands and ends them for good."""

    def __init__(self, *, root: Path, job_id: int = 0, environ: Mapping[str, str] | None = None) -> None:
        self.root = root
        environ = os.environ if environ is None else environ
        self._passed = {name: environ[name] for name in _PASSED if name in environ}
        self._search_path = environ.get("PATH", "/usr/local/bin:/usr/bin:/bin")
        self._groups: dict[Role, list[subprocess.Popen[bytes]]] = defaultdict(list)
        self._used = False
        self._preferred = job_id

    @cached_property
    def _uids(self) -> dict[Role, int]:
        try:
            self._block = UidBlock(len(Role), preferred=self._preferred)  # held as long as this object lives
        except NoUidsError as error:
            raise RunnerError(f"Untrusted code can't be given users of its own: {error}") from error
        return {role: self._block.first + place for place, role in enumerate(Role)}

    @cached_property
    def isolation(self) -> Isolation:
        """How far this runner lets us keep untrusted code apart; found out when it is first asked for."""
        return Isolation.USERS if self._may_switch() else Isolation.NONE

    @cached_property
    def runtime(self) -> Runtime:
        """A Python with our packages that the roles can run."""
        uid = self.uid(Role.WORK)
        return own_runtime() if uid is None or usable_by(uid) else shared_runtime(self.root / "runtime")

    def uid(self, role: Role) -> int | None:
        """Return the user id of a role; None: this process's own."""
        return self._uids[role] if self.isolation is Isolation.USERS else None

    def home(self, role: Role) -> Path:
        """Return the role's own folder, which no other role can read; made when it is first asked for."""
        home = self.root / "home" / role
        if not home.exists():
            (home / "tmp").mkdir(parents=True)
            home.parent.chmod(0o711)
            self.give(home, role)
        return home

    def environment(
        self, role: Role, extra: Mapping[str, str] | None = None, *, home: Path | None = None
    ) -> dict[str, str]:
        """Return the whole environment of a command; nothing of this process gets in that is not named here."""
        home = home or self.home(role)
        self._used = True
        own = {
            "PATH": os.pathsep.join((*self.runtime.path, str(home / ".local/bin"), self._search_path)),
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

    def popen_arguments(self, role: Role) -> dict[str, object]:
        """Return what makes a child process belong to the role, for `subprocess` and `asyncio` alike."""
        uid = self.uid(role)
        if uid is None:
            return {"start_new_session": True}
        return {"start_new_session": True, "user": uid, "group": uid, "extra_groups": [], "umask": 0o077}

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
    ) -> subprocess.Popen[bytes]:
        """Start a command in a session of its own and return it."""
        process: subprocess.Popen[bytes] = subprocess.Popen(
            argv,
            cwd=cwd,
            env=self.environment(role, extra, home=home),
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            **self.popen_arguments(role),  # type: ignore[call-overload]  # keyword arguments by name
        )
        self._groups[role].append(process)
        return process

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
    ) -> Completed:
        """Run a command to its end, then end what it left in its process group. `given` is its standard input."""
        begun = time.monotonic()
        with tempfile.TemporaryFile() as stdin:
            stdin.write(given)
            stdin.seek(0)
            process = self.start(
                argv, role=role, cwd=cwd, extra=extra, home=home, output=subprocess.PIPE, stdin=stdin.fileno()
            )
        output, timed_out = _read_until_end(process, deadline=begun + timeout_s)
        _kill_group(process)
        code = process.wait()
        return Completed(
            exit_code=code,
            output=output.decode(errors="replace"),
            seconds=time.monotonic() - begun,
            timed_out=timed_out,
        )

    def stop(self, process: subprocess.Popen[bytes], role: Role) -> None:
        """End a command that was started, with its process group."""
        _kill_group(process)
        process.wait(timeout=10)
        if process in self._groups[role]:
            self._groups[role].remove(process)

    def give(self, path: Path, role: Role) -> None:
        """Make a folder with all in it belong to a role, and to no other."""
        uid = self.uid(role)
        if uid is None:
            return
        for folder, folders, files in os.walk(path):
            for name in (*folders, *files):
                os.chown(Path(folder, name), uid, uid, follow_symlinks=False)
        os.chown(path, uid, uid)
        path.chmod(0o700)

    def end(self, role: Role) -> None:
        """Kill every process of a role, also those that left their session."""
        for process in self._groups.pop(role, []):
            _kill_group(process)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=5)
        uid = self.uid(role)
        if uid is None:
            return
        # Sent by the user itself to "all that I may signal": the kernel does it in one go, so no fork escapes.
        subprocess.run(
            ["/bin/sh", "-c", "kill -KILL -1"],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={},
            cwd="/",
            **self.popen_arguments(role),  # type: ignore[call-overload]  # keyword arguments by name
        )
        if not process_tree.wait_gone(uid=uid, timeout_s=5):
            raise RunnerError(f"Processes of the {role} user {uid} can't be ended; the runner's machine needs a look.")

    def renew(self, role: Role) -> None:
        """Kill the role's processes and remove all that they left: the next command starts as if it were the first."""
        self.end(role)
        shutil.rmtree(self.home(role), ignore_errors=True)
        uid = self.uid(role)
        if uid is not None:
            _remove_owned(uid)

    def end_all(self) -> None:
        """Kill every process that came from this one and remove what they left outside of the job's folder."""
        for role in Role if self._used else ():
            self.end(role)
            uid = self.uid(role)
            if uid is not None:
                _remove_owned(uid)
        if self.isolation is Isolation.NONE:
            process_tree.kill_descendants(timeout_s=5)

    def _may_switch(self) -> bool:
        if os.geteuid() != 0:
            return False
        try:
            for uid in self._uids.values():
                subprocess.run(["/bin/true"], user=uid, group=uid, extra_groups=[], check=True, env={})
        except (OSError, ValueError, subprocess.CalledProcessError):
            return False
        return True


def make_root() -> Path:
    """Make the folder of this job, which others may pass through but not list."""
    root = Path(tempfile.mkdtemp(prefix="bug-fix-"))
    root.chmod(0o711)
    return root


def _read_until_end(process: subprocess.Popen[bytes], *, deadline: float) -> tuple[bytes, bool]:
    """Return the output up to the end of the process itself: a child that it left behind may keep the pipe open."""
    assert process.stdout is not None  # noqa: S101 - started with a pipe by our caller
    kept = bytearray()
    timed_out = False
    with process.stdout as stream, selectors.DefaultSelector() as selector:
        os.set_blocking(stream.fileno(), False)
        selector.register(stream, selectors.EVENT_READ)
        while True:
            ended = process.poll() is not None
            if not selector.select(timeout=0 if ended else 0.05):
                if ended:
                    break
                if time.monotonic() > deadline:
                    timed_out = True
                    _kill_group(process)
                continue
            chunk = stream.read(65_536)
            if not chunk:
                break
            kept += chunk
            del kept[: -limits.COMMAND_OUTPUT]
        if process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=max(0.0, deadline - time.monotonic()))
            timed_out = timed_out or process.poll() is None
    return bytes(kept), timed_out


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _remove_owned(uid: int) -> None:
    """Remove what a user left in the folders that everybody may write to."""
    for folder in map(Path, _SHARED_FOLDERS):
        with contextlib.suppress(OSError):
            for entry in os.scandir(folder):
                with contextlib.suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_uid != uid:
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        shutil.rmtree(entry.path, ignore_errors=True)
                    else:
                        Path(entry.path).unlink(missing_ok=True)
