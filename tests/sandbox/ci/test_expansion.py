"""Variables: expansion as the runner does it, precedence, `expand: false`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.ci.configuration.duration import seconds
from sandbox.ci.configuration.expansion import Variable, expanded, plain, resolved
from sandbox.ci.errors import ConfigError
from sandbox.ci.globs import matches, pattern

VALUES = {"A": "1", "LONG_NAME": "2"}
TABLE = [
    ("$A", "1"),
    ("${A}", "1"),
    ("$A$LONG_NAME", "12"),
    ("${A}x", "1x"),
    ("$Ax", ""),
    ("$NONE.", "."),
    ("$$A", "$A"),
    ("$$$A", "$1"),
    ("100%", "100%"),
    ("a $ b", "a $ b"),
    ("${A:-x}", ""),
    ("${}", ""),
    ("$(id)", "$(id)"),
    ("%A%", "%A%"),
]


@pytest.mark.parametrize(("text", "expected"), TABLE)
def test_references_are_expanded_as_gos_os_expand_does(text: str, expected: str) -> None:
    assert expanded(text, VALUES) == expected


def test_variables_see_each_other_in_any_order_and_later_layers_win() -> None:
    below = plain({"BASE": "/b", "RAW": "$BASE"})
    own = {"B": Variable(value="$A/c"), "A": Variable(value="$BASE/a"), "KEPT": Variable(value="$A", expand=False)}
    values = resolved([below, own, {"BASE": Variable(value="/top")}])
    assert values == {"BASE": "/top", "RAW": "$BASE", "B": "/top/a/c", "A": "/top/a", "KEPT": "$A"}


@given(st.text())
def test_an_unexpanded_value_stays_byte_for_byte(text: str) -> None:
    assert resolved([plain({"X": text, "A": "1"})])["X"] == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1h 30m", 5400.0),
        ("10 minutes", 600.0),
        ("1 hour and 30 minutes", 5400.0),
        ("90", 90.0),
        ("1 week", 604800.0),
        ("2 days, 3 hours", 183600.0),
        ("never", None),
        ("1.5 hours", 5400.0),
    ],
)
def test_durations(text: str, expected: float | None) -> None:
    assert seconds(text, where="x") == expected


def test_a_duration_that_is_none_is_refused() -> None:
    for text in ("", "soon", "3 parsecs"):
        with pytest.raises(ConfigError, match="x should be a duration"):
            seconds(text, where="x")


@pytest.mark.parametrize(
    ("path", "glob", "expected"),
    [
        ("a/b.txt", "a", True),
        ("a/b.txt", "a/", True),
        ("a/b.txt", "*.txt", False),
        ("b.txt", "*.txt", True),
        ("a/b/c.xml", "**/*.xml", True),
        ("c.xml", "**/*.xml", True),
        ("a/b/c.xml", "a/**/c.xml", True),
        ("a/b.txt", "a/{b,c}.txt", True),
        ("a/b.txt", "a/[!b].txt", False),
        ("[", "[[]", True),
        ("&", "[&&a]", True),
        ("c", "[a-c]", True),
        ("^", "[a^]", True),
        ("a+b", "a+b", True),
        ("ab", "a.b", False),
    ],
)
def test_globs(path: str, glob: str, expected: bool) -> None:  # noqa: FBT001 - a table's column
    assert matches(path, glob) is expected


@given(st.text(max_size=30))
def test_no_glob_breaks_the_translation(glob: str) -> None:
    pattern(glob).fullmatch("a/b")
