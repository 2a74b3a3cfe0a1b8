"""What a remedy changes, line by line, and where that stands after somebody pushed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from receiver.healing.hunks import Hunk, find, hunks_of, is_in, lines_of, patch, replaced
from tests.changes import change_set, file_change

BASE = "a" * 40
TEXT = "".join(f"line {i}\n" for i in range(1, 21))
NOTHING_OF_LINES = None


def hunks(before: str, after: str, path: str = "a.py") -> tuple[Hunk, ...]:
    found = hunks_of(
        change_set(file_change(path, None, before), base=BASE), change_set(file_change(path, None, after), base=BASE)
    )
    assert found is not None
    return found


def test_lines_that_are_replaced_are_found_where_they_stand() -> None:
    (one,) = hunks(TEXT, TEXT.replace("line 10\n", "LINE 10\n"))
    assert (one.old, one.new, one.above) == (("line 10",), ("LINE 10",), ("line 7", "line 8", "line 9"))
    lines = lines_of(TEXT.encode())
    assert lines is not None
    place = find(one, lines)
    assert place is not None
    assert (place.first, place.last) == (10, 10)


def test_what_is_only_inserted_replaces_a_line_by_itself_and_more() -> None:
    (one,) = hunks(TEXT, TEXT.replace("line 10\n", "line 10\nnew\n"))
    assert (one.old, one.new) == (("line 10",), ("line 10", "new"))
    (top,) = hunks(TEXT, "new\n" + TEXT)
    assert (top.old, top.new) == (("line 1",), ("new", "line 1"))


@given(st.lists(st.sampled_from("abcd"), min_size=1), st.lists(st.sampled_from("abcd"), min_size=1))
def test_applied_from_the_last_to_the_first_the_hunks_make_the_mended_file(old: list[str], new: list[str]) -> None:
    before, after = "\n".join(old) + "\n", "\n".join(new) + "\n"
    lines, found = list(old), hunks(before, after)
    assert all(one.old and one.old != one.new for one in found)
    for one in reversed(found):
        place = find(one, lines)
        if place is None:
            return  # the same lines stand twice: it is never guessed which is meant
        lines = replaced(lines, one, place)
    assert lines == new


def test_a_change_beside_the_lines_leaves_them_to_be_found_and_one_of_them_does_not() -> None:
    (one,) = hunks(TEXT, TEXT.replace("line 10\n", "LINE 10\n"))
    beside = lines_of(TEXT.replace("line 9\n", "nine\n").encode()) or []
    assert find(one, beside) is not None
    gone = lines_of(TEXT.replace("line 10\n", "ten\n").encode()) or []
    assert find(one, gone) is None
    assert not is_in(one, gone)
    taken = lines_of(TEXT.replace("line 10\n", "LINE 10\n").encode()) or []
    assert is_in(one, taken)


def test_lines_that_stand_twice_are_not_guessed() -> None:
    (one,) = hunks("x\n", "y\n")
    assert find(one, ["x", "-", "x"]) is None


def test_what_is_more_than_lines_of_text_files_has_no_hunks() -> None:
    before = change_set(file_change("a.py", None, "x\n"), base=BASE)
    for other in (
        file_change("b.py", None, "x\n"),
        file_change("a.py", None, b"\xff\n"),
        file_change("a.py", None, "x\n", mode="100755"),
        file_change("a.py", None, "x\r\n"),
        file_change("a.py", None, "y"),
    ):
        assert hunks_of(before, change_set(other, base=BASE)) is NOTHING_OF_LINES


def test_the_patch_for_people_has_the_lines_and_what_is_around_them() -> None:
    assert patch(hunks("a\nb\n", "a\nc\n")) == "--- a/a.py\n+++ b/a.py\n@@\n a\n-b\n+c"
