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

from pipelines.job import limits
from pipelines.job.communication.errors import RunnerError
from pipelines.job.isolation.command_output import kill_group
from pipelines.job.isolation.confined_start import ConfinedStart

SCRIPT: Final = Path(__file__).with_name("confined_command.py")


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

    def command(self, argv: Sequence[str], *, view: View, cwd: Path, report: int) -> list[str]:
        """Return the command line that runs a command with a view of these folders; started with our own rights.

        `report` is the descriptor of a `ConfinedStart`, which the command line has to inherit.
        """
        plan = {
            "report": report,
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
    view: View,
    cwd: Path,
    allowed: Collection[Means] = frozenset(Means),
) -> Confinement:
    """Return the best confinement that a trial shows to work, with a view and a folder such as commands will have."""
    named = set(hidden)
    hidden = tuple(sorted(path for path in named if named.isdisjoint(path.parents)))  # with the uppermost all below it
    tried = (
        Confinement(means=Means.NAMESPACES, has_clocks=True, python=python, uid=uid, hidden=hidden),
        Confinement(means=Means.NAMESPACES, python=python, uid=uid, hidden=hidden),
        Confinement(means=Means.LANDLOCK, python=python, uid=uid, hidden=hidden),
    )
    for one in tried:
        if one.means in allowed and _works(one, environment, view=view, cwd=cwd):
            return one
    return Confinement(means=Means.NOTHING, python=python, uid=uid, hidden=hidden)


def _works(confinement: Confinement, environment: Mapping[str, str], *, view: View, cwd: Path) -> bool:
    try:
        with ConfinedStart() as start:
            trial = subprocess.Popen(
                confinement.command(["/bin/true"], view=view, cwd=cwd, report=start.report),
                env=dict(environment),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(start.report,),
                start_new_session=True,
            )
            try:
                start.check(timeout_s=limits.CONFINE_S)
                return trial.wait(timeout=limits.CONFINE_S) == 0
            finally:
                kill_group(trial)
                trial.wait(timeout=limits.CONFINE_S)
    except (OSError, RunnerError, subprocess.TimeoutExpired):
        return False
