"""Find a Chromium and say how it has to be started. Starts none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from pipelines.job.isolation.processes import Launcher
from pipelines.job.isolation.role_users import Role

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_PLACES = ("/usr/bin", "/usr/local/bin", "/snap/bin", "/opt/google/chrome")
_FROM_PLAYWRIGHT = "chromium-[0-9]*/chrome-linux*/chrome"
_NO_SANDBOX = "--no-sandbox"
# CLONE_NEWUSER alone is not enough, some systems give it without any rights: then CLONE_NEWPID | CLONE_NEWNET.
_CAN_SANDBOX = "import ctypes,sys; c=ctypes.CDLL(None); sys.exit(c.unshare(0x10000000) or c.unshare(0x60000000))"


class Browser(Struct, frozen=True, kw_only=True):
    """How the tests start their browser."""

    executable: str | None
    """None: the one that Playwright downloaded."""
    arguments: tuple[str, ...] = ()

    @property
    def sandbox(self) -> bool:
        """Whether Chromium's own sandbox is on; Playwright leaves it off unless told."""
        return _NO_SANDBOX not in self.arguments


def find_browser(
    launcher: Launcher, environ: Mapping[str, str] | None = None, *, places: Sequence[str] = _PLACES
) -> Browser:
    """Return the Chromium that the runner names (BUG_FIX_BROWSER), else the system's, else one that Playwright brought.

    Chromium's sandbox needs user namespaces, which root doesn't get from it and many containers don't give; the test's
    own user, and that the page is our application, are what is left then.
    """
    environ = os.environ if environ is None else environ
    search = os.pathsep.join((environ.get("PATH", ""), *places))
    names = (environ.get("BUG_FIX_BROWSER") or _NAMES[0], *_NAMES)
    found = (shutil.which(name, path=search) for name in names)
    executable = next((path for path in found if path), None) or _downloaded(environ)
    arguments = ["--disable-dev-shm-usage"]
    if not _can_sandbox(launcher):
        arguments.append(_NO_SANDBOX)
    return Browser(executable=executable, arguments=tuple(arguments))


def _downloaded(environ: Mapping[str, str]) -> str | None:
    """Return the newest Chromium below PLAYWRIGHT_BROWSERS_PATH, as Playwright's own images have it."""
    folder = environ.get("PLAYWRIGHT_BROWSERS_PATH")
    found = sorted(Path(folder).glob(_FROM_PLAYWRIGHT)) if folder else []
    return str(found[-1]) if found else None


def _can_sandbox(launcher: Launcher) -> bool:
    if launcher.users.uid(Role.BROWSER) is None and os.geteuid() == 0:
        return False
    python = launcher.runtime.python if Path(launcher.runtime.python).exists() else sys.executable
    done = subprocess.run(
        [python, "-I", "-S", "-c", _CAN_SANDBOX],
        check=False,
        capture_output=True,
        env=launcher.environment(Role.BROWSER),
        cwd="/",
        **launcher.users.popen_arguments(Role.BROWSER),  # type: ignore[call-overload]  # keyword arguments by name
    )
    return bool(done.returncode == 0)
