"""Lay a pipeline out as GitLab's graph: a column for each stage, a line for each need. Pure arithmetic."""

from collections.abc import Sequence
from typing import Final

import msgspec

NARROWEST: Final = 180
WIDEST: Final = 340
LETTER: Final = 6.9
"""How wide a letter is at the size of a job's name."""
BESIDE_NAME: Final = 48
"""Icon and padding."""
JOB_HEIGHT: Final = 46
GAP_X: Final = 24
GAP_Y: Final = 12
HEAD: Final = 32


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """One job to place."""

    name: str
    stage: str
    needs: tuple[str, ...] | None
    """None: all jobs of the stage before."""
    done: bool


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a job goes, in pixels."""

    name: str
    x: int
    y: int


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """Where a stage's title goes."""

    name: str
    x: int


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A curve from a job to one that needs it, as SVG path data."""

    path: str
    kind: str
    """`done` when the needed job has succeeded."""


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """The whole graph."""

    width: int
    height: int
    job_width: int
    """All jobs of a graph are as wide as the longest name asks for."""
    columns: tuple[Column, ...]
    places: tuple[Place, ...]
    lines: tuple[Line, ...]


def lay_out(nodes: Sequence[Node], *, stages: Sequence[str]) -> Layout:
    """Place jobs by stage, in their order, and draw what they need."""
    used = [stage for stage in stages if any(node.stage == stage for node in nodes)]
    columns = {stage: [node for node in nodes if node.stage == stage] for stage in used}
    longest = max((len(node.name) for node in nodes), default=0)
    job_width = min(max(NARROWEST, round(longest * LETTER) + BESIDE_NAME), WIDEST)
    step = job_width + GAP_X
    places = {
        node.name: Place(name=node.name, x=at * step, y=HEAD + row * (JOB_HEIGHT + GAP_Y))
        for at, stage in enumerate(used)
        for row, node in enumerate(columns[stage])
    }
    known = {node.name: node for node in nodes}
    lines = [
        Line(path=_curve(places[need], places[node.name], job_width), kind="done" if known[need].done else "open")
        for node in nodes
        for need in _needs(node, used, columns)
        if need in places
    ]
    tallest = max((len(column) for column in columns.values()), default=0)
    return Layout(
        width=max(0, len(used) * step - GAP_X) + 2,
        height=HEAD + tallest * (JOB_HEIGHT + GAP_Y),
        job_width=job_width,
        columns=tuple(Column(name=stage, x=at * step) for at, stage in enumerate(used)),
        places=tuple(places.values()),
        lines=tuple(lines),
    )


def _needs(node: Node, used: Sequence[str], columns: dict[str, list[Node]]) -> tuple[str, ...]:
    if node.needs is not None:
        return node.needs
    before = used.index(node.stage) - 1
    return tuple(one.name for one in columns[used[before]]) if before >= 0 else ()


def _curve(start: Place, end: Place, job_width: int) -> str:
    y1, y2 = start.y + JOB_HEIGHT // 2, end.y + JOB_HEIGHT // 2
    if start.x == end.x:  # one stage: out at the left, and back in
        bend = start.x - GAP_X // 3
        return f"M{start.x} {y1}C{bend} {y1} {bend} {y2} {end.x} {y2}"
    x1, x2 = start.x + job_width, end.x
    middle = x2 - GAP_X // 2
    if x2 - x1 == GAP_X:
        return f"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}"
    below = y1 + (JOB_HEIGHT + GAP_Y) // 2  # between two rows, past the jobs of the stages between
    leave = x1 + GAP_X // 2
    return (
        f"M{x1} {y1}C{leave} {y1} {leave} {below} {x1 + GAP_X} {below}H{x2 - GAP_X}"
        f"C{middle} {below} {middle} {y2} {x2} {y2}"
    )
