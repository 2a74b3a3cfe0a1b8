"""Variables and their expansion, as GitLab and its runner do it. Reads no environment.

`$NAME`, `${NAME}` are replaced, unknown ones by nothing, `$$` by a dollar sign (the runner uses Go's `os.Expand`, whose
treatment of malformed references is repeated here). `%NAME%` is Windows' business and is left alone.
"""

import re
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Final

import msgspec

from sandbox.ci.errors import ConfigError

_REFERENCE: Final = re.compile(
    r"\$(?:\{(?P<braced>[^}]*)\}|(?P<open>\{)|(?P<special>[*#$@!?\-0-9])|(?P<name>\w+))", re.ASCII
)


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """One CI/CD variable, unexpanded."""

    value: str
    expand: bool = True
    """False for `expand: false`: the value is taken as it is."""


Variables = Mapping[str, Variable]


def plain(values: Mapping[str, str]) -> dict[str, Variable]:
    """Make variables whose values are not expanded, such as predefined ones."""
    return {name: Variable(value=value, expand=False) for name, value in values.items()}


def expanded(text: str, values: Mapping[str, str]) -> str:
    """Expand references in one text."""

    def one(match: re.Match[str]) -> str:
        if match["special"] == "$":
            return "$"
        key = match["braced"] or match["name"] or match["special"]
        return values.get(key, "") if key else ""

    return _REFERENCE.sub(one, text)


def resolved(layers: Iterable[Variables]) -> dict[str, str]:
    """Give the values of all variables, later layers winning, each expanded with the others."""
    merged: dict[str, Variable] = {}
    for layer in layers:
        merged.update(layer)
    graph = {
        name: {used for used in _used(variable.value) if used in merged} if variable.expand else set()
        for name, variable in merged.items()
    }
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        names = sorted(set(error.args[1]))
        raise ConfigError(f"circular variable reference detected: {names}") from error
    values: dict[str, str] = {}
    for name in order:
        variable = merged[name]
        values[name] = expanded(variable.value, values) if variable.expand else variable.value
    return {name: values[name] for name in merged}


def _used(text: str) -> set[str]:
    return {match["braced"] or match["name"] or "" for match in _REFERENCE.finditer(text)} - {""}
