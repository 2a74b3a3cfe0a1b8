"""Read XML that untrusted code wrote: bounded in size and depth, no entities, no network. Knows no report's format.

Expat by itself fetches nothing. Entities can only be declared in a document type declaration, so one with an internal
subset is always refused; a mere reference to a DTD, as istanbul writes it, can be let pass and is not followed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Generic, Protocol, TypeVar
from xml.parsers import expat

from pipelines.job.report_formats.xml_repair import repaired

MAX_BYTES = 50 * 1024 * 1024
MAX_DEPTH = 50


class XmlError(ValueError):
    """The document can't be used; the message says why."""


class Doctype(Enum):
    """What may stand before the root element."""

    REFUSED = "refused"
    REFERENCE = "reference"
    """`<!DOCTYPE coverage SYSTEM "…">`, which nobody follows."""


class Reader(Protocol):
    """Takes a document's parts in their order. Names come without the prefix of their namespace."""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take the begin of an element."""

    def text(self, data: str) -> None:
        """Take more of the text."""

    def end(self, tag: str) -> None:
        """Take the end of an element."""


R = TypeVar("R", bound=Reader)


def read(
    document: bytes, readers: Mapping[str, Callable[[], R]], *, what: str, doctype: Doctype = Doctype.REFUSED
) -> R:
    """Parse a document with the reader that its root element asks for, and return that. Raises `XmlError`.

    What single characters spoil is mended first. `what` names the document in errors, for example `the JUnit report`.
    """
    if len(document) > MAX_BYTES:
        raise XmlError(f"{what} is larger than {MAX_BYTES} bytes")
    document = repaired(document)
    parts = _Parts(readers, what=what, doctype=doctype)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = parts.declared
    parser.StartElementHandler = parts.start
    parser.EndElementHandler = parts.end
    parser.CharacterDataHandler = parts.text
    try:
        parser.Parse(document, True)  # noqa: FBT003 - expat's signature
    except expat.ExpatError as error:
        raise XmlError(f"{what} is not well-formed XML: {error}") from error
    except XmlError:
        raise
    except (LookupError, ValueError) as error:  # what Python's expat says of encodings that it does not take
        raise XmlError(f"{what} is written in an encoding that can't be read: {error}") from error
    if parts.reader is None:
        raise XmlError(f"{what} is empty")
    return parts.reader


class _Parts(Generic[R]):
    """Passes on what expat finds, and keeps count of the depth."""

    def __init__(self, readers: Mapping[str, Callable[[], R]], *, what: str, doctype: Doctype) -> None:
        self.reader: R | None = None
        self._readers = readers
        self._what = what
        self._doctype = doctype
        self._depth = 0

    def declared(self, _name: str, _system: str | None, _public: str | None, has_internal_subset: int) -> None:
        if has_internal_subset or self._doctype is Doctype.REFUSED:
            raise XmlError(f"{self._what} has a DTD, which no tool writes there")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise XmlError(f"{self._what} is nested more than {MAX_DEPTH} elements deep")
        name = tag.rpartition(":")[2]
        if self.reader is None:
            if name not in self._readers:
                raise XmlError(f"{self._what} begins with <{name[:40]}> instead of <{'> or <'.join(self._readers)}>")
            self.reader = self._readers[name]()
        self.reader.start(name, attributes)

    def text(self, data: str) -> None:
        if self.reader is not None:
            self.reader.text(data)

    def end(self, tag: str) -> None:
        self._depth -= 1
        if self.reader is not None:
            self.reader.end(tag.rpartition(":")[2])
