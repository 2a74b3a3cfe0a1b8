"""Write wiki markup, which the site keeps, as Atlassian Document Format, which REST v3 speaks.

Real Jira converts in the same way between its two API versions. Source: developer.atlassian.com, Atlassian Document
Format. The other direction is in `adf_reader`.
"""

from collections.abc import Sequence
from typing import assert_never

from sandbox.jira.markup import wiki
from sandbox.jira.model import Json


def from_wiki(text: str) -> Json:
    """Return the document of a text in wiki markup."""
    return {"version": 1, "type": "doc", "content": [_block(block) for block in wiki.parse(text)]}


def _block(block: wiki.Block) -> Json:  # noqa: PLR0911 - one return for each member of the union
    match block:
        case wiki.Paragraph():
            return {"type": "paragraph", "content": _inlines(block.inlines)}
        case wiki.Heading():
            return {"type": "heading", "attrs": {"level": block.level}, "content": _inlines(block.inlines)}
        case wiki.Code():
            attributes = {"attrs": {"language": block.language}} if block.language else {}
            text = [{"type": "text", "text": block.text}] if block.text else []
            return {"type": "codeBlock", **attributes, "content": text}
        case wiki.Rule():
            return {"type": "rule"}
        case wiki.Quote():
            return {"type": "blockquote", "content": [_block(one) for one in block.blocks]}
        case wiki.List():
            return _list(block)
        case wiki.Table():
            return {"type": "table", "content": [_row(row) for row in block.rows]}
        case _:
            assert_never(block)


def _list(block: wiki.List) -> Json:
    items = [
        {
            "type": "listItem",
            "content": [
                {"type": "paragraph", "content": _inlines(item.inlines)},
                *(_list(below) for below in item.below),
            ],
        }
        for item in block.items
    ]
    return {"type": "orderedList" if block.ordered else "bulletList", "content": items}


def _row(row: Sequence[wiki.Cell]) -> Json:
    cells = [
        {
            "type": "tableHeader" if cell.head else "tableCell",
            "content": [{"type": "paragraph", "content": _inlines(cell.inlines)}],
        }
        for cell in row
    ]
    return {"type": "tableRow", "content": cells}


def _inlines(inlines: Sequence[wiki.Inline]) -> list[Json]:
    return [_inline(one) for one in inlines]


def _inline(inline: wiki.Inline) -> Json:
    match inline:
        case wiki.Text():
            marks = [{"type": mark} for mark in inline.marks]
            return {"type": "text", "text": inline.text, **({"marks": marks} if marks else {})}
        case wiki.Link():
            return {
                "type": "text",
                "text": inline.text,
                "marks": [{"type": "link", "attrs": {"href": inline.url}}],
            }
        case wiki.Mention():
            return {"type": "mention", "attrs": {"id": inline.user, "text": f"@{inline.user}"}}
        case wiki.Image():
            return {"type": "text", "text": f"!{inline.source}!"}
        case wiki.Break():
            return {"type": "hardBreak"}
        case _:
            assert_never(inline)
