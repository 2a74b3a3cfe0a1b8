"""Find the files that are installed with the code: templates, migrations, the automation project's CI. Reads none.

In a checkout these are symbolic links to the folders at its root; a wheel and the job client hold copies.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

TEMPLATES: Final = Path(__file__).parent / "templates"
"""Holds `prompts`, `notes`, `pages` and `ci`."""

MIGRATIONS: Final = Path(__file__).parent / "migrations"
"""Alembic's scripts."""

__all__ = ["MIGRATIONS", "TEMPLATES"]
