"""How a command is confined on this runner: what was tried and worked, and the command line for it.

Two means: namespaces, which root has where it may `unshare`, and Landlock, which needs no rights. What they do is in
`confined_command.py`. Keeps nobody from the network.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

from msgspec import Struct

SCRIPT: Final = Path(__file__).with_name("confined_command.py")
_TRIAL_S: Final = 60


class Means(StrEnum):
    """What confines a command."""

    NAMESPACES = "namespaces"
    LANDLOCK = "landlock"
    NOTHING = "nothing"


class View(Struct, frozen=True, kw_only=True):
    """What a confined command finds of the folders that are else hidden from it."""

    readable: tuple[Path, ...] = ()
    writable: tuple[Path, ...] = ()


class Confinement(Struct, frozen=True, kw_only=True):
    """How commands of one user are confined."""

    means: Means
    has_clocks: bool = False
    """With namespaces: monotonic clocks begin anew for each command."""
    python: str
    uid: int | None
    """Whom the command becomes; None: who it is already."""
    hidden: tuple[Path, ...]
    """Folders that hold what a command must not see: of this job, and those that everybody may write to."""

    def command(self, argv: Sequence[str], *, view: View, cwd: Path) -> list[str]:
        """Return the command line that runs a command with a view of these folders; started with our own rights."""
        plan = {
            "means": self.means,
            "time": self.has_clocks,
            "uid": self.uid,
            "cwd": str(cwd),
            "hidden": [str(path) for path in self.hidden],
            "readable": [str(path) for path in view.readable],
            "writable": [str(path) for path in view.writable],
        }
        return [self.python, "-I", "-S", str(SCRIPT), json.dumps(plan), *argv]


def found(
    *,
    python: str,
    uid: int | None,
    hidden: Iterable[Path],
    environment: Mapping[str, str],
    allowed: Collection[Means] = frozenset(Means),
) -> Confinement:
    """Return the best confinement that a trial shows to work."""
    named = set(hidden)
    hidden = tuple(sorted(path for path in named if named.isdisjoint(path.parents)))  # with the uppermost all below it
    tried = (
        Confinement(means=Means.NAMESPACES, has_clocks=True, python=python, uid=uid, hidden=hidden),
        Confinement(means=Means.NAMESPACES, python=python, uid=uid, hidden=hidden),
        Confinement(means=Means.LANDLOCK, python=python, uid=uid, hidden=hidden),
    )
    for one in tried:
        if one.means in allowed and _works(one, environment):
            return one
    return Confinement(means=Means.NOTHING, python=python, uid=uid, hidden=hidden)


def _works(confinement: Confinement, environment: Mapping[str, str]) -> bool:
    command = confinement.command(["/bin/true"], view=View(), cwd=Path("/"))
    try:
        done = subprocess.run(
            command,
            env=dict(environment),
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_TRIAL_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
