"""Show parsed wiki markup as HTML. Every text is escaped; links keep only addresses that can't run anything."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import assert_never

from sandbox.jira.markup import wiki

TAGS = {"strong": "strong", "em": "em", "strike": "s", "underline": "u", "code": "code"}
SAFE = ("http://", "https://", "mailto:", "/", "#")


NO_PICTURES: Mapping[str, str] = {}


def render(text: str, *, pictures: Mapping[str, str] = NO_PICTURES) -> str:
    """Return the HTML of a text in wiki markup; `pictures` are the addresses of attached ones by name."""
    return "".join(_block(block, pictures) for block in wiki.parse(text))


def _block(block: wiki.Block, pictures: Mapping[str, str]) -> str:  # noqa: PLR0911 - one return for each member of the union
    match block:
        case wiki.Paragraph():
            return f"<p>{_inlines(block.inlines, pictures)}</p>"
        case wiki.Heading():
            return f"<h{block.level}>{_inlines(block.inlines, pictures)}</h{block.level}>"
        case wiki.Code():
            return f"<pre><code>{escape(block.text)}</code></pre>"
        case wiki.Rule():
            return "<hr>"
        case wiki.Quote():
            return f"<blockquote>{''.join(_block(one, pictures) for one in block.blocks)}</blockquote>"
        case wiki.List():
            return _list(block, pictures)
        case wiki.Table():
            return f"<table>{''.join(_row(row, pictures) for row in block.rows)}</table>"
        case _:
            assert_never(block)


def _list(block: wiki.List, pictures: Mapping[str, str]) -> str:
    tag = "ol" if block.ordered else "ul"
    items = "".join(
        f"<li>{_inlines(item.inlines, pictures)}{''.join(_list(one, pictures) for one in item.below)}</li>"
        for item in block.items
    )
    return f"<{tag}>{items}</{tag}>"


def _row(row: Sequence[wiki.Cell], pictures: Mapping[str, str]) -> str:
    cells = (
        f"<th>{_inlines(cell.inlines, pictures)}</th>" if cell.head else f"<td>{_inlines(cell.inlines, pictures)}</td>"
        for cell in row
    )
    return f"<tr>{''.join(cells)}</tr>"


def _inlines(inlines: Sequence[wiki.Inline], pictures: Mapping[str, str]) -> str:
    return "".join(_inline(one, pictures) for one in inlines)


def _inline(inline: wiki.Inline, pictures: Mapping[str, str]) -> str:
    match inline:
        case wiki.Text():
            text = escape(inline.text)
            for mark in reversed(inline.marks):
                text = f"<{TAGS[mark]}>{text}</{TAGS[mark]}>"
            return text
        case wiki.Link():
            if not inline.url.startswith(SAFE):
                return escape(inline.text)
            return f'<a href="{escape(inline.url)}" rel="nofollow noreferrer">{escape(inline.text)}</a>'
        case wiki.Mention():
            return f'<span class="mention">@{escape(inline.user)}</span>'
        case wiki.Image():
            return _picture(escape(inline.source), escape(pictures.get(inline.source, "")))
        case wiki.Break():
            return "<br>"
        case _:
            assert_never(inline)


def _picture(name: str, address: str) -> str:
    if not address:
        return f'<span class="image">{name}</span>'
    return f'<a href="{address}"><img class="thumbnail" src="{address}" alt="{name}"></a>'
