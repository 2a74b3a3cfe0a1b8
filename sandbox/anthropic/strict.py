"""Which JSON Schemas may be enforced while sampling (`strict` tools, `output_config.format`). Validates no value.

Rules: https://platform.claude.com/docs/en/build-with-claude/structured-outputs.
"""

from collections.abc import Iterator
from typing import Any, Final

from sandbox.anthropic.errors import invalid

_ANYWHERE: Final = frozenset(
    {
        "$defs",
        "$ref",
        "$schema",
        "allOf",
        "anyOf",
        "const",
        "default",
        "definitions",
        "description",
        "enum",
        "title",
        "type",
    }
)
MOST_OPTIONAL: Final = 24
"""Properties of one schema that `required` may leave out, all its objects together."""
_BY_TYPE: Final = {
    "object": frozenset({"additionalProperties", "properties", "required"}),
    "array": frozenset({"items", "minItems"}),
    "string": frozenset({"format", "pattern"}),
    "integer": frozenset[str](),
    "number": frozenset[str](),
    "boolean": frozenset[str](),
    "null": frozenset[str](),
}


def check_strict(schema: dict[str, Any], where: str) -> None:
    """Refuse a schema that can't be enforced; `where` names it in the message."""
    definitions = {**schema.get("definitions", {}), **schema.get("$defs", {})}
    optional = sum(len(_optional(node)) for node in _nodes(schema))
    if optional > MOST_OPTIONAL:
        raise invalid(f"{where}: Schemas contain too many optional parameters ({optional}); limit: {MOST_OPTIONAL}")
    for node in _nodes(schema):
        _check_keywords(node, where)
        if _is_object(node):
            _check_object(node, where)
        if node.get("minItems", 0) not in {0, 1}:
            raise invalid(f"{where}: For 'array' type, 'minItems' values other than 0 or 1 are not supported")
        if "$ref" in node:
            _check_reference(node["$ref"], definitions, where)


def _nodes(schema: object) -> Iterator[dict[str, Any]]:
    if not isinstance(schema, dict):
        return
    yield schema
    for keyword in ("properties", "$defs", "definitions"):
        children = schema.get(keyword)
        for child in children.values() if isinstance(children, dict) else ():
            yield from _nodes(child)
    for keyword in ("anyOf", "allOf"):
        for child in schema.get(keyword) or ():
            yield from _nodes(child)
    yield from _nodes(schema.get("items"))


def _types(node: dict[str, Any]) -> list[str]:
    kind = node.get("type")
    return kind if isinstance(kind, list) else [kind] if isinstance(kind, str) else []


def _is_object(node: dict[str, Any]) -> bool:
    return "object" in _types(node) or "properties" in node


def _check_keywords(node: dict[str, Any], where: str) -> None:
    types = _types(node)
    unknown = sorted(set(types) - set(_BY_TYPE))
    if unknown:
        raise invalid(f"{where}: Type {unknown[0]!r} is not a JSON Schema type")
    allowed = _ANYWHERE.union(*(_BY_TYPE[kind] for kind in types), _BY_TYPE["object"] if "properties" in node else ())
    refused = sorted(set(node) - allowed)
    if refused:
        raise invalid(
            f"{where}: For '{', '.join(types) or 'any'}' type, properties {', '.join(refused)} are not supported"
        )


def _check_object(node: dict[str, Any], where: str) -> None:
    if node.get("additionalProperties") is not False:
        raise invalid(f"{where}: For 'object' type, 'additionalProperties' must be explicitly set to false")


def _optional(node: dict[str, Any]) -> set[str]:
    return set(node.get("properties") or {}) - set(node.get("required") or [])


def _check_reference(reference: object, definitions: dict[str, Any], where: str) -> None:
    name = str(reference).removeprefix("#/$defs/").removeprefix("#/definitions/")
    if name not in definitions:
        raise invalid(f"{where}: $ref {reference!r} does not name one of the schema's own $defs")
    if name in _reachable(definitions[name], definitions, set()):
        raise invalid(f"{where}: Circular reference detected in schema definitions: {name}")


def _reachable(schema: object, definitions: dict[str, Any], seen: set[str]) -> set[str]:
    for node in _nodes(schema):
        name = str(node.get("$ref", "")).rpartition("/")[2]
        if name in definitions and name not in seen:
            seen.add(name)
            _reachable(definitions[name], definitions, seen)
    return seen
