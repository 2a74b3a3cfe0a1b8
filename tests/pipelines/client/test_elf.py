"""Run paths of ELF files, shown on this interpreter's own files and on one that is written here."""

import struct

import pytest

from pipelines.client.elf import run_path, with_run_path

STRINGS = b"\0libc.so.6\0/home/builder/python/lib\0"
TEXT = STRINGS.index(b"/home")


def elf(tag: int = 29, text: int = TEXT) -> bytes:
    """Write the least that a loader would read: header, two program headers, dynamic section, strings."""
    dynamic_at, strings_at, base = 64 + 2 * 56, 64 + 2 * 56 + 4 * 16, 0x400000
    dynamic = struct.pack("<8Q", 1, 1, 5, base + strings_at, tag, text, 0, 0)
    size = strings_at + len(STRINGS)
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, size, size, 4096)
    section = struct.pack("<IIQQQQQQ", 2, 6, dynamic_at, base + dynamic_at, 0, len(dynamic), len(dynamic), 8)
    head = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    return head + load + section + dynamic + STRINGS


@pytest.mark.parametrize("tag", [15, 29])
def test_a_run_path_is_found_whichever_kind_it_is(tag: int) -> None:
    found = run_path(elf(tag))
    assert found is not None
    assert found.text == "/home/builder/python/lib"


def test_a_run_path_is_replaced_and_becomes_one_that_libraries_follow_too() -> None:
    changed = with_run_path(elf(), "$ORIGIN/../lib")
    assert changed is not None
    found = run_path(changed)
    assert found is not None
    assert found.text == "$ORIGIN/../lib"
    assert struct.unpack_from("<Q", changed, found.tag_offset) == (15,)
    assert len(changed) == len(elf())


def test_the_end_of_the_old_string_stays_for_names_that_share_it() -> None:
    changed = with_run_path(elf(), "$ORIGIN")
    assert changed is not None
    assert changed.endswith(b"$ORIGIN\0ilder/python/lib\0")


def test_what_does_not_fit_or_has_no_run_path_is_left_to_others() -> None:
    assert with_run_path(elf(), "$ORIGIN/" + "../" * 20) is None
    assert with_run_path(elf(tag=14), "$ORIGIN") is None


@pytest.mark.parametrize("image", [b"", b"#!/bin/sh\n", b"\x7fELF\x01\x01" + bytes(60)])
def test_other_files_have_none(image: bytes) -> None:
    assert run_path(image) is None
