"""Find the programs that a job runs by name, before anything untrusted can stand in their way. Runs none of them."""

from __future__ import annotations

import functools
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pipelines.job.communication.errors import RunnerError

_SYSTEM: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@functools.lru_cache(maxsize=64)
def located(name: str, search_path: str | None = None, *, for_others: bool = False) -> str:
    """Return the absolute path of a program; of one that is a path already, itself. Raises `RunnerError`.

    Folders of the search path that others may write to are passed over, and `for_others` those that they can't enter.
    """
    if Path(name).is_absolute():
        return name
    folders = (search_path or os.environ.get("PATH") or _SYSTEM).split(os.pathsep)
    trusted = [one for one in folders if _holds(_is_closed, one) and (not for_others or _holds(_is_open, one))]
    found = shutil.which(name, path=os.pathsep.join(trusted)) if trusted else None
    if found is None:
        raise RunnerError(f"{name} is not on this runner's PATH; its image needs it.")
    return found


def _holds(rule: Callable[[Path], bool], folder: str) -> bool:
    try:
        return Path(folder).is_absolute() and rule(Path(folder))
    except OSError:
        return False


def _is_closed(folder: Path) -> bool:
    return not folder.stat().st_mode & stat.S_IWOTH


def _is_open(folder: Path) -> bool:
    return all(place.stat().st_mode & stat.S_IXOTH for place in (folder, *folder.parents))
