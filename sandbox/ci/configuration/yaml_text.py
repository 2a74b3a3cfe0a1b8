"""Read the YAML of a CI configuration: header document and body, `!reference`, size and depth. Merges nothing."""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import yaml

from sandbox.ci import limits
from sandbox.ci.errors import ConfigError

Config = dict[str, Any]
"""A parsed configuration; values are what YAML gives, and `Reference`."""


class Reference(NamedTuple):
    """`!reference [job, key, …]`, not yet resolved."""

    path: tuple[str, ...]

    def __str__(self) -> str:
        return f"!reference {json.dumps(list(self.path))}"


class _Loader(yaml.SafeLoader):
    """YAML 1.1 as Ruby's Psych reads it for GitLab: dates stay strings."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _reference(loader: yaml.SafeLoader, node: yaml.Node) -> Reference:
    if not isinstance(node, yaml.SequenceNode):
        raise ConfigError("!reference must be an array")
    return Reference(tuple(str(part) for part in loader.construct_sequence(node, deep=True)))


_Loader.add_constructor("!reference", _reference)


def split_header(text: str, *, where: str) -> tuple[Config | None, str]:
    """Split off the `spec:` header document; give it parsed, and the text of the body."""
    if len(text.encode()) > limits.YAML_BYTES:
        raise ConfigError(f"{where}: The parsed YAML is too big")
    parts = re.split(r"(?m)^---(?=\s|$)[^\S\n]*", text.lstrip("\ufeff"))
    parts = parts[1:] if not _meaningful(parts[0]) and len(parts) > 1 else parts
    if len(parts) == 1:
        return None, parts[0]
    header = parse(parts[0], where=where)
    if set(header) != {"spec"}:
        raise ConfigError(f"{where}: a configuration of several documents must begin with a `spec` header")
    if len(parts) > 2:
        raise ConfigError(f"{where}: a configuration has at most two documents, a header and a body")
    return header, parts[1]


def parse(text: str, *, where: str) -> Config:
    """Parse one document; it must be a mapping."""
    try:
        value = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader with one more tag
    except yaml.YAMLError as error:
        raise ConfigError(f"{where}: Invalid configuration format: {error}") from error
    except RecursionError as error:
        raise ConfigError(f"{where}: The parsed YAML is too deep") from error
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: Invalid configuration format")
    _measure(value, where=where)
    return value


def _meaningful(text: str) -> bool:
    return any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines())


def _measure(value: object, *, where: str) -> None:
    nodes = 0
    waiting: list[tuple[object, int]] = [(value, 1)]
    while waiting:
        one, depth = waiting.pop()
        nodes += 1
        if depth > limits.YAML_DEPTH:
            raise ConfigError(f"{where}: The parsed YAML is too deep")
        if nodes > limits.YAML_NODES:
            raise ConfigError(f"{where}: The parsed YAML is too big")
        if isinstance(one, Mapping):
            waiting.extend((child, depth + 1) for child in one.values())
        elif isinstance(one, list):
            waiting.extend((child, depth + 1) for child in one)
