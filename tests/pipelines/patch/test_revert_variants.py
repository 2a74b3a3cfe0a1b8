"""Which changed files are taken back, one at a time."""

from __future__ import annotations

import pytest

from pipelines.language import FileWord
from pipelines.language.change_set import ChangeSet
from pipelines.patch import Change
from pipelines.patch.revert_variants import revert_plan
from tests.changes import change_set, file_change

LINES = "".join(f"line {number}\n" for number in range(10))


SIDES = {Change.ADDED: (None, "x"), Change.MODIFIED: ("x", "y"), Change.DELETED: ("x", None)}


def patch(**files: Change) -> ChangeSet:
    return change_set(*(file_change(path, *SIDES[change]) for path, change in files.items()))


def test_each_product_file_is_a_variant_and_nothing_else_is() -> None:
    files = ("src/a.py", "src/b.py", "tests/test_a.py", "README.md", "docs/a.md", "uv.lock")
    plan = revert_plan(patch(**dict.fromkeys(files, Change.MODIFIED)), about_tests=("tests/test_a.py",), texts={})
    assert [(one.path, one.without) for one in plan.variants] == [
        ("src/a.py", ("src/a.py",)),
        ("src/b.py", ("src/b.py",)),
    ]
    assert plan.left_out == ()


def test_a_manifest_is_taken_back_with_its_lock_file() -> None:
    plan = revert_plan(
        patch(**{"web/package.json": Change.MODIFIED, "web/package-lock.json": Change.MODIFIED}),
        about_tests=(),
        texts={},
    )
    assert [one.without for one in plan.variants] == [("web/package.json", "web/package-lock.json")]


@pytest.mark.parametrize(
    ("path", "reason"),
    [("api/migrations/0002_names.py", "it is a migration"), ("public/app.min.js", "it is generated")],
)
def test_what_can_t_be_taken_back_alone_is_named(path: str, reason: str) -> None:
    plan = revert_plan(patch(**{path: Change.ADDED}), about_tests=(), texts={})
    assert plan.variants == ()
    assert [(one.path, one.word, one.reason) for one in plan.left_out] == [(path, FileWord.NOT_PROBED, reason)]


def test_a_renamed_file_is_known_by_its_lines() -> None:
    moved = patch(**{"src/a.py": Change.DELETED, "src/b.py": Change.ADDED, "src/c.py": Change.ADDED})
    texts = {"src/a.py": (LINES, ""), "src/b.py": ("", LINES.replace("line 3", "line three")), "src/c.py": ("", "x\n")}
    plan = revert_plan(moved, about_tests=(), texts=texts)
    assert [one.path for one in plan.variants] == ["src/c.py"]
    assert {one.path: one.reason for one in plan.left_out} == {"src/a.py": "it is renamed", "src/b.py": "it is renamed"}
