"""`rules:if` expressions, as a table."""

import pytest

from sandbox.ci.configuration.conditions import holds
from sandbox.ci.errors import ConfigError

VALUES = {"A": "one", "B": "two", "EMPTY": "", "BLANK": " ", "PATTERN": "/^o.e$/", "REF": "feature/x"}

TABLE = [
    ("$A", True),
    ("$NONE", False),
    ("$EMPTY", False),
    ("$BLANK", False),
    ('$A == "one"', True),
    ("$A == 'two'", False),
    ('"one" == $A', True),
    ("$A == $B", False),
    ("$NONE == null", True),
    ("$EMPTY == null", False),
    ('$EMPTY == ""', True),
    ('$NONE == ""', False),
    ('$NONE != "x"', True),
    ("$A =~ /^on/", True),
    ("$A =~ /^ON/i", True),
    ("$A !~ /^on/", False),
    ("$NONE =~ /x/", False),
    (r"$REF =~ /^feature\//", True),
    ("$A =~ $PATTERN", True),
    ("$A =~ $B", False),
    ('$A == "one" && $B == "two"', True),
    ('$A == "x" && $B == "two"', False),
    ('$A == "x" || $B == "two"', True),
    ('$A == "x" && $B == "y" || $B == "two"', True),
    ('$A == "x" && ($B == "y" || $B == "two")', False),
    ('($A == "one" || $A == "x") && $B', True),
    ('$A=="one"&&$B=="two"', True),
]


@pytest.mark.parametrize(("expression", "expected"), TABLE)
def test_an_expression_is_true_as_in_gitlab(expression: str, expected: bool) -> None:  # noqa: FBT001 - a table's column
    assert holds(expression, VALUES) is expected


@pytest.mark.parametrize("expression", ["", "$A ==", "== $A", "($A", "$A $B", "$A && ", "A == 1", "!$A", "$A == 1"])
def test_nonsense_is_refused(expression: str) -> None:
    with pytest.raises(ConfigError, match="invalid expression syntax"):
        holds(expression, VALUES)
