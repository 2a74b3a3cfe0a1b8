"""YAML as plain values, with the line of each. Knows nothing of what the values mean; reads no file."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

import yaml
from msgspec import Struct
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Value = str | int | bool | Decimal | list["Value"] | dict[str, "Value"] | None
Path = tuple[str | int, ...]
"""Keys and indices from the root to a value."""

_NUMBER: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?")
"""Neither octal, hexadecimal, base 60 nor infinite, which YAML knows too."""

MAX_NODES: Final = 20_000
"""More than any catalogue needs; bounds what aliases can blow up to."""


class FileProblem(Struct, frozen=True, kw_only=True):
    """Something wrong at a place in the file."""

    line: int
    """1-based."""
    path: Path
    sentence: str
    """What is wrong and what to do."""

    @property
    def key(self) -> str:
        """The place as people write it: `jira.start.allowed[1]`."""
        return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path).lstrip(".")


class Document(Struct, frozen=True, kw_only=True):
    """A parsed file."""

    value: Value
    lines: dict[Path, int]
    """1-based line of each value: of its key, when it has one."""
    problems: tuple[FileProblem, ...]

    def line(self, path: Path) -> int:
        """Return the line of a value, or of the nearest thing around it when it is missing."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def parse(text: str) -> Document:
    """Parse one YAML document. Never raises for what the text says: that is in `problems`."""
    try:
        root = yaml.compose(text, Loader=yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = FileProblem(line=line, path=(), sentence=f"this is not YAML: {error.problem}; correct it")
        return Document(value=None, lines={}, problems=(problem,))
    except yaml.YAMLError as error:  # characters that YAML does not allow
        sentence = f"this is not YAML: {str(error).splitlines()[0]}; correct it"
        return Document(value=None, lines={}, problems=(FileProblem(line=1, path=(), sentence=sentence),))
    reader = _Reader()
    value = None if root is None else reader.value(root, ())
    return Document(value=value, lines=reader.lines, problems=tuple(reader.problems))


class _Reader:
    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self.problems: list[FileProblem] = []
        self.nodes = 0
        self.open: set[int] = set()

    def value(self, node: Node, path: Path) -> Value:
        self.lines.setdefault(path, node.start_mark.line + 1)
        self.nodes += 1
        if id(node) in self.open or self.nodes > MAX_NODES:
            self._problem(node, path, "this is too large or contains itself; write it out without the alias")
            return None
        if isinstance(node, ScalarNode):
            return self._scalar(node, path)
        self.open.add(id(node))
        try:
            if isinstance(node, SequenceNode):
                return [self.value(child, (*path, index)) for index, child in enumerate(node.value)]
            if isinstance(node, MappingNode):
                return self._mapping(node, path)
        finally:
            self.open.discard(id(node))
        raise TypeError(node)  # YAML has no other kinds

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Value]:
        out: dict[str, Value] = {}
        for key, child in node.value:
            if not isinstance(key, ScalarNode):
                self._problem(key, path, "a key must be plain text; write it so")
                continue
            here = (*path, key.value)
            if key.value in out:
                self._problem(key, here, f"this key stands here twice (first in line {self.lines[here]}); keep one")
                continue
            self.lines[here] = key.start_mark.line + 1
            out[key.value] = self.value(child, here)
        return out

    def _scalar(self, node: ScalarNode, path: Path) -> Value:
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        text: str = node.value
        if kind == "str":
            return text
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() in {"yes", "true", "on"}
        if kind in {"int", "float"} and _NUMBER.fullmatch(text):
            return int(text) if kind == "int" else Decimal(text)
        self._problem(node, path, f"{text} is read as {kind}; write it in plain digits, or as text in quotes")
        return None

    def _problem(self, node: Node, path: Path, sentence: str) -> None:
        self.problems.append(FileProblem(line=node.start_mark.line + 1, path=path, sentence=sentence))
