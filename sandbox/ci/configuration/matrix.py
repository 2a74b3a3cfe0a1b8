"""Name the jobs of `parallel`, as GitLab does: `job 1/3`, `job: [a, b]` (lib/gitlab/ci/config/normalizer)."""

from itertools import product

import msgspec

from sandbox.ci import limits
from sandbox.ci.configuration.keywords import RawParallel
from sandbox.ci.configuration.rules import text
from sandbox.ci.errors import ConfigError


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """One of the jobs that a parallel job becomes."""

    name: str
    variables: dict[str, str] = {}
    node: tuple[int, int] | None = None


def instances(name: str, parallel: int | RawParallel | None) -> tuple[Instance, ...]:
    """Give the jobs that one entry becomes."""
    if parallel is None:
        return (Instance(name=name),)
    if isinstance(parallel, int):
        _check(name, parallel)
        return tuple(
            Instance(name=f"{name} {index}/{parallel}", node=(index, parallel)) for index in range(1, parallel + 1)
        )
    combinations = [
        dict(zip(entry, values, strict=True))
        for entry in parallel.matrix
        for values in product(*([text(one) for one in _listed(value)] for value in entry.values()))
    ]
    _check(name, len(combinations))
    return tuple(
        Instance(name=f"{name}: [{', '.join(one.values())}]", variables=one, node=(index, len(combinations)))
        for index, one in enumerate(combinations, 1)
    )


def _listed(value: object) -> list[str | int | float | bool]:
    return value if isinstance(value, list) else [value]  # type: ignore[list-item]  # msgspec checked it: a scalar


def _check(name: str, count: int) -> None:
    if not 1 <= count <= limits.PARALLEL:
        raise ConfigError(f"jobs:{name}:parallel should be between 1 and {limits.PARALLEL}, it is {count}")
