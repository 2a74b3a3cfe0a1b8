"""A change set travels in one form, and anything else is refused with a sentence."""

from __future__ import annotations

import subprocess

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.language.change_set import (
    EXECUTABLE,
    PLAIN,
    ChangeSet,
    ChangeSetError,
    blob_id,
    read_change_set,
    write_change_set,
)
from tests.changes import change_set, file_change

CHANGE = change_set(
    file_change("a.sh", "x", "x", mode=EXECUTABLE), file_change("b", None, b"\0\xff"), file_change("c", "x", None)
)
WRITTEN = write_change_set(CHANGE)


def test_a_change_set_is_read_as_it_was_written() -> None:
    assert read_change_set(WRITTEN) == CHANGE


@given(
    st.dictionaries(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1), st.binary())
)
def test_any_names_and_bytes_survive(files: dict[str, bytes]) -> None:
    change = change_set(*(file_change(path, None, content) for path, content in files.items()))
    assert read_change_set(write_change_set(change)) == change


@pytest.mark.parametrize("content", [b"", b"a\r\nb", bytes(range(256))])
def test_a_blobs_id_is_gits(content: bytes) -> None:
    done = subprocess.run(["git", "hash-object", "--stdin"], input=content, capture_output=True, check=True)
    assert blob_id(content) == done.stdout.decode().strip()


def broken(**changes: object) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(WRITTEN) | changes, order="deterministic")


FILES = msgspec.json.decode(WRITTEN)["files"]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"diff --git a/x b/x\n", "by a job client of the previous release"),
        (b"[" * 100_000, "is no change set"),
        (b"\xff", "is no change set"),
        (broken(version=2), "is no change set"),
        (broken(more=1), "is no change set"),
        (broken(base_sha="main"), "is no change set"),
        (broken(files=[{"path": "", "after": {"mode": PLAIN, "content": ""}}]), "is no change set"),
        (broken(files=[{"path": "a\0b", "after": {"mode": PLAIN, "content": ""}}]), "is no change set"),
        (broken(files=[{"path": "a", "after": {"mode": "rw", "content": ""}}]), "is no change set"),
        (broken(files=FILES[::-1]), "each path once, in order"),
        (broken(files=[FILES[0], FILES[0]]), "each path once, in order"),
        (broken(files=[{"path": "a"}]), "does not change 'a'"),
        (write_change_set(change_set(file_change("a", "x", "x"))), "does not change 'a'"),
        (WRITTEN + b"\n", "is not written as"),
        (WRITTEN.replace(b":", b": ", 1), "is not written as"),
    ],
)
def test_anything_else_is_refused(data: bytes, sentence: str) -> None:
    with pytest.raises(ChangeSetError, match=sentence):
        read_change_set(data)


def test_the_order_in_which_files_were_found_makes_no_difference() -> None:
    assert isinstance(CHANGE, ChangeSet)
    assert write_change_set(change_set(*CHANGE.files[::-1])) == WRITTEN
