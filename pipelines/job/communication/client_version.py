"""Version of the job client, as its reports and sessions name it."""

from __future__ import annotations

from importlib.metadata import version


def client_version() -> str:
    """Return the version of the installed job client."""
    return version("bug-fix")
