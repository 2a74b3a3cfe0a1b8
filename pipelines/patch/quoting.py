"""File names as git quotes them in patches (C style, octal for bytes). Knows nothing of patches."""

from __future__ import annotations

import re

_PLAIN = re.compile(r'[^\x00-\x1f\x7f"\\]*')
_PIECE = re.compile(rb'\\([0-3][0-7]{2}|[abfnrtv"\\])|([^\\"\x00-\x1f]+)')
_ESCAPES = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


class NameFormatError(ValueError):
    """A name is quoted in a way that git never does."""


def read_name(raw: bytes) -> str:
    """Return the name that git wrote as `raw`. Raises `NameFormatError`."""
    if raw.startswith(b'"'):
        raw = _unquoted(raw)
        return _text(raw)
    name = _text(raw)
    if not _PLAIN.fullmatch(name):
        raise NameFormatError("special characters without quotes")
    return name


def splits_into(rest: bytes, old: str, new: str) -> bool:
    """Say whether `rest` of a `diff --git` line is `old` and `new` with one blank between them."""
    for place, byte in enumerate(rest):
        if byte != 0x20:
            continue
        try:
            if (read_name(rest[:place]), read_name(rest[place + 1 :])) == (old, new):
                return True
        except NameFormatError:
            continue
    return False


def _unquoted(raw: bytes) -> bytes:
    inner = raw[1:-1]
    if len(raw) < 2 or not raw.endswith(b'"'):
        raise NameFormatError("no closing quote")
    out, place = bytearray(), 0
    while place < len(inner):
        match = _PIECE.match(inner, place)
        if match is None:
            raise NameFormatError("an unknown escape")
        escape, plain = match[1], match[2]
        if plain is not None:
            out += plain
        elif len(escape) == 3:
            out.append(int(escape, 8))
        else:
            out += _ESCAPES.get(escape, escape)
        place = match.end()
    return bytes(out)


def _text(raw: bytes) -> str:
    if not raw:
        raise NameFormatError("an empty name")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise NameFormatError("not UTF-8") from error
