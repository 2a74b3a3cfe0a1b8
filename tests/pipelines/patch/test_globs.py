"""What the globs of the catalogue, and of attribute files, mean."""

from __future__ import annotations

import pytest

from pipelines.patch.globs import matches


@pytest.mark.parametrize(
    ("pattern", "meant", "not_meant"),
    [
        ("src/*.py", ["src/a.py", "src/.py"], ["src/a/b.py", "a/src/a.py", "src/a.pyc"]),
        ("src/**", ["src/a", "src/a/b"], ["src", "asrc/a"]),
        ("**/a.py", ["a.py", "x/a.py", "x/y/a.py"], ["xa.py", "x/a.pyc"]),
        ("src/**/a.py", ["src/a.py", "src/x/y/a.py"], ["src/xa.py"]),
        ("ci/**.yml", ["ci/a.yml", "ci/x/a.yml"], ["ci/ayml", "a.yml"]),
        ("v?.py", ["v1.py"], ["v.py", "v12.py", "v/.py", "v1xpy"]),
        ("a+[b].py", ["a+[b].py"], ["aab.py"]),
        ("*", ["a", "a\nb"], ["a/b"]),
    ],
)
def test_a_glob_means_whole_paths(pattern: str, meant: list[str], not_meant: list[str]) -> None:
    assert [path for path in (*meant, *not_meant) if matches(pattern, path)] == meant
