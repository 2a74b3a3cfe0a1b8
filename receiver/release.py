"""What this installation is: its version, and hashes of the prompts and templates that it comes with."""

from __future__ import annotations

from importlib import metadata

from msgspec import Struct

from pipelines.resources import TEMPLATES, digest


class Release(Struct, frozen=True, kw_only=True):
    """Recorded with each run, so that figures can be compared across changes of the product."""

    version: str
    prompts_sha256: str
    """Of `templates/prompts`."""
    templates_sha256: str
    """Of all templates: prompts, notes, pages and CI jobs."""


def installed() -> Release:
    """Return what is installed. Reads all templates: ask once per process."""
    return Release(
        version=metadata.version("bug-fix"),
        prompts_sha256=digest(TEMPLATES / "prompts"),
        templates_sha256=digest(TEMPLATES),
    )
