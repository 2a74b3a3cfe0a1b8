"""Change where an ELF file looks for its shared libraries. Pure: bytes in, bytes out.

Only in place, as far as the existing entry has room: adding one would mean moving tables, which is patchelf's work.
Source: the ELF gABI, chapter 5 (dynamic section), and ld.so(8) for DT_RPATH, DT_RUNPATH and $ORIGIN.
"""

from __future__ import annotations

import struct
from typing import Final

from msgspec import Struct

MAGIC: Final = b"\x7fELF"
_CLASS_64, _LITTLE = 2, 1
_PT_LOAD, _PT_DYNAMIC = 1, 2
_DT_NULL, _DT_STRTAB, _DT_RPATH, _DT_RUNPATH = 0, 5, 15, 29
_EHDR: Final = struct.Struct("<32xQQ6xHH")  # e_phoff, e_shoff, …, e_phentsize, e_phnum
_PHDR: Final = struct.Struct("<IIQQQQQQ")  # p_type, p_flags, p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align
_DYN: Final = struct.Struct("<QQ")


class RunPath(Struct, frozen=True, kw_only=True):
    """Where an entry stands and what it says."""

    tag_offset: int
    """In the file, of the dynamic entry."""
    text_offset: int
    """In the file, of the string."""
    text: str


def run_path(image: bytes) -> RunPath | None:
    """Return the run path of a 64-bit little-endian ELF file; None when it has none."""
    if image[:6] != MAGIC + bytes((_CLASS_64, _LITTLE)):
        return None
    table, _, size, count = _EHDR.unpack_from(image)
    headers = [_PHDR.unpack_from(image, table + size * index) for index in range(count)]
    entries = [
        (offset, *_DYN.unpack_from(image, offset))
        for kind, _, start, _, _, length, _, _ in headers
        if kind == _PT_DYNAMIC
        for offset in range(start, start + length, _DYN.size)
    ]
    values = {tag: (offset, value) for offset, tag, value in reversed(entries) if tag != _DT_NULL}
    found = values.get(_DT_RUNPATH) or values.get(_DT_RPATH)
    if found is None:
        return None
    strings = _file_offset(headers, values[_DT_STRTAB][1])
    start = strings + found[1]
    return RunPath(tag_offset=found[0], text_offset=start, text=image[start : image.index(b"\0", start)].decode())


def _file_offset(headers: list[tuple[int, ...]], address: int) -> int:
    return next(
        offset + address - start
        for kind, _, offset, start, _, length, _, _ in headers
        if kind == _PT_LOAD and start <= address < start + length
    )


def with_run_path(image: bytes, text: str) -> bytes | None:
    """Return the file with another run path, one that its own libraries follow too; None when there is no room for it.

    DT_RPATH of a program is also searched for what its libraries need, DT_RUNPATH is not. The end of the old string
    stays as it is, because linkers let other names share it.
    """
    old = run_path(image)
    if old is None or len(text) > len(old.text):
        return None
    out = bytearray(image)
    if text != old.text:
        out[old.text_offset : old.text_offset + len(text) + 1] = text.encode() + b"\0"
    struct.pack_into("<Q", out, old.tag_offset, _DT_RPATH)
    return bytes(out)
