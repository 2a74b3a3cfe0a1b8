"""Give Playwright the ffmpeg that it films with, where the users of a job get to it. Installs none.

Playwright looks for a build of its own, by revision, below PLAYWRIGHT_BROWSERS_PATH. Any ffmpeg with VP8 does.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from pipelines.job.reproduction.frameworks import Tools

_FROM_PLAYWRIGHT = "ffmpeg-*/ffmpeg-linux"


class _Build(Struct, frozen=True, kw_only=True):
    name: str
    revision: str


class _Builds(Struct, frozen=True, kw_only=True):
    """browsers.json of playwright-core."""

    browsers: list[_Build]


def find_recorder(root: Path, tools: Tools, environ: Mapping[str, str] | None = None) -> Path | None:
    """Return a folder for PLAYWRIGHT_BROWSERS_PATH with an ffmpeg in it; None where this runner has none."""
    ffmpeg = _ffmpeg(os.environ if environ is None else environ)
    revision = _revision(_core(tools))
    if ffmpeg is None or revision is None:
        return None
    folder = root / "recorder"
    place = folder / f"ffmpeg-{revision}" / "ffmpeg-linux"
    place.parent.mkdir(parents=True)
    shutil.copy(ffmpeg, place)
    place.chmod(0o755)
    return folder


def _ffmpeg(environ: Mapping[str, str]) -> Path | None:
    downloads = environ.get("PLAYWRIGHT_BROWSERS_PATH") or str(Path(environ.get("HOME", "/"), ".cache/ms-playwright"))
    found = [*sorted(Path(downloads).glob(_FROM_PLAYWRIGHT), reverse=True)]
    system = shutil.which("ffmpeg", path=environ.get("PATH"))
    return next(iter([*found, *([Path(system)] if system else [])]), None)


def _core(tools: Tools) -> Path:
    """Return the folder of playwright-core: what @playwright/test depends on, or what comes with the Python package."""
    if tools.package is not None:
        playwright = (tools.package.resolve().parents[1] / "playwright").resolve()
        return playwright.parent / "playwright-core"
    found = importlib.util.find_spec("playwright")
    return Path(found.origin or "").parent / "driver" / "package" if found is not None else Path()


def _revision(core: Path) -> str | None:
    told = core / "browsers.json"
    if not told.is_file():  # a pipe in its place would never end
        return None
    try:
        builds = msgspec.json.decode(told.read_bytes(), type=_Builds)
    except (OSError, msgspec.MsgspecError, RecursionError):
        return None
    return next((build.revision for build in builds.browsers if build.name == "ffmpeg"), None)
