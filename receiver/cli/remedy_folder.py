"""Open the files of remedies: those of the product, and a team's own beside its bug-fix.yml. Reads no meaning."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pipelines.catalogue.remedy_files import FOLDER, SUFFIX, RemedyError
from pipelines.catalogue.remedy_files import read as read_texts
from pipelines.catalogue.yaml_lines import FileProblem
from pipelines.language.remedy import Remedy
from pipelines.resources import TEMPLATES

BUILT_IN: Final = TEMPLATES / "healing"


def read(catalogue: Path) -> tuple[Remedy, ...]:
    """Return the remedies that hold for a catalogue, the most confident first. Raises `RemedyError`."""
    built_in = _texts(BUILT_IN)
    own = {name: text for name, text in _texts(catalogue.parent / FOLDER).items() if built_in.get(name) != text}
    return read_texts(built_in, own=own)


def _texts(folder: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in sorted(folder.glob("*")):
        if path.suffix != SUFFIX:
            raise _unusable(path, f"this is no remedy; a remedy's file ends in {SUFFIX}: rename or remove it")
        try:
            found[path.stem] = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise _unusable(path, f"it can't be read: {error}; write it as UTF-8 text") from error
    return found


def _unusable(path: Path, sentence: str) -> RemedyError:
    return RemedyError(((str(path), FileProblem(line=1, path=(), sentence=sentence)),))
