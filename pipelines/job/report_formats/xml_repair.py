"""Mend what tools get wrong in single characters of XML, so that the rest can be read. Pure; loosens no limit.

Coloured messages and captured output put characters into reports that XML 1.0 does not allow
(https://www.w3.org/TR/xml/#charsets); .NET's StringWriter declares UTF-16 over UTF-8. Terminal colours are taken out
whole. The same document is always mended alike, so that a report before a change and one after it stay comparable.
"""

from __future__ import annotations

import re
from typing import Final

from pipelines.language.terminal_colours import CONTROL_SEQUENCE

_MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
"""First bytes by which an encoding is known whatever is declared."""
_DECLARED: Final = re.compile(rb"""\s*<\?xml\b[^<>]{0,200}?\bencoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
_ONE_BYTE: Final = re.compile(r"(?:iso-8859-(?:[1-9]|1[013-6])|windows-125[0-8]|latin-?1)")
"""Encodings that are believed when they are declared; all others that are read are UTF-8 or known by their marks."""
_UTF: Final = re.compile(r"(?:utf-?8|utf-?16(?:le|be)?|ucs-?2|us-ascii|ascii)")
_START: Final = re.compile(r"[\s\ufeff]*(?:<\?xml\b[^<>]{0,400}\?>)?\s*")
"""What may stand before a document: its declaration, which only said what is known now."""
_COLOUR: Final = rf"(?:\x1b|&\#(?:x0{{0,6}}1[bB]|0{{0,6}}27);){CONTROL_SEQUENCE}"
_FORBIDDEN: Final = "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
_REFERENCE: Final = r"&\#(?:x(?P<hex>[0-9a-fA-F]{1,8})|(?P<decimal>[0-9]{1,10}));"
_ODD: Final = re.compile(f"{_COLOUR}|{_FORBIDDEN}|{_REFERENCE}")
_IS_FORBIDDEN: Final = re.compile(_FORBIDDEN)


def repaired(document: bytes) -> bytes:
    """Return a document in UTF-8 without forbidden characters; as it is when its encoding is none that we read."""
    text = _decoded(document)
    if text is None:
        return document
    return _ODD.sub(_kept, _START.sub("", text, count=1)).encode()


def _decoded(document: bytes) -> str | None:
    for mark, encoding in _MARKS:
        if document.startswith(mark):
            return document.decode(encoding, "replace")
    found = _DECLARED.match(document)
    declared = found[1].decode().lower() if found else "utf-8"
    if _ONE_BYTE.fullmatch(declared):
        return document.decode(declared, "replace")
    return document.decode("utf-8", "replace") if _UTF.fullmatch(declared) else None


def _kept(found: re.Match[str]) -> str:
    """Return what stays of an odd place: a reference to a character that is allowed."""
    if found["hex"] is None and found["decimal"] is None:
        return ""
    code = int(found["hex"], 16) if found["hex"] else int(found["decimal"])
    is_allowed = code <= 0x10FFFF and not _IS_FORBIDDEN.match(chr(code))
    return found[0] if is_allowed else ""
