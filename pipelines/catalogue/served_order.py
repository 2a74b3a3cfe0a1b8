"""Which repositories are served beside one, in which order, and by which variables they are found. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence


class CircleError(ValueError):
    """Repositories that each have to be served before the other; the message names them in a row."""


def start_order(key: str, needs: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the keys that have to run before `key` does, each after those that it needs itself. Raises CircleError."""
    order: list[str] = []
    _visit(key, needs, above=(), order=order)
    return tuple(order[:-1])


def _visit(key: str, needs: Mapping[str, Sequence[str]], *, above: tuple[str, ...], order: list[str]) -> None:
    if key in above:
        raise CircleError(" → ".join((*above[above.index(key) :], key)))
    for other in needs.get(key, ()):
        _visit(other, needs, above=(*above, key), order=order)
    if key not in order:
        order.append(key)


def address_variable(key: str) -> str:
    """Return the variable that holds a neighbour's address: `legacy-api` is found at `$LEGACY_API_URL`."""
    name = re.sub(r"[^A-Z0-9]", "_", key.upper())
    return f"_{name}_URL" if name[0].isdigit() else f"{name}_URL"
