"""Names that can't stand side by side on every machine: within a change, and beside what its base commit has."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.patch.name_clashes import FolderEntry, folders_of, name_faults
from tests.changes import change_set, file_change

ADDED, EDITED, DELETED = (None, "new"), ("old", "new"), ("old", None)
Changes = Mapping[str, tuple[str | None, str | None]]


def faults(base: Collection[str], changes: Changes) -> list[str]:
    files = (file_change(path, before, after) for path, (before, after) in changes.items())
    listed = folders_of(base)

    def folders(folder: str) -> Iterable[FolderEntry]:
        assert folder not in base, "it is a file"
        return listed(folder)

    return list(name_faults(change_set(*files), folders))


@pytest.mark.parametrize(
    ("base", "new", "there"),
    [
        ("src/app.tsx", "src/App.TSX", "src/app.tsx"),
        ("src/app.tsx", "SRC/app.tsx", "src/app.tsx"),
        ("caf\u00e9.md", "cafe\u0301.md", "caf\u00e9.md"),
        ("stra\u00dfe.md", "STRASSE.md", "stra\u00dfe.md"),
        ("a/notes", "a/notes.", "a/notes"),
        ("lib/store", "lib/Store/index.ts", "lib/store"),
        ("lib/Store/deep/index.ts", "lib/store", "lib/Store/deep/index.ts"),
    ],
)
def test_a_new_name_that_the_base_has_in_another_spelling_is_refused(base: str, new: str, there: str) -> None:
    (sentence,) = faults(["README.md", base], {new: ADDED})
    assert "which the commit has, on some machines; change that file instead, or delete it as well." in sentence
    assert sentence.isprintable()
    if there.isascii():
        assert f"`{new}` would be one with `{there}`" in sentence


@pytest.mark.parametrize(
    ("base", "changes"),
    [
        (["src/app.tsx"], {"src/app.tsx": DELETED, "src/App.tsx": ADDED}),
        (["src/app.tsx"], {"src/app.tsx": DELETED, "SRC/app.tsx": ADDED}),
        (["lib/Store/a.ts"], {"lib/Store/a.ts": DELETED, "lib/store": ADDED}),
        (["src/app.tsx", "src/App.tsx"], {"src/app.tsx": EDITED}),
        (["src/app.tsx"], {"src/app.test.tsx": ADDED, "test/app.tsx": ADDED}),
        (["SRC/app.tsx"], {"src/other.tsx": ADDED}),
        (["src/app"], {"src/application/x.ts": ADDED}),
    ],
    ids=[
        *("another case", "another case of a folder", "a folder made room", "it was so before", "other names"),
        *("two folders hold no file twice", "only the beginning is the same"),
    ],
)
def test_names_that_do_not_clash_are_taken(base: list[str], changes: Changes) -> None:
    assert faults(base, changes) == []


@pytest.mark.parametrize(
    ("base", "changes", "sentence"),
    [
        (["a/X"], {"a/X": EDITED, "A/x": ADDED}, "`A/x` and `a/X` would be one file on some machines"),
        ([], {"lib/Store": ADDED, "lib/store/a.ts": ADDED}, "`lib/Store` and `lib/store/a.ts` would be one file"),
        ([], {"lib/store": ADDED, "lib/store/a.ts": ADDED}, "`lib/store` and `lib/store/a.ts` would be one file"),
        (["lib/Store/a", "lib/Store/b"], {"lib/Store/a": DELETED, "lib/store": ADDED}, "one with `lib/Store/b`"),
    ],
)
def test_a_clash_is_named_once(base: list[str], changes: Changes, sentence: str) -> None:
    (found,) = faults(base, changes)
    assert sentence in found


def test_no_folder_is_asked_for_where_nothing_is_added() -> None:
    def nothing(_: str) -> Iterable[FolderEntry]:
        raise AssertionError

    assert list(name_faults(change_set(file_change("a/b", "x", "y"), file_change("a/c", "x", None)), nothing)) == []


def test_only_folders_on_the_way_are_asked_for() -> None:
    listed = folders_of(["src/deep/a.ts", "docs/b.md", "src/other/c.ts"])
    asked: list[str] = []

    def folders(folder: str) -> Iterable[FolderEntry]:
        asked.append(folder)
        return listed(folder)

    assert list(name_faults(change_set(file_change("src/deep/d.ts", None, "x")), folders)) == []
    assert asked == ["", "src", "src/deep"]


PATHS = st.lists(st.sampled_from("aAbB"), min_size=1, max_size=3).map("/".join)


def is_tree(paths: set[str]) -> bool:
    return not any(one.startswith(f"{other}/") for one in paths for other in paths)


@given(base=st.sets(PATHS, max_size=6).filter(is_tree), new=PATHS)
def test_a_new_path_is_refused_exactly_where_a_file_would_be_hit(base: set[str], new: str) -> None:
    """Of two paths that differ, one hits the other if it is the other, or the other's folder, in small letters."""

    def hits(one: str, other: str) -> bool:
        short, long = sorted((one, other), key=len)
        return f"{long.lower()}/".startswith(f"{short.lower()}/") and not f"{long}/".startswith(f"{short}/")

    assert bool(faults(base, {new: ADDED})) is any(hits(new, there) for there in base - {new})
