"""JSON, TOML and YAML as values, so that no way of writing a text hides it. Pure."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any, Final

from pipelines.patch.yaml_data import yaml_documents

LARGEST: Final = 5_000_000
"""Characters of a file that are read."""
_MOST_DOTS: Final = 50_000_000
"""Of each line squared, in all: so grows the time that tomllib takes for a key. About a second."""
_COMMENTS: Final = re.compile(r'("(?:[^"\\]|\\.)*+"?)|//[^\n]*|/\*[\s\S]*?(?:\*/|\Z)', re.DOTALL)
_LAST_COMMAS: Final = re.compile(r'("(?:[^"\\]|\\.)*+"?)|,(?=\s*[}\]])', re.DOTALL)


class Grammar(StrEnum):
    """How a file is read."""

    LINES = "lines"
    DOCKERFILE = "Dockerfile"
    """Lines, in which variables stand for what they hold."""
    TOML = "TOML"
    JSON = "JSON"
    JSONC = "JSON with comments"
    """And with commas at the end."""
    YAML = "YAML"


def document(grammar: Grammar, text: str) -> Any:  # noqa: ANN401 - plain data of any shape
    """Return what a file holds. Raises ValueError where it is not what its grammar says."""
    if len(text) > LARGEST:
        raise ValueError(f"it has more than {LARGEST} characters")
    try:
        match grammar:
            case Grammar.TOML:
                return toml(text)
            case Grammar.YAML:
                return yaml_documents(text)
            case Grammar.JSONC:
                return json.loads(_LAST_COMMAS.sub(r"\1", _COMMENTS.sub(r"\1", text)) or "{}")
            case _:
                return json.loads(text if text.strip() else "{}")
    except RecursionError as error:
        raise ValueError("it nests too deep") from error


def toml(text: str) -> dict[str, Any]:
    """Return what a TOML file holds. Raises ValueError or RecursionError."""
    if sum(line.count(".") ** 2 for line in text.split("\n")) > _MOST_DOTS:
        raise ValueError("its keys have too many parts")
    return tomllib.loads(text)


def at(value: Any, keys: Sequence[str]) -> Any:  # noqa: ANN401 - plain data of any shape
    """Return what stands under these keys, one below the other; None where nothing does."""
    for key in filter(None, keys):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def items(value: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - plain data of any shape
    """Yield the keys and values of a table; nothing where it is none."""
    yield from value.items() if isinstance(value, dict) else ()


def leaves(value: Any) -> Iterator[str]:  # noqa: ANN401 - plain data of any shape
    """Yield each text of a value."""
    return (text for _, _, text in walk(value))


def walk(value: Any) -> Iterator[tuple[str, str, str]]:  # noqa: ANN401 - plain data of any shape
    """Yield each text with the two keys under which it stands, the outer first. However deep, without recursion."""
    waiting: list[tuple[str, str, Any]] = [("", "", value)]
    seen = set[int]()
    while waiting:
        outer, key, one = waiting.pop()
        if isinstance(one, str):
            yield outer, key, one
        elif isinstance(one, dict | list) and id(one) not in seen:  # an alias of YAML may stand in a thousand places
            seen.add(id(one))
            inner = one.items() if isinstance(one, dict) else ()
            waiting.extend((key, name, below) for name, below in inner)
            waiting.extend((outer, key, below) for below in (one if isinstance(one, list) else ()))
