"""Read Cobertura XML: coverage.py's, coverlet's, istanbul's. Pure; the report is untrusted.

Format: https://github.com/cobertura/web/blob/master/htdocs/xml/coverage-04.dtd. A file may stand in it as several
classes, and a line twice (below its method and below its class): it counts once, as covered if it was hit anywhere.
Converters get single lines wrong (negative and huge counts, `NaN`, `undefined`): those are left out.
"""

from __future__ import annotations

import math
import re
from typing import Final

from pipelines.job.report_formats.hostile_xml import Doctype, XmlError, read
from pipelines.proof.measured_file import MeasuredFile, plain

MAX_LINES = 3_000_000
"""Of one report."""

MAX_FILES = 100_000
"""Of one report."""

MAX_NUMBER = 10_000_000
"""Of a line; converters write 4294967295 for -1."""

MAX_SOURCES = 100
"""Folders of one report: each file may be relative to each of them."""

MAX_SOURCE_LENGTH = 4_096
"""Characters of one, as Linux has it for a path."""


_DECIMAL: Final = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{0,40})?(?:[eE][+-]?[0-9]{1,3})?")


class CoberturaError(XmlError):
    """The report can't be used; the message says why."""


def read_coverage(document: bytes) -> tuple[MeasuredFile, ...]:
    """Return the files of a Cobertura document. Raises `CoberturaError`."""
    try:
        reader = read(document, {"coverage": _Reader}, what="the coverage report", doctype=Doctype.REFERENCE)
    except CoberturaError:
        raise
    except XmlError as error:
        raise CoberturaError(str(error)) from error
    sources = tuple(dict.fromkeys(plain(source) for source in reader.sources if source.strip()))
    if len(sources) > MAX_SOURCES:
        raise CoberturaError(f"the coverage report has more than {MAX_SOURCES} source folders")
    return tuple(
        MeasuredFile(name=name, sources=sources, lines=lines) for name, lines in reader.files.items() if name and lines
    )


class _Reader:
    """Collects sources, files and lines while the document is read."""

    def __init__(self) -> None:
        self.sources: list[str] = []
        self.files: dict[str, dict[int, bool]] = {}
        self._lines: dict[int, bool] | None = None
        self._source: list[str] | None = None
        self._length = 0
        self._count = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        match tag:
            case "source":
                self._source, self._length = [], 0
            case "class":
                self._lines = self.files.setdefault(plain(attributes.get("filename", "")), {})
                if len(self.files) > MAX_FILES:
                    raise CoberturaError(f"the coverage report has more than {MAX_FILES} files")
            case "line" if self._lines is not None:
                self._line(attributes, self._lines)
            case _:
                pass

    def _line(self, attributes: dict[str, str], lines: dict[int, bool]) -> None:
        self._count += 1
        if self._count > MAX_LINES:
            raise CoberturaError(f"the coverage report has more than {MAX_LINES} lines")
        number, hits = (_number(attributes.get(name)) for name in ("number", "hits"))
        if number is None or hits is None or not number.is_integer() or not 0 < number <= MAX_NUMBER:
            return  # an odd line says nothing, and spoils no other
        line = int(number)
        lines[line] = lines.get(line, False) or hits > 0

    def text(self, data: str) -> None:
        if self._source is None:
            return
        self._length += len(data)
        if self._length > MAX_SOURCE_LENGTH:
            raise CoberturaError(f"the coverage report has a source folder of more than {MAX_SOURCE_LENGTH} characters")
        self._source.append(data)

    def end(self, tag: str) -> None:
        if tag == "source" and self._source is not None:
            self.sources.append("".join(self._source))
            self._source = None
        elif tag == "class":
            self._lines = None


def _number(raw: str | None) -> float | None:
    """Return what a tool wrote as a number: `7`, `1.0`, `1e+21`; None for what can not be counted."""
    if raw is None or not _DECIMAL.fullmatch(raw.strip()):
        return None
    value = float(raw)
    return value if 0 <= value < math.inf else None
