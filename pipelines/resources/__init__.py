"""Find the files that are installed with the code: templates, migrations, the automation project's CI.

In a checkout these are symbolic links to the folders at its root; a wheel and the job client hold copies.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Final

TEMPLATES: Final = Path(__file__).parent / "templates"
"""Holds `prompts`, `notes`, `pages` and `ci`."""

MIGRATIONS: Final = Path(__file__).parent / "migrations"
"""Alembic's scripts."""


def digest(folder: Path) -> str:
    """Return the SHA-256 of a folder's files: of their names and contents, in the order of their names."""
    total = sha256()
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        content = path.read_bytes()
        total.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        total.update(content)
    return total.hexdigest()


__all__ = ["MIGRATIONS", "TEMPLATES", "digest"]
