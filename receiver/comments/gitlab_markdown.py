"""The lines of a note in GitLab's Markdown that its author says: no quotes, code, lists, tables or comments. Pure.

Source: https://docs.gitlab.com/user/markdown. A line counts in a paragraph of its own right only; in doubt it is left
out, see `jira_wiki`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from receiver.comments.visible_text import LONGEST, visible

_PARSER: Final = MarkdownIt("commonmark", {"maxNesting": 20}).enable(["table", "strikethrough"])
_FENCE: Final = re.compile(r" {0,3}(>{3,})\s*")
"""GitLab's own quote of several lines: from one such line to the next that is at least as long."""
_HTML: Final = re.compile(r"<(?P<end>/?)(?:blockquote|code|del|details|kbd|pre|q|s|samp|strike|table)\b", re.IGNORECASE)
"""What quotes, shows code or hides, written as HTML; CommonMark goes on reading Markdown in it after an empty line."""
_NOT_SAID: Final = "\N{OBJECT REPLACEMENT CHARACTER}"
"""Stands in a line for code, a link, a picture: the line says more than its words."""
_OTHER: Final = frozenset({"code_inline", "html_inline", "image", "link_open", "s_open"})


def said(markdown: str) -> tuple[str, ...]:
    """Return the lines that the author says, as people see them."""
    return tuple(line for line in (visible(one).strip() for one in _lines(markdown[:LONGEST])) if line)


def _lines(markdown: str) -> Iterator[str]:
    within, paragraph = 0, False
    for token in _PARSER.parse(_unquoted(markdown)):
        if token.type == "html_block":
            within = max(0, within + sum(-1 if found["end"] else 1 for found in _HTML.finditer(token.content)))
        elif token.level == 0:
            paragraph = token.type == "paragraph_open"
        elif token.type == "inline" and paragraph and not within and token.level == 1:
            yield from _text(token.children or ()).splitlines()


def _unquoted(markdown: str) -> str:
    """Return the text without what stands between lines of `>>>`; a quote that is left open goes on to the end."""
    left, opened = [], 0
    for line in markdown.splitlines():
        fence = _FENCE.fullmatch(line)
        left.append("" if fence or opened else line)
        if fence and len(fence[1]) >= opened:
            opened = 0 if opened else len(fence[1])
    return "\n".join(left)


def _text(children: Iterable[Token]) -> str:
    return "".join(_said(one) for one in children)


def _said(token: Token) -> str:
    if token.type in {"softbreak", "hardbreak"}:
        return "\n"
    return _NOT_SAID if token.type in _OTHER else token.content
