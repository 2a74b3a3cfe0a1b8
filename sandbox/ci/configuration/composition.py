"""Put one configuration together: `include: local`, `extends`, `!reference`. Judges no keyword of a job.

Order as in GitLab (`lib/gitlab/ci/config.rb`): includes are merged below the including file, then `extends`, then
`!reference`. Hashes are merged deeply, everything else is replaced.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from sandbox.ci import limits
from sandbox.ci.configuration.conditions import holds
from sandbox.ci.configuration.expansion import expanded
from sandbox.ci.configuration.interpolation import declared, interpolated
from sandbox.ci.configuration.yaml_text import Config, Reference, parse, split_header
from sandbox.ci.errors import ConfigError

Resolver = Callable[[str], str | None]
"""Gives the text of a file of the repository at the pipeline's commit, None where there is none."""


class _IncludeRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"if_": "if"}):
    if_: str
    when: str = "always"


class _Include(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    local: str
    inputs: dict[str, Any] = {}
    rules: list[_IncludeRule] | None = None


@dataclass
class Composer:
    """Reads the files of one configuration and merges them."""

    resolve: Resolver
    values: Mapping[str, str]
    """Variables for `include` and for `expand_vars`, expanded."""
    files: int = 0
    trail: list[str] = field(default_factory=list)
    literal: set[str] = field(default_factory=set)
    """Files whose `include` may hold no variables (doc/ci/pipelines/downstream_pipelines.md)."""

    def load(self, text: str, *, inputs: Mapping[str, Any], where: str) -> Config:
        """Read one file with its inputs, and all that it includes."""
        header, body = split_header(text, where=where)
        known = declared(header, inputs, where=where)
        if header is not None:
            body = interpolated(body, known, where=where, expand=lambda value: expanded(value, self.values))
        config = parse(body, where=where)
        self.trail.append(where)
        base: Config = {}
        for entry in self._entries(config.pop("include", None), where=where):
            base = merged(base, self._included(entry, where=where))
        self.trail.pop()
        return merged(base, config)

    def _entries(self, value: object, *, where: str) -> list[_Include]:
        entries = value if isinstance(value, list) else [] if value is None else [value]
        found = []
        for entry in entries:
            one = {"local": entry} if isinstance(entry, str) else entry
            if isinstance(one, dict) and "local" not in one:
                raise ConfigError(
                    f"{where}: include {one!r}: the CI emulator supports `local` only, with `inputs` and `rules:if`"
                )
            try:
                include = msgspec.convert(one, _Include)
            except msgspec.ValidationError as error:
                raise ConfigError(f"{where}: include config {error}") from error
            if include.rules is None or self._chosen(include.rules):
                found.append(include)
        return found

    def _chosen(self, rules: list[_IncludeRule]) -> bool:
        return next((rule.when != "never" for rule in rules if holds(rule.if_, self.values)), False)

    def _included(self, include: _Include, *, where: str) -> Config:
        if where in self.literal and "$" in include.local:
            raise ConfigError(f"{where}: include `{include.local}`: a dynamic child pipeline can't use variables here")
        path = expanded(include.local, self.values).lstrip("/")
        self.files += 1
        if self.files > limits.INCLUDES:
            raise ConfigError(f"Maximum of {limits.INCLUDES} nested includes are allowed!")
        if "*" in path:
            raise ConfigError(f"{where}: include `{path}`: the CI emulator does not support wildcards")
        if not path.endswith((".yml", ".yaml")):
            raise ConfigError(f"Included file `{path}` does not have YAML extension!")
        if path in self.trail:
            raise ConfigError(f"{where}: include `{path}` includes itself")
        text = self.resolve(path)
        if text is None:
            raise ConfigError(f"Local file `{path}` does not exist!")
        if not text.strip():
            raise ConfigError(f"Included file `{path}` is empty!")
        return self.load(text, inputs=include.inputs, where=path)


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> Config:
    """Merge deeply: hashes by key, everything else replaced."""
    out = dict(base)
    for key, value in over.items():
        below = out.get(key)
        out[key] = merged(below, value) if isinstance(value, dict) and isinstance(below, dict) else value
    return out


def extended(config: Config) -> Config:
    """Resolve `extends` of all entries, hidden ones included."""
    done: dict[str, Config] = {}

    def one(name: str, trail: tuple[str, ...]) -> Config:
        if name in done:
            return done[name]
        entry = config[name]
        parents = entry.get("extends")
        if parents is None:
            return dict(entry)
        parents = [parents] if isinstance(parents, str) else parents
        if not isinstance(parents, list) or not all(isinstance(parent, str) for parent in parents):
            raise ConfigError(f"{name}: `extends` should be a string or an array of strings")
        if len(trail) >= limits.EXTENDS_DEPTH:
            raise ConfigError(f"{name}: nesting too deep in `extends`")
        out: Config = {}
        for parent in parents:
            if parent in (*trail, name):
                raise ConfigError(f"{name}: circular dependency detected in `extends`")
            if not isinstance(config.get(parent), dict):
                raise ConfigError(f"{name}: unknown keys in `extends` ({parent})")
            out = merged(out, one(parent, (*trail, name)))
        done[name] = merged(out, {key: value for key, value in entry.items() if key != "extends"})
        return done[name]

    return {
        name: one(name, ()) if isinstance(value, dict) and "extends" in value else value
        for name, value in config.items()
    }


def dereferenced(config: Config) -> Config:
    """Replace each `!reference` by what it points at."""

    def walk(value: object, trail: tuple[Reference, ...]) -> Any:  # noqa: ANN401 - YAML is any
        if isinstance(value, Reference):
            if value in trail:
                raise ConfigError(f"{value} is part of a circular chain")
            if len(trail) >= limits.SCRIPT_DEPTH:
                raise ConfigError(f"{value} is nested too deep")
            return walk(_found(config, value), (*trail, value))
        if isinstance(value, dict):
            return {key: walk(child, trail) for key, child in value.items()}
        if isinstance(value, list):
            return [walk(child, trail) for child in value]
        return value

    result = walk(config, ())
    # Ruby's names of YAML's true and false are reserved job names.
    return {str(key).lower() if isinstance(key, bool) else str(key): value for key, value in result.items()}


def _found(config: Config, reference: Reference) -> object:
    value: object = config
    for part in reference.path:
        if not isinstance(value, dict) or part not in value:
            raise ConfigError(f"{reference} could not be found")
        value = value[part]
    return value
