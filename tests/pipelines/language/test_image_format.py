"""Pictures that the Messages API would answer 400 to are told apart by their first bytes and their end."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.language.image_format import LARGEST_SIDE_OF_MANY, TAKEN, fault, media_type
from tests.pngs import chunk, png


def jpeg(width: int = 4, height: int = 3, frame: int = 0xC2) -> bytes:
    frame_header = struct.pack(">BBHBHHB", 0xFF, frame, 11, 8, height, width, 1) + b"\1\x11\0"
    tables = b"\xff\xdb\x00\x04ab" + b"\xff\xc4\x00\x04ab"
    return b"\xff\xd8\xff\xe0\x00\x06JFIF" + tables + frame_header + b"\xff\xff\xda\x00\x03a" + b"pixels\xff\xd9"


GIF_FRAMES = b"\x21\xf9\4time\0" + b"\x2c\0\0\0\0\4\0\3\0\x80" + b"colour" + b"\2" + b"\6pixels\1;\0"
"""An extension and a picture with colours of its own, whose data has what looks like the file's end."""


def gif(width: int = 4, height: int = 3) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\0\0" + b"colour" + GIF_FRAMES + b";"


def webp(kind: bytes, data: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 4 + 8 + len(data)) + b"WEBP" + kind + struct.pack("<I", len(data)) + data


def lossy(width: int = 4, height: int = 3) -> bytes:
    return webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height) + b"pixels")


def lossless(width: int = 4, height: int = 3) -> bytes:
    return webp(b"VP8L", b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + b"pixels")


def extended(width: int = 4, height: int = 3) -> bytes:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return webp(b"VP8X", b"\0\0\0\0" + sides)


WHOLE = [
    (png, "image/png"),
    (jpeg, "image/jpeg"),
    (gif, "image/gif"),
    (lossy, "image/webp"),
    (lossless, "image/webp"),
    (extended, "image/webp"),
]


@pytest.mark.parametrize(("make", "kind"), WHOLE)
def test_a_whole_picture_of_each_format_is_taken_up_to_the_largest_side(make: type[bytes], kind: str) -> None:
    assert fault(make(), kind) == ""
    assert fault(make(8000, 1), kind) == ""
    assert fault(make(1, 8000), kind) == ""
    assert "8001 × 2 pixels, of which the model takes 8000 × 8000" in fault(make(8001, 2), kind)
    assert "2 × 8001 pixels" in fault(make(2, 8001), kind)
    assert "2000 × 2000" in fault(make(2001, 2), kind, largest_side=LARGEST_SIDE_OF_MANY)


@pytest.mark.parametrize(("make", "kind"), WHOLE)
def test_a_picture_that_ends_too_early_is_broken(make: type[bytes], kind: str) -> None:
    whole = make()
    for length in range(12, len(whole)):
        assert "broken or cut" in fault(whole[:length], kind), length


@pytest.mark.parametrize(
    ("content", "kind", "why"),
    [
        (b"", "image/png", "is called PNG and is none"),
        (b"<script>alert(1)</script>", "image/png", "is called PNG and is none"),
        (jpeg(), "image/png", "is called PNG and is none"),
        (png(), "image/jpeg", "is called JPEG and is none"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "image/webp", "is called WEBP and is none"),
        (b"GIF88a" + gif()[6:], "image/gif", "is called GIF and is none"),
        (b"<svg/>", "image/svg+xml", "has a format that the model does not take"),
        (b"BM", "image/bmp", "has a format that the model does not take"),
        (png().replace(b"IDAT", b"IDAX"), "image/png", "is a broken or cut PNG"),
        (png()[:40] + b"?" + png()[41:], "image/png", "is a broken or cut PNG"),
        (png()[:8] + chunk(b"IEND", b""), "image/png", "is a broken or cut PNG"),
        (b"\xff\xd8\xff\xd9", "image/jpeg", "is a broken or cut JPEG"),
        (b"\xff\xd8" + b"\xff\xe0\x00\x00" * 9, "image/jpeg", "is a broken or cut JPEG"),
        (jpeg(frame=0xC4), "image/jpeg", "is a broken or cut JPEG"),
        (webp(b"VP9 ", b"pixels" * 9), "image/webp", "is a broken or cut WEBP"),
        (lossless().replace(b"\x2f", b"\x30"), "image/webp", "is a broken or cut WEBP"),
        (png(0, 3), "image/png", "has 0 × 3 pixels"),
        (gif(3, 0), "image/gif", "has 3 × 0 pixels"),
        (png(2**31, 2**31), "image/png", "has 2147483648 × 2147483648 pixels"),
    ],
)
def test_what_the_api_would_not_take_is_left_out_with_its_reason(content: bytes, kind: str, why: str) -> None:
    assert why in fault(content, kind)


@pytest.mark.parametrize("more", [b"\0\0", b"made with a program", b"\n"])
def test_what_stands_behind_the_end_of_a_gif_breaks_nothing(more: bytes) -> None:
    assert fault(gif() + more, "image/gif") == ""
    assert fault(b"GIF89a\4\0\3\0\0\0\0;" + more, "image/gif") == ""


def test_a_gif_with_a_block_of_no_kind_is_broken() -> None:
    assert fault(gif().replace(b"\x21\xf9", b"\x22\xf9"), "image/gif") == "is a broken or cut GIF"


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("image/png", "image/png"),
        ("image/PNG", "image/png"),
        ("Image/Jpeg", "image/jpeg"),
        ("image/jpg", "image/jpeg"),
        ("image/JPG; charset=binary", "image/jpeg"),
        ("image/pjpeg", "image/jpeg"),
        ("image/x-png", "image/png"),
        ("image/bmp", "image/bmp"),
        ("text/plain;charset=utf-8", "text/plain"),
        ("", ""),
    ],
)
def test_a_media_type_has_one_name(said: str, name: str) -> None:
    assert media_type(said) == name


@given(st.binary(max_size=200), st.sampled_from([(make(), kind) for make, kind in WHOLE]), st.integers(0, 60))
def test_no_file_whatever_fails(noise: bytes, whole: tuple[bytes, str], place: int) -> None:
    content, kind = whole
    for one in (noise, content[:place] + noise, content[:place] + noise + content[place:]):
        assert isinstance(fault(one, kind), str)


def test_the_formats_are_those_of_the_api() -> None:
    assert {"image/png", "image/jpeg", "image/gif", "image/webp"} == TAKEN
