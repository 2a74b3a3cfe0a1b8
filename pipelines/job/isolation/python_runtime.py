"""Make this Python usable for other users: it may live in a folder that only root can enter (/root/.pyenv, uv as root).

Hard links into the job's own folder give them the same files, read-only, at no cost in space. Changes no permission
of anything that exists.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from msgspec import Struct

_LEFT_OUT = frozenset({"test", "tests", "idlelib", "tkinter", "lib2to3", "ensurepip", "site-packages"})
"""Of the standard library."""


class Runtime(Struct, frozen=True, kw_only=True):
    """A Python with our packages (pytest, Playwright, the SDK) that a user of the job can run."""

    python: str
    path: tuple[str, ...] = ()
    """Goes first in PATH, so that `python` means this one."""
    library_path: str | None = None
    """For LD_LIBRARY_PATH, where the interpreter is a shared library."""
    folders: tuple[Path, ...] = ()
    """Where all of it lies."""


def own_runtime() -> Runtime:
    """Return the runtime of this process, for the user that it runs as."""
    return Runtime(
        python=sys.executable,
        path=(str(Path(sys.executable).parent),),
        library_path=os.environ.get("LD_LIBRARY_PATH"),
        folders=(Path(sys.prefix), Path(sys.base_prefix), Path(sysconfig.get_path("stdlib")), *_packages()),
    )


def usable_by(uid: int) -> bool:
    """Say whether the user can run this interpreter and import our packages."""
    if not all(map(others_may_enter, _packages())):
        return False
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", ""],
            user=uid,
            group=uid,
            extra_groups=[],
            env={"PATH": "/usr/bin:/bin"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=60,
        )
    except OSError:
        return False
    return done.returncode == 0


def shared_runtime(root: Path) -> Runtime:
    """Link interpreter and packages below `root` and return how to run them there."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    base, home = Path(sys.base_prefix), root / "python"
    _link_tree(Path(sysconfig.get_path("stdlib")), home / "lib" / version, left_out=_LEFT_OUT)
    for library in (base / "lib").glob("libpython*.so*"):
        _link(library, home / "lib" / library.name)
    interpreter = home / "bin" / version
    interpreter.parent.mkdir()
    _link(Path(sys.executable), interpreter)
    venv = root / "venv"
    binaries = venv / "bin"
    packages = venv / "lib" / version / "site-packages"
    binaries.mkdir(parents=True)
    (venv / "pyvenv.cfg").write_text(f"home = {interpreter.parent}\ninclude-system-site-packages = false\n")
    for name in ("python", "python3", version):
        (binaries / name).symlink_to(interpreter)
    installed, own = _packages()
    if others_may_enter(installed) and others_may_enter(own):
        packages.parent.mkdir(parents=True)
        packages.symlink_to(installed)
    else:
        _link_tree(installed, packages, left_out=frozenset())
        if not (packages / own.name).exists():  # an editable installation
            _link_tree(own, packages / own.name, left_out=frozenset({"__pycache__"}))
    return Runtime(
        python=str(binaries / "python"),
        path=(str(binaries),),
        library_path=str(home / "lib"),
        folders=(root, *_packages()),
    )


def _packages() -> tuple[Path, Path]:
    """Return where packages are installed, and where ours is (elsewhere in an editable installation)."""
    return Path(sysconfig.get_path("purelib")), Path(__file__).resolve().parents[2]


def others_may_enter(folder: Path) -> bool:
    """Say whether any user can read the folder."""
    return all(place.stat().st_mode & 0o005 == 0o005 for place in (folder, *folder.parents))


def _link_tree(source: Path, target: Path, *, left_out: frozenset[str]) -> None:
    """Link the files below a folder: some thousands, so what a file doesn't need is done once for its folder."""
    for folder, folders, files in os.walk(source):
        folders[:] = [name for name in folders if name not in left_out]
        place = target / os.path.relpath(folder, source)
        place.mkdir(parents=True, exist_ok=True)
        for name in files:
            _link(Path(folder, name), place / name)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(os.path.realpath(source) if source.is_symlink() else source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)
