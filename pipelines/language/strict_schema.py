"""JSON Schemas of what agents hand in, as the Messages API takes them for strict tools. Pure."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct


def strict_schema(kind: type[Struct]) -> dict[str, Any]:
    """Return a JSON Schema that the Messages API accepts for strict tools: inlined, closed.

    Every property is required unless the Struct has a default for it: what is rarely needed may be left out.

    Bounds that strict mode does not know (`maxLength`, `pattern`, …) are left out; decoding the input checks them.
    """
    schema, definitions = msgspec.json.schema_components([kind], ref_template="{name}")
    inlined = _inlined(schema[0], definitions)
    if not isinstance(inlined, dict):  # a Struct's schema is always an object
        raise TypeError(kind)
    return inlined


_UNSUPPORTED = frozenset({"maxLength", "minLength", "pattern", "minimum", "maximum", "title", "default"})


def _inlined(node: object, definitions: dict[str, Any]) -> object:
    if isinstance(node, list):
        return [_inlined(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _inlined(definitions[node["$ref"]], definitions)
    properties = node.get("properties")
    out = {key: _inlined(value, definitions) for key, value in node.items() if key not in _UNSUPPORTED | {"properties"}}
    if properties is not None:
        out["properties"] = {name: _inlined(value, definitions) for name, value in properties.items()}
        out["required"] = [name for name, value in properties.items() if "default" not in value]
        out["additionalProperties"] = False
    return out
