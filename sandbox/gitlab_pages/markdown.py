"""Render GitLab-flavoured Markdown of strangers as safe HTML. Fetches nothing.

Raw HTML stays text, but for what notes need: `<details>` and `<summary>`, each on a line; comments, which vanish; a few
inline tags without attributes. As on GitLab, what follows `<summary>` is Markdown only after a blank line. Bare URLs
become links; `/uploads/…` leads to the project's uploads, and an image that is a video becomes a player, as on GitLab.
"""

import re
from collections.abc import Iterator
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markupsafe import Markup

_FOLD: Final = re.compile(
    r"(?P<open><details(?: open)?>)?\s*(?:<summary>(?P<summary>.*?)</summary>)?\s*(?P<close></details>)?\s*"
)
_INLINE: Final = re.compile(r"<!--.*?-->|</?(?:sub|sup|kbd|b|i|em|strong|code)>|<br ?/?>", re.DOTALL)
_VIDEOS: Final = (".mp4", ".m4v", ".mov", ".webm", ".ogv")
"""lib/gitlab/file_type_detection.rb"""
_URL: Final = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")


def _fold(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    """Read an HTML block: up to a blank line nothing is Markdown, as on GitLab (CommonMark 4.6, kind 6)."""
    line = state.getLines(start, start + 1, state.blkIndent, keepLastLF=False).strip()
    if not line or _FOLD.fullmatch(line) is None or state.is_code_block(start):
        return False
    if silent:
        return True
    depth = state.env.setdefault("folds", [0])
    at = start
    while at < end and not state.isEmpty(at):
        text = state.getLines(at, at + 1, state.blkIndent, keepLastLF=False).strip()
        match = _FOLD.fullmatch(text)
        state.push("fold", "", 0).content = _folded(match, depth) if match else _text(text)
        at += 1
    state.line = at
    return True


def _folded(match: re.Match[str], depth: list[int]) -> str:
    html = match["open"] or ""
    depth[0] += 1 if html else 0
    if match["summary"] is not None:
        html += f"<summary>{_text(match['summary'])}</summary>"
    if match["close"] and depth[0]:
        depth[0] -= 1
        html += "</details>"
    return f"{html}\n"


def _text(text: str) -> str:
    at, html = 0, ""
    for match in _INLINE.finditer(text):
        html += escapeHtml(text[at : match.start()])
        html += "" if match[0].startswith("<!--") else match[0]
        at = match.end()
    return html + escapeHtml(text[at:])


def _comment(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    first = state.getLines(start, start + 1, state.blkIndent, keepLastLF=False)
    if not first.lstrip().startswith("<!--") or state.is_code_block(start):
        return False
    for line in range(start, end):
        text = state.getLines(line, line + 1, 0, keepLastLF=False).rstrip()
        if "-->" in text:
            if not text.endswith("-->"):
                return False
            if not silent:
                state.line = line + 1
            return True
    return False


def _tag(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    match = _INLINE.match(state.src, state.pos)
    if match is None:
        return False
    if not silent and not match[0].startswith("<!--"):
        state.push("safe_tag", "", 0).content = match[0]
    state.pos = match.end()
    return True


def _links(state: StateCore) -> None:
    for token in state.tokens:
        if token.type == "inline" and token.children:
            token.children = list(_linked(token.children))


def _linked(children: list[Token]) -> Iterator[Token]:
    inside = 0
    for child in children:
        inside += {"link_open": 1, "link_close": -1}.get(child.type, 0)
        if child.type != "text" or inside:
            yield child
            continue
        at = 0
        for match in _URL.finditer(child.content):
            yield Token("text", "", 0, content=child.content[at : match.start()])
            yield Token("link_open", "a", 1, attrs={"href": match[0]})
            yield Token("text", "", 0, content=match[0])
            yield Token("link_close", "a", -1)
            at = match.end()
        yield Token("text", "", 0, content=child.content[at:])


def _safe(state: StateCore) -> None:
    """Lead uploads to the project, and let no link tell where it was followed from."""
    uploads = state.env.get("uploads", "")
    for token in state.tokens:
        for child in token.children or ():
            for name in ("href", "src"):
                value = str(child.attrs.get(name, ""))
                if value.startswith("/uploads/"):
                    child.attrs[name] = uploads + value
            if child.type == "image" and str(child.attrs["src"]).endswith(_VIDEOS):
                child.type = "video"
            if child.type == "link_open":
                child.attrs["rel"] = "nofollow noreferrer noopener"


def _make() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    ends: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}
    parser.block.ruler.before("paragraph", "fold", _fold, ends)
    parser.block.ruler.before("fold", "comment", _comment, ends)
    parser.inline.ruler.before("autolink", "safe_tag", _tag)
    parser.core.ruler.push("bare_links", _links)
    parser.core.ruler.push("safe_links", _safe)
    for name in ("fold", "safe_tag"):
        parser.add_render_rule(name, _as_is)
    parser.add_render_rule("video", _player)
    return parser


def _player(_self: object, tokens: list[Token], index: int, _options: object, _env: object) -> str:
    return f'<video src="{escapeHtml(str(tokens[index].attrs["src"]))}" controls preload="metadata"></video>'


def _as_is(_self: object, tokens: list[Token], index: int, _options: object, _env: object) -> str:
    return tokens[index].content


_PARSER: Final = _make()


def render(text: str, *, uploads: str = "") -> Markup:
    """Render; `uploads` is put before `/uploads/…`."""
    environment: dict[str, object] = {"uploads": uploads}
    html = _PARSER.render(text, environment)
    open_folds = environment.get("folds")
    left = open_folds[0] if isinstance(open_folds, list) else 0
    return Markup(html + "</details>" * left)  # noqa: S704 - all of it comes from markdown-it with html off
