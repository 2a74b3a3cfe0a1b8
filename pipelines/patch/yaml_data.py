"""YAML as plain data whose scalars are all texts. Pure; built from events.

PyYAML's own composer calls itself for each level in C, so that some ten thousand brackets end the process.
"""

from __future__ import annotations

from typing import Any, Final

import yaml

_Loader: Final = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_DEEPEST: Final = 100
"""Levels that are read; GitLab takes no more, and libyaml's time grows with their square."""
_MERGE: Final = "<<"
_MOST_MERGED: Final = 100_000
"""Keys that `<<` may bring in all: aliases of aliases would make millions of a short text."""


def yaml_documents(text: str) -> list[Any]:
    """Return the documents of a text: dicts, lists and strings; tags such as `!reference` are left out.

    An alias stands for the one value that it names, so a walk has to remember what it has seen. Raises ValueError.
    """
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_Loader):
            builder.take(event)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    return builder.documents


class _Builder:
    def __init__(self) -> None:
        self.documents: list[Any] = []
        self._open: list[Any] = []
        self._keys: list[Any] = []
        """For each open value the key that waits for its value; `_NONE` where a key is next, and in lists."""
        self._anchors: dict[str, Any] = {}
        self._merged = 0

    def take(self, event: yaml.Event) -> None:
        match event:
            case yaml.DocumentStartEvent():
                self._anchors = {}
            case yaml.AliasEvent():
                if event.anchor not in self._anchors:
                    raise ValueError(f"nothing is called {event.anchor}")
                self._put(self._anchors[event.anchor])
            case yaml.ScalarEvent():
                self._named(event, event.value)
                self._put(event.value)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._open.append(self._named(event, {} if isinstance(event, yaml.MappingStartEvent) else []))
                self._keys.append(_NONE)
                if len(self._open) > _DEEPEST:
                    raise ValueError(f"it nests more than {_DEEPEST} levels")
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._keys.pop()
                self._put(self._open.pop())

    def _named(self, event: yaml.NodeEvent, value: Any) -> Any:  # noqa: ANN401 - plain YAML data of any shape
        if event.anchor is not None:
            self._anchors[event.anchor] = value
        return value

    def _put(self, value: Any) -> None:  # noqa: ANN401 - plain YAML data of any shape
        if not self._open:
            self.documents.append(value)
            return
        holder, key = self._open[-1], self._keys[-1]
        if isinstance(holder, list):
            holder.append(value)
        elif key is _NONE:
            self._keys[-1] = value if isinstance(value, str) else ""  # nobody looks for a key that is no text
        else:
            self._keys[-1] = _NONE
            if key == _MERGE and isinstance(value, dict | list):
                self._merge(holder, value)
            else:
                holder[key] = value

    def _merge(self, holder: dict[str, Any], value: dict[str, Any] | list[Any]) -> None:
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                self._merged += len(one)
                if self._merged > _MOST_MERGED:
                    raise ValueError(f"`{_MERGE}` brings more than {_MOST_MERGED} keys")
                for key, inner in list(one.items()):
                    holder.setdefault(key, inner)


_NONE: Final = object()
