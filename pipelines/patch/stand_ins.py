"""Whether a new file would be taken for a module that tests are run by, or run before them. Pure.

Python looks for a module first in the folder that it is started in, and pytest adds folders of tests before others.
"""

from __future__ import annotations

import re
import sys
from typing import Final

from pipelines.patch.changed import Base
from pipelines.patch.kinds import is_test

_RUNNERS: Final = re.compile(r"_?pytest|pytest_\w+|pluggy|iniconfig|sitecustomize|usercustomize")
"""Modules that take part wherever they are found; no product calls a module of its own so."""
_TOOLS: Final = frozenset({"coverage", "hypothesis", "playwright", "xdist"})
"""Words that a product may use within its packages."""
_STANDARD: Final = sys.stdlib_module_names - {"test"}
_MODULE: Final = re.compile(
    r"(?P<folder>(?:[^/]+/)*?)(?P<name>\w+)(?:/__init__)?\.(?:pyw?|(?:[\w-]+\.)?(?:pyc|so|pyd))", re.ASCII
)
_SOURCES: Final = re.compile(r"(?:.*/)?(?:src|lib)/", re.IGNORECASE)
_STARTED_IN: Final = (
    *("pyproject.toml", "setup.py", "setup.cfg", "pytest.ini", "tox.ini", "manage.py", "requirements.txt"),
)
"""A folder with one of these is a project of its own, in which its tests are started."""


def stand_in(path: str, base: Base) -> str:
    """Return why a new file may not be called so, as the end of a sentence; empty: it may."""
    if path.lower().endswith(".pth"):
        return "would be run whenever Python starts beside it; take it out."
    found = _MODULE.fullmatch(path)
    if found is None or not _stands_in(found["folder"], found["name"], base):
        return ""
    return f"would be taken for the module `{found['name']}` where tests are run; name it otherwise."


def _stands_in(folder: str, name: str, base: Base) -> bool:
    if _RUNNERS.fullmatch(name):
        return True
    if name not in _TOOLS and name not in _STANDARD:
        return False
    if not folder or any(base(folder + one) is not None for one in _STARTED_IN):
        return True
    if base(f"{folder}__init__.py") is not None:
        return False  # it is a part of a package, and has the package's name before its own
    return is_test(f"{folder}x") or (name in _TOOLS and _SOURCES.fullmatch(folder) is not None)
