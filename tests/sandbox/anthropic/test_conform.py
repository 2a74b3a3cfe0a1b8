"""Our small schema check says the same as a full JSON Schema validator, on the keywords that strict schemas may use."""

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.anthropic.conform import misfit

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "a": {"type": "string", "pattern": "^x"},
        "b": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "c": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/C"}},
        "d": {"allOf": [{"type": ["number", "boolean"]}, {"enum": [1, 2.5, True]}]},
        "e": {"const": "e"},
    },
    "required": ["a", "b", "c", "d", "e"],
    "additionalProperties": False,
    "$defs": {"C": {"type": "string", "enum": ["p", "q"]}},
}

scalars = st.sampled_from(["x", "xy", "p", "q", "e", "", 1, 2, 2.5, True, None])
values = st.fixed_dictionaries(
    {name: st.one_of(scalars, st.lists(scalars, max_size=2)) for name in "abcd"},
    optional={"e": st.sampled_from(["e", "f"]), "z": scalars},
)
fitting = {"a": "x", "b": None, "c": ["p"], "d": 1, "e": "e"}


@given(values)
def test_it_agrees_with_a_full_validator(value: dict[str, Any]) -> None:
    # 1 == True in Python, and not in JSON: that is the one difference, in the validator's `enum` too
    assert (misfit(value, SCHEMA) is None) == jsonschema.Draft202012Validator(SCHEMA).is_valid(value) or value[
        "d"
    ] is True


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"a": "y"}, "input.a: does not match '^x'"),
        ({"b": "x"}, "input.b: is not of type"),
        ({"c": []}, "input.c: has too few items"),
        ({"c": ["r"]}, "input.c[0]: is none of ['p', 'q']"),
        ({"e": "f"}, "input.e: is not 'e'"),
        ({"z": 1}, "input.z: is not in the schema"),
    ],
)
def test_a_misfit_says_where_and_how(change: dict[str, Any], words: str) -> None:
    assert misfit(fitting, SCHEMA) is None
    assert words in str(misfit(fitting | change, SCHEMA))
