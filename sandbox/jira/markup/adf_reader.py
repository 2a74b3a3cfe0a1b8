"""Read Atlassian Document Format, which REST v3 speaks, as wiki markup, which the site keeps.

A node or mark that wiki markup has no word for is refused by name. The other direction is in `adf`.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.jira.markup import wiki
from sandbox.jira.model import Json

DEEPEST: Final = 40


class AdfError(Exception):
    """The document is not what Atlassian Document Format allows here."""


def to_wiki(document: Json) -> str:
    """Return the wiki markup of a document."""
    if document.get("type") != "doc" or document.get("version") != 1:
        raise AdfError("a document begins with type doc and version 1")
    return _joined(document, 0, "\n\n")


def _text(node: Json, depth: int) -> str:
    if depth > DEEPEST:
        raise AdfError(f"nodes are nested deeper than {DEEPEST}")
    kind = node.get("type")
    if not isinstance(kind, str) or kind not in NODES:
        raise AdfError(f"the sandbox knows no node {kind!r}")
    return NODES[kind](node, depth)


def _children(node: Json) -> list[Json]:
    content = node.get("content", [])
    if not isinstance(content, list) or not all(isinstance(child, dict) for child in content):
        raise AdfError(f"the content of {node.get('type')} is no list of nodes")
    return content


def _attribute(node: Json, name: str, default: str = "") -> str:
    attributes = node.get("attrs")
    return str(attributes.get(name) or default) if isinstance(attributes, dict) else default


def _joined(node: Json, depth: int, glue: str = "") -> str:
    return glue.join(_text(child, depth + 1) for child in _children(node))


def _marked(node: Json, _: int) -> str:
    text, marks = str(node.get("text", "")), node.get("marks")
    if not marks:
        # What would mean something in wiki markup is text here, except for addresses.
        return wiki.INLINE.sub(lambda match: match[0] if match["bare"] else f"\\{match[0]}", text)
    for mark in marks if isinstance(marks, list) else [marks]:
        name = mark.get("type") if isinstance(mark, dict) else None
        if not isinstance(name, str) or name not in MARKS:
            raise AdfError(f"the sandbox knows no mark {name!r}")
        text = MARKS[name](text, mark)
    return text


def _code(node: Json, _: int) -> str:
    language = _attribute(node, "language")
    text = "".join(str(child.get("text", "")) for child in _children(node))
    return f"{{code{':' + language if language else ''}}}\n{text}\n{{code}}"


def _quote(node: Json, depth: int) -> str:
    return "{quote}\n" + _joined(node, depth, "\n\n") + "\n{quote}"


def _list(node: Json, depth: int, above: str = "") -> str:
    if depth > DEEPEST:
        raise AdfError(f"nodes are nested deeper than {DEEPEST}")
    bullets = above + ("#" if node["type"] == "orderedList" else "*")
    lines = [
        _list(child, depth + 1, bullets) if child.get("type") in LISTS else f"{bullets} {_text(child, depth + 1)}"
        for item in _children(node)
        for child in _children(item)
    ]
    return "\n".join(lines)


def _table(node: Json, depth: int) -> str:
    return "\n".join(_row(row, depth + 1) for row in _children(node))


def _row(row: Json, depth: int) -> str:
    line, bar = "", "|"
    for cell in _children(row):
        bar = "||" if cell.get("type") == "tableHeader" else "|"
        line += f"{bar}{_joined(cell, depth, ' ')}"
    return line + bar


LISTS: Final = ("bulletList", "orderedList")
NODES: Final[Mapping[str, Callable[[Json, int], str]]] = {
    "text": _marked,
    "hardBreak": lambda _, __: "\n",
    "mention": lambda node, _: f"[~accountid:{_attribute(node, 'id')}]",
    "emoji": lambda node, _: _attribute(node, "text", _attribute(node, "shortName")),
    "inlineCard": lambda node, _: f"[{_attribute(node, 'url')}]",
    "paragraph": _joined,
    "heading": lambda node, depth: f"h{_attribute(node, 'level', '1')}. {_joined(node, depth)}",
    "codeBlock": _code,
    "blockquote": _quote,
    "panel": _quote,
    "rule": lambda _, __: "----",
    "bulletList": _list,
    "orderedList": _list,
    "table": _table,
}
MARKS: Final[Mapping[str, Callable[[str, dict[str, Any]], str]]] = {
    "strong": lambda text, _: f"*{text}*",
    "em": lambda text, _: f"_{text}_",
    "strike": lambda text, _: f"-{text}-",
    "underline": lambda text, _: f"+{text}+",
    "code": lambda text, _: f"{{{{{text}}}}}",
    "link": lambda text, mark: f"[{text}|{_attribute(mark, 'href')}]",
    "textColor": lambda text, _: text,
}
