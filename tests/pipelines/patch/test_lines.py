"""Which lines a change adds and removes."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.patch import compare

TEXTS = st.lists(st.sampled_from(["a", "b", "c", "d", "}", ""]), max_size=14).map("\n".join)


@pytest.mark.parametrize(
    ("before", "after", "added", "removed"),
    [
        ("one\ntwo\nfour\n", "one\nTWO\nmore\nfour\n", (2, 3), 1),
        ("", "x\ny\n", (1, 2), 0),
        ("x\n", "", (), 1),
        ("x", "x\n", (2,), 0),
        ("a\nb\nc\nd\n", "c\nd\na\nb\n", (3, 4), 2),
        ("def a():\n  x\n}\n", "def b():\n  y\n}\ndef a():\n  x\n}\n", (1, 2, 3), 0),
        ("a\r\nb\r\n", "a\nb\n", (1, 2), 2),
        ("same\n", "same\n", (), 0),
    ],
)
def test_new_and_removed_lines_are_those_that_a_reader_sees(
    before: str, after: str, added: tuple[int, ...], removed: int
) -> None:
    found = compare(before, after)
    assert (found.added, found.removed) == (added, removed)


@given(TEXTS, TEXTS)
def test_what_is_left_of_both_is_the_same(before: str, after: str) -> None:
    found = compare(before, after)
    old, new = before.split("\n"), after.split("\n")
    kept = [line for number, line in enumerate(new, 1) if number not in found.added]
    assert len(kept) == len(old) - found.removed
    rest = iter(old)
    assert all(line in rest for line in kept)  # in the same order


def test_no_text_takes_long() -> None:
    begun = time.process_time()
    for old, new in (
        ("x\n" * 200_000, "x\ny\n" * 100_000),
        ("".join(f"{n}\n" for n in range(200_000)), "".join(f"{n}\n" for n in reversed(range(200_000)))),
        ("".join(f"{n % 9}\n{n}\n" for n in range(100_000)), "".join(f"{n}\n{n % 7}\n" for n in range(100_000))),
    ):
        compare(old, new)
    assert time.process_time() - begun < 20
