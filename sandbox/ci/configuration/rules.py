"""Choose among `rules`: whether and how a job, or a pipeline, runs.

`changes` is true where the changed files are not known, as GitLab has it for pipelines that no push started.
"""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from sandbox.ci.configuration.conditions import holds
from sandbox.ci.configuration.expansion import Variable, expanded
from sandbox.ci.configuration.keywords import RawRule, RawVariables, RawWorkflowRule, Scalar, strings
from sandbox.ci.errors import ConfigError
from sandbox.ci.globs import pattern


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What rules are judged by."""

    values: dict[str, str]
    """Variables, expanded."""
    paths: Callable[[], Sequence[str]]
    """The repository's files at the pipeline's commit."""
    changed: frozenset[str] | None = None
    """The files that a push changed; None when no push started the pipeline."""


def first(rules: Sequence[RawRule | RawWorkflowRule], facts: Facts, *, where: str) -> RawRule | RawWorkflowRule | None:
    """Give the first rule that applies."""
    return next((rule for rule in rules if _applies(rule, facts, where=where)), None)


def _applies(rule: RawRule | RawWorkflowRule, facts: Facts, *, where: str) -> bool:
    if rule.if_ is not None:
        try:
            if not holds(rule.if_, facts.values):
                return False
        except ConfigError as error:
            raise ConfigError(f"{where}:rules:rule if {error}") from error
    if rule.exists is not None:
        globs = [pattern(expanded(glob, facts.values).lstrip("/")) for glob in strings(rule.exists)]
        if not any(glob.fullmatch(path) for path in facts.paths() for glob in globs):
            return False
    if rule.changes is not None and facts.changed is not None:
        paths = rule.changes.get("paths", []) if isinstance(rule.changes, dict) else rule.changes
        globs = [pattern(expanded(str(glob), facts.values)) for glob in paths]
        return any(glob.fullmatch(path) for path in facts.changed for glob in globs)
    return True


def variables(raw: RawVariables | None) -> dict[str, Variable]:
    """Read a `variables` hash."""
    out: dict[str, Variable] = {}
    for name, one in (raw or {}).items():
        if one is None:
            out[name] = Variable(value="")
        elif isinstance(one, str | int | float):
            out[name] = Variable(value=text(one))
        else:
            out[name] = Variable(value=text(one.value), expand=one.expand)
    return out


def text(value: Scalar) -> str:
    """Write a YAML scalar as a variable's value, as Ruby does."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def merged(*layers: Mapping[str, Variable]) -> dict[str, Variable]:
    """Merge variables; later layers win."""
    return {name: value for layer in layers for name, value in layer.items()}
