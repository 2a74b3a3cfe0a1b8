"""Inputs of a configuration: the `spec: inputs` header and `$[[ inputs.x ]]` in the body's text.

As in GitLab (`lib/gitlab/ci/config/interpolation/text_template.rb`) the *text* is interpolated before it is parsed: a
string goes in as it is, anything else as JSON. So a string input can change the YAML's structure; quoting is up to the
author. Refused: functions other than `expand_vars` and `truncate`, `spec:include`, `spec:component`.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from sandbox.ci.configuration.yaml_text import Config
from sandbox.ci.errors import ConfigError

Value = str | int | float | bool | list[Any]
_BLOCK: Final = re.compile(r"\$\[\[\s*(\S{1}.{0,1024}?\S?)\s*\]\]")
_TRUNCATE: Final = re.compile(r"truncate\(\s*(\d+)\s*,\s*(\d+)\s*\)")


class _Input(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    type: str = "string"
    default: Value | msgspec.UnsetType | None = msgspec.UNSET
    description: str = ""
    options: list[Value] | None = None
    regex: str | None = None


class _Spec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    inputs: dict[str, _Input | None] | None = None


_TYPES: Final[Mapping[str, tuple[str, Callable[[object], bool]]]] = {
    "string": ("a string", lambda value: isinstance(value, str)),
    "number": ("a number", lambda value: isinstance(value, int | float) and not isinstance(value, bool)),
    "boolean": ("a boolean", lambda value: isinstance(value, bool)),
    "array": ("an array", lambda value: isinstance(value, list)),
}


def declared(header: Config | None, given: Mapping[str, Any], *, where: str) -> dict[str, Value]:
    """Check the given inputs against the header; give all of them with their values."""
    if header is None:
        if given:
            raise ConfigError("Given inputs not defined in the `spec` section of the included configuration file")
        return {}
    try:
        spec = msgspec.convert(header["spec"] or {}, _Spec)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: header:spec config {error}") from error
    inputs = {name: one or _Input() for name, one in (spec.inputs or {}).items()}
    errors = [f"unknown input arguments: {', '.join(extra)}"] if (extra := sorted(set(given) - set(inputs))) else []
    values: dict[str, Value] = {}
    for name, one in inputs.items():
        value, complaint = _value(one, given.get(name))
        if complaint:
            errors.append(f"`{name}` input: {complaint}")
        else:
            values[name] = value
    if errors:
        raise ConfigError(f"{where}: {', '.join(errors[:3])}")
    return values


def _value(one: _Input, given: Value | None) -> tuple[Value, str]:
    """Give the value, or what is wrong with it."""
    if one.type not in _TYPES:
        return "", f"unknown input specification (valid types: {', '.join(_TYPES)})"
    value, origin = (one.default, "default") if given is None else (given, "provided")
    if value is None or isinstance(value, msgspec.UnsetType):
        return "", "" if value is None else "required value has not been provided"
    noun, matches = _TYPES[one.type]
    complaint = ""
    if not matches(value):
        complaint = f"{origin} value is not {noun}"
    elif one.options is not None and value not in one.options:
        complaint = f"`{value}` cannot be used because it is not in the list of allowed options"
    elif one.regex is not None and not re.search(one.regex, str(value)):
        complaint = f"{origin} value does not match required RegEx pattern"
    return value, complaint


def interpolated(
    body: str, inputs: Mapping[str, Value], *, where: str, expand: Callable[[str], str] = lambda text: text
) -> str:
    """Replace each `$[[ inputs.x | function ]]`; `expand` expands variables for the function `expand_vars`."""

    def block(match: re.Match[str]) -> str:
        access, *functions = (part.strip() for part in match[1].split("|"))
        context, _, name = access.partition(".")
        if context == "matrix":
            raise ConfigError(f"{where}: the CI emulator does not support `$[[ {access} ]]`")
        if context != "inputs" or name not in inputs:
            raise ConfigError(f"{where}: unknown interpolation key: `{name or access}`")
        value = inputs[name]
        for function in functions:
            value = _apply(function, value, where=where, expand=expand)
        return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)

    return _BLOCK.sub(block, body)


def _apply(function: str, value: Value, *, where: str, expand: Callable[[str], str]) -> Value:
    if not isinstance(value, str):
        raise ConfigError(f"{where}: error in `{function}` function: invalid input type")
    if function == "expand_vars":
        return expand(value)
    if found := _TRUNCATE.fullmatch(function):
        start, length = int(found[1]), int(found[2])
        return value[start : start + length]
    raise ConfigError(
        f"{where}: no function matching `{function}`: the CI emulator knows `expand_vars` and `truncate(offset,length)`"
    )
