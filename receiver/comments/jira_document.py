"""Read Jira's documents (Atlassian Document Format): as wiki markup, and the lines that an author says. Pure.

REST v2 gives wiki markup; v3, and hooks of some sites, give documents. What a document has that wiki markup has no word
for is kept as its text.
Source: https://developer.atlassian.com/cloud/jira/platform/apis/document/structure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from receiver.comments import jira_wiki
from receiver.comments.visible_text import LONGEST, visible

DEEPEST: Final = 60
"""Nodes inside of nodes; deeper ones are left out."""
LARGEST: Final = 1_000_000
"""Characters of one text; what comes after them is left out."""


def wiki(value: object) -> str:
    """Return a rich text, markup or document, as wiki markup; empty for anything else."""
    if isinstance(value, str):
        return value[:LARGEST]
    if isinstance(value, dict):
        return _node(value, 0).strip("\n")[:LARGEST]
    return ""


def said(value: object) -> tuple[str, ...]:
    """Return the lines of a comment, markup or document, that its author says, as people see them.

    Of a document these are the paragraphs that stand in nothing else; see `jira_wiki` for what is left out, and why.
    """
    if not isinstance(value, dict):
        return jira_wiki.said(value) if isinstance(value, str) else ()
    paragraphs = (_spoken(node) for node in _children(value) if node.get("type") == "paragraph")
    lines = (visible(line).strip() for one in paragraphs for line in one[:LONGEST].splitlines())
    return tuple(line for line in lines if line and not line.startswith(">"))


def _spoken(paragraph: dict[str, Any]) -> str:
    return "".join(_piece(node) for node in _children(paragraph))


def _piece(node: dict[str, Any]) -> str:
    kind, text = node.get("type"), node.get("text")
    if kind == "hardBreak":
        return "\n"
    marks = node.get("marks")
    kinds = {str(mark.get("type")) for mark in (marks if isinstance(marks, list) else ()) if isinstance(mark, dict)}
    return text if kind == "text" and isinstance(text, str) and not kinds & _NOT_WORDS else _NOT_SAID


_NOT_WORDS: Final = frozenset({"code", "link", "strike"})
"""Marks whose text is code, leads elsewhere, or is not said any more."""
_NOT_SAID: Final = "\N{OBJECT REPLACEMENT CHARACTER}"
"""Stands in a line for what is no text: a mention, a card, a picture, code."""


def _node(node: dict[str, Any], depth: int) -> str:
    if depth > DEEPEST:
        return ""
    kind = node.get("type")
    write = _NODES.get(kind, _other) if isinstance(kind, str) else _other
    return write(node, depth)


def _children(node: dict[str, Any]) -> list[dict[str, Any]]:
    content = node.get("content")
    return [child for child in content if isinstance(child, dict)] if isinstance(content, list) else []


def _inside(node: dict[str, Any], depth: int) -> str:
    return "".join(_node(child, depth + 1) for child in _children(node))


def _attribute(node: dict[str, Any], *names: str) -> str:
    attributes = node.get("attrs")
    found = [attributes.get(name) for name in names] if isinstance(attributes, dict) else []
    return next((value for value in found if isinstance(value, str) and value), "")


def _text(node: dict[str, Any], _: int) -> str:
    text = node.get("text")
    said = text if isinstance(text, str) else ""
    marks = node.get("marks")
    for mark in marks if isinstance(marks, list) else ():
        kind = mark.get("type") if isinstance(mark, dict) else None
        if kind == "code":
            said = f"{{{{{said}}}}}"
        elif kind == "link":
            href = _attribute(mark, "href")
            said = f"[{said}|{href}]" if href else said
        elif isinstance(kind, str) and kind in _MARKS:
            said = f"{_MARKS[kind]}{said}{_MARKS[kind]}"
    return said


def _paragraph(node: dict[str, Any], depth: int) -> str:
    return f"{_inside(node, depth)}\n\n"


def _heading(node: dict[str, Any], depth: int) -> str:
    attributes = node.get("attrs")
    level = attributes.get("level") if isinstance(attributes, dict) else None
    return f"h{level if level in range(1, 7) else 3}. {_inside(node, depth)}\n\n"


def _fenced(name: str) -> Callable[[dict[str, Any], int], str]:
    def write(node: dict[str, Any], depth: int) -> str:
        inside = _inside(node, depth).strip("\n")
        # a text that ends the macro early would let what is quoted speak for itself
        return f"{{{name}}}\n{inside.replace(f'{{{name}', f'{{ {name}')}\n{{{name}}}\n\n"

    return write


def _list(node: dict[str, Any], depth: int) -> str:
    return "".join(_items(node, "", depth)) + "\n"


def _items(node: dict[str, Any], level: str, depth: int) -> Iterator[str]:
    """Yield the lines of a list; those of a list within it have its marks in front, `**` or `#*`."""
    if depth > DEEPEST:
        return
    level += _BULLETS[str(node.get("type"))]
    for item in _children(node):
        if item.get("type") in _BULLETS:  # a list of tasks holds others directly
            yield from _items(item, level, depth + 1)
            continue
        words = [child for child in _children(item) if child.get("type") not in _BULLETS]
        said = "".join(_node(child, depth + 2) for child in words).strip("\n").replace("\n\n", "\n")
        is_done = _attribute(item, "state") == "DONE"
        yield f"{level} {'✓ ' if is_done else ''}{said}\n"
        for child in _children(item):
            if child.get("type") in _BULLETS:
                yield from _items(child, level, depth + 2)


def _row(node: dict[str, Any], depth: int) -> str:
    cells = (" ".join(_inside(cell, depth + 1).split()) for cell in _children(node))
    return f"|{'|'.join(cells)}|\n"


def _expand(node: dict[str, Any], depth: int) -> str:
    title = _attribute(node, "title")
    return (f"*{title}*\n\n" if title else "") + _inside(node, depth)


def _date(node: dict[str, Any], _: int) -> str:
    """Return a date's day, UTC; it is kept in milliseconds since the epoch."""
    attributes = node.get("attrs")
    told = attributes.get("timestamp") if isinstance(attributes, dict) else None
    try:
        return datetime.fromtimestamp(float(str(told)) / 1000, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return str(told)[:40] if isinstance(told, str | int) else ""


def _card(node: dict[str, Any], _: int) -> str:
    """Return the address of a card; one that was resolved when it was written holds a document about it instead."""
    attributes = node.get("attrs")
    data = attributes.get("data") if isinstance(attributes, dict) else None
    return _attribute(node, "url") or (_attribute({"attrs": data}, "url", "@id", "name"))


def _picture(node: dict[str, Any], _: int) -> str:
    is_external = _attribute(node, "type") == "external"
    return f"!{_attribute(node, 'url') if is_external else _attribute(node, 'alt', 'id')}!\n"


def _file(node: dict[str, Any], _: int) -> str:
    return f"[^{_attribute(node, 'alt', 'id')}]"


def _other(node: dict[str, Any], depth: int) -> str:
    """Return what an unknown node, or one of an app, holds; else the words by which it is shown."""
    return _inside(node, depth) or _attribute(node, "text", "title", "alt", "url")


_BULLETS: Final[Mapping[str, str]] = {"bulletList": "*", "taskList": "*", "decisionList": "*", "orderedList": "#"}
_MARKS: Final[Mapping[str, str]] = {"strong": "*", "em": "_", "strike": "-", "underline": "+"}
_NODES: Final[Mapping[str, Callable[[dict[str, Any], int], str]]] = {
    "text": _text,
    "paragraph": _paragraph,
    "caption": _paragraph,
    "heading": _heading,
    "codeBlock": _fenced("code"),
    "blockquote": _fenced("quote"),
    "panel": _fenced("panel"),
    **dict.fromkeys(_BULLETS, _list),
    "tableRow": _row,
    "expand": _expand,
    "nestedExpand": _expand,
    "hardBreak": lambda _, __: "\n",
    "rule": lambda _, __: "----\n",
    "mention": lambda node, _: _attribute(node, "text", "id"),
    "emoji": lambda node, _: _attribute(node, "text", "shortName"),
    "status": lambda node, _: _attribute(node, "text"),
    "date": _date,
    "inlineCard": _card,
    "blockCard": lambda node, depth: f"{_card(node, depth)}\n\n",
    "embedCard": lambda node, depth: f"{_card(node, depth)}\n\n",
    "media": _picture,
    "mediaInline": _file,
}
"""https://developer.atlassian.com/cloud/jira/platform/apis/document/structure; all others hold other nodes only."""
