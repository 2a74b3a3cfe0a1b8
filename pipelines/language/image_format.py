"""Whether a picture is one that the Messages API takes, by its first bytes and its end. Pure; decodes nothing.

The API answers 400 to a picture that it can't read, and with it to the whole conversation. Formats and limits:
https://platform.claude.com/docs/en/build-with-claude/vision. What is broken in the middle is found by the API only.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Final

LARGEST_SIDE: Final = 8_000
"""Pixels of a picture's width and height that the API takes."""

LARGEST_SIDE_OF_MANY: Final = 2_000
"""The same in a request with more than twenty pictures, which a conversation may come to."""


class _BrokenError(ValueError):
    """The file is not what its beginning says; the message says why."""


_OTHER_NAMES: Final = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
}
"""What some programs call formats that have another name officially."""


def media_type(said: str) -> str:
    """Return a media type as the API writes it: in lower case, by its official name, without parameters."""
    plain = said.partition(";")[0].strip().lower()
    return _OTHER_NAMES.get(plain, plain)


def fault(content: bytes, mime_type: str, *, largest_side: int = LARGEST_SIDE) -> str:
    """Return why the API would not take a picture, as the end of a sentence; empty: nothing speaks against it."""
    if mime_type not in _SIZES:
        return "has a format that the model does not take"
    beginnings, size = _SIZES[mime_type]
    name = mime_type.removeprefix("image/").upper()
    if not content.startswith(beginnings) or (mime_type == "image/webp" and content[8:12] != b"WEBP"):
        return f"is called {name} and is none"
    try:
        width, height = size(content)
    except (_BrokenError, IndexError):
        return f"is a broken or cut {name}"
    if not (0 < width <= largest_side and 0 < height <= largest_side):
        return f"has {width} × {height} pixels, of which the model takes {largest_side} × {largest_side} at most"
    return ""


def png_size(content: bytes) -> tuple[int, int]:
    """Return width and height in pixels of a PNG that has no fault."""
    return _png(content)


def _png(content: bytes) -> tuple[int, int]:
    """Read chunk by chunk, each with its checksum, to the last one."""
    place = 8
    kinds: list[bytes] = []
    while not kinds or kinds[-1] != b"IEND":
        length = _number(content, place, 4)
        kind, end = content[place + 4 : place + 8], place + 8 + length
        if zlib.crc32(content[place + 4 : end]) != _number(content, end, 4):
            raise _BrokenError("checksum")
        kinds.append(kind)
        place = end + 4
    if kinds[0] != b"IHDR" or b"IDAT" not in kinds:
        raise _BrokenError("chunks")
    return _number(content, 16, 4), _number(content, 20, 4)


_JPEG_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a length."""
_JPEG_DATA: Final = 0xDA


def _jpeg(content: bytes) -> tuple[int, int]:
    """Read segment by segment to the frame's; the picture has to have data and an end."""
    place, size = 2, None
    while True:
        if content[place] != 0xFF:
            raise _BrokenError("marker")
        while content[place] == 0xFF:
            place += 1
        marker, place = content[place], place + 1
        if marker in _JPEG_ALONE:
            continue
        if marker in _JPEG_FRAMES:
            size = _number(content, place + 5, 2), _number(content, place + 3, 2)
        if marker == _JPEG_DATA:
            break
        length = _number(content, place, 2)
        if length < 2:
            raise _BrokenError("length")
        place += length
    if size is None or content.rfind(b"\xff\xd9", place) < 0:
        raise _BrokenError("no frame, or no end")
    return size


_GIF_EXTENSION, _GIF_IMAGE, _GIF_TRAILER = 0x21, 0x2C, 0x3B


def _gif(content: bytes) -> tuple[int, int]:
    """Read block by block to the trailer; some programs leave more behind it."""
    place = 13 + _colours(content[10])
    while (kind := content[place]) != _GIF_TRAILER:
        if kind == _GIF_EXTENSION:
            place += 2
        elif kind == _GIF_IMAGE:
            place += 11 + _colours(content[place + 9])
        else:
            raise _BrokenError("block")
        while length := content[place]:
            place += 1 + length
        place += 1
    return _number(content, 6, 2, "little"), _number(content, 8, 2, "little")


def _colours(flags: int) -> int:
    """Return the bytes of the table of colours that a GIF's flags announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _webp(content: bytes) -> tuple[int, int]:
    if _number(content, 4, 4, "little") + 8 > len(content):
        raise _BrokenError("cut")
    match content[12:16]:
        case b"VP8X":
            return _number(content, 24, 3, "little") + 1, _number(content, 27, 3, "little") + 1
        case b"VP8L" if content[20] == 0x2F:
            bits = _number(content, 21, 4, "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 " if content[23:26] == b"\x9d\x01\x2a":
            return _number(content, 26, 2, "little") & 0x3FFF, _number(content, 28, 2, "little") & 0x3FFF
        case _:
            raise _BrokenError("chunk")


def _number(content: bytes, place: int, length: int, order: str = "big") -> int:
    part = content[place : place + length]
    if len(part) < length:
        raise _BrokenError("cut")
    return int.from_bytes(part, "little" if order == "little" else "big")


_SIZES: Final[dict[str, tuple[tuple[bytes, ...], Callable[[bytes], tuple[int, int]]]]] = {
    "image/png": ((b"\x89PNG\r\n\x1a\n",), _png),
    "image/jpeg": ((b"\xff\xd8\xff",), _jpeg),
    "image/gif": ((b"GIF87a", b"GIF89a"), _gif),
    "image/webp": ((b"RIFF",), _webp),
}

TAKEN: Final = frozenset(_SIZES)
"""Types that the API takes."""
