"""Whether a value fits a strict schema: with `strict` the model can't say anything else, so neither may a script.

Knows the keywords that strict.py lets through, except `format` and `default`.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def misfit(value: Any, schema: dict[str, Any]) -> str | None:  # noqa: ANN401 - any JSON value
    """Return where and how a value breaks a schema, None where it fits."""
    checker = _Checker({**schema.get("definitions", {}), **schema.get("$defs", {})})
    return next(checker.problems(value, schema, "input"), None)


class _Checker:
    def __init__(self, definitions: dict[str, Any]) -> None:
        self._definitions = definitions

    def problems(self, value: Any, schema: dict[str, Any], path: str) -> Iterator[str]:  # noqa: ANN401 - any JSON value
        if "$ref" in schema:
            yield from self.problems(value, self._definitions[schema["$ref"].rpartition("/")[2]], path)
        for part in schema.get("allOf", ()):
            yield from self.problems(value, part, path)
        if "anyOf" in schema:
            found = [list(self.problems(value, part, path)) for part in schema["anyOf"]]
            yield from min(found, key=len)
        kinds = schema.get("type", list(_TYPES))
        if not any(_is(value, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)):
            yield f"{path}: is not of type {kinds}"
        if "enum" in schema and value not in schema["enum"]:
            yield f"{path}: is none of {schema['enum']}"
        if "const" in schema and value != schema["const"]:
            yield f"{path}: is not {schema['const']!r}"
        if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
            yield f"{path}: does not match {schema['pattern']!r}"
        if isinstance(value, list):
            yield from self._items(value, schema, path)
        if isinstance(value, dict) and "properties" in schema:
            yield from self._properties(value, schema, path)

    def _items(self, value: list[Any], schema: dict[str, Any], path: str) -> Iterator[str]:
        if len(value) < schema.get("minItems", 0):
            yield f"{path}: has too few items"
        for place, item in enumerate(value):
            yield from self.problems(item, schema.get("items", {}), f"{path}[{place}]")

    def _properties(self, value: dict[str, Any], schema: dict[str, Any], path: str) -> Iterator[str]:
        known = schema["properties"]
        yield from (f"{path}.{name}: is missing" for name in schema.get("required", ()) if name not in value)
        yield from (f"{path}.{name}: is not in the schema" for name in value if name not in known)
        for name in value.keys() & known.keys():
            yield from self.problems(value[name], known[name], f"{path}.{name}")


def _is(value: object, kind: str) -> bool:
    if isinstance(value, bool) and kind in {"integer", "number"}:
        return False
    return isinstance(value, _TYPES[kind])
