"""Escape untrusted text for GitLab's Markdown and Jira's wiki markup. Performs no I/O; renders nothing.

Text keeps reading as it was written and does nothing: no quick action, no mention, no reference that leaves a trace
elsewhere, no closing pattern, no link, no image, no macro, no HTML.
"""

from __future__ import annotations

import re
from typing import Final

MARKER: Final = "bug-fix:run="
"""In each text that we write, followed by the run's id: by it a note is found again, and never taken for a person's."""

GITLAB_MARKER: Final = f"<!-- {MARKER}"

LIMIT: Final = 600
"""Characters of one untrusted text that are shown."""

_INVISIBLE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
"""Control, direction and zero-width characters: what a reader can't see, and what would turn text around."""

JOINER: Final = "\u2060"
"""Word joiner: seen by no one, and breaks what a renderer would take for a reference."""


class Raw(str):
    """Markup that we wrote ourselves: put out as it is."""

    __slots__ = ()


class Line(str):
    """One line that was cut to what its place has room for: escaping it cuts nothing more."""

    __slots__ = ()


def line(text: str, limit: int = LIMIT) -> Line:
    """Return text as one line of visible characters, cut to `limit`.

    One line: what begins a line (quick actions, headings, lists, fences) can't begin one.
    """
    visible = _INVISIBLE.sub("", " ".join(text[: 4 * limit].split()))
    short = visible if len(visible) <= limit else f"{visible[: limit - 1].rstrip()}…"
    return Line(short.replace(MARKER, f"{MARKER[:-1]}{JOINER}="))  # or a note would be found as another run's


def sentence(text: str, limit: int = LIMIT) -> Line:
    """Return text as one line that ends like a sentence."""
    short = line(text, limit)
    return short if not short or short[-1] in ".!?…" else Line(f"{short}.")


_JIRA_KEY: Final = re.compile(r"\b([A-Za-z][A-Za-z0-9_]+)-(?=[0-9])")
_REFERENCE: Final = re.compile(r"([@#!~%$&^*])(?=\S)")
"""Sigils of GitLab's references: users, issues, merge requests, labels, milestones, snippets, epics, alerts."""


def _inert(text: str) -> str:
    """Break addresses, mentions, references and ticket keys, which renderers find in the text after unescaping it."""
    text = text.replace("://", f":{JOINER}//")
    text = re.sub(r"(?i)\b(www|mailto)([.:])", rf"\1{JOINER}\2", text)
    return _REFERENCE.sub(rf"\1{JOINER}", _JIRA_KEY.sub(rf"\1{JOINER}-", text))


_SKIP: Final = re.compile(r"(?i)\[(?=(?:ci[ _-]skip|skip[ _-]ci)\])")
"""What makes GitLab create no pipeline for a commit (lib/gitlab/ci/pipeline/chain/skip.rb)."""


def title(text: str, limit: int = 200) -> str:
    """Return untrusted text for a merge request's title and a commit's subject, which are no Markdown.

    GitLab finds mentions, references and closing patterns there too, and `[skip ci]`; Jira finds keys and `#close`.
    """
    return _SKIP.sub(f"[{JOINER}", _inert(line(text, limit)))


_MARKDOWN: Final = {ord(c): f"\\{c}" for c in "\\`*_{}[]()#+!|~"} | {
    ord("<"): "&lt;",
    ord(">"): "&gt;",
    ord("&"): "&amp;",
}


_CODE: Final = re.compile(r"(?<!`)`([^`]{1,200})`(?!`)")


def gitlab(text: str, limit: int = LIMIT) -> Raw:
    """Return untrusted text for GitLab's Markdown, one line. Code in single backticks stays code, which is inert."""
    prose_and_code = _CODE.split(line(text, limit))
    shown = [
        gitlab_code(part) if number % 2 and part.strip() else _inert(part).translate(_MARKDOWN)
        for number, part in enumerate(prose_and_code)
    ]
    # at the beginning of a line these would make a rule, a list or a heading
    return Raw(re.sub(r"^(?=[-=])", r"\\", "".join(shown)))


def gitlab_code(text: str, limit: int = 200) -> Raw:
    """Return untrusted text as a code span; pipes are escaped because spans stand in tables too."""
    inside = line(text, limit).replace("`", "'").replace("|", "\\|").strip()
    return Raw(f"`{inside}`") if inside else Raw("")


_WIKI: Final = {ord(c): f"\\{c}" for c in "{}[]!*_^~+?|#"} | {ord("\\"): "&#92;"}
"""A doubled backslash would be a line break in Jira, hence the entity."""

_LOOSE_DASH: Final = re.compile(r"(?<![^\W_])-|-(?![^\W_])")
"""`-struck out-`, `--`, `----`; a hyphen between letters stays as it is."""


_PLAIN_CODE: Final = re.compile(r"(?<!`)`([A-Za-z0-9_./:()='\", -]{1,80})`(?!`)")
"""Code of characters that can end nothing and begin nothing in wiki markup once they are escaped."""


def jira(text: str, limit: int = LIMIT) -> Raw:
    """Return untrusted text for Jira's wiki markup, one line. Plain code in single backticks becomes monospaced."""
    parts = enumerate(_PLAIN_CODE.split(line(text, limit)))
    return Raw("".join(f"{{{{{_jira(part)}}}}}" if number % 2 else _jira(part) for number, part in parts))


def _jira(text: str) -> str:
    text = text.replace("://", f":{JOINER}//")
    text = re.sub(r"(?i)\b(www|mailto)([.:])", rf"\1{JOINER}\2", text)
    return _LOOSE_DASH.sub(r"\\-", text.translate(_WIKI))


_BEGINS: Final = re.compile(r"(?i)(h[1-6]|bq)\.")
"""What makes a heading or a quote of a line."""


def jira_text(text: str, limit: int = 4_000) -> Raw:
    """Return untrusted text for Jira's wiki markup with its paragraphs and lines, each of them plain."""
    lines = (jira(one, limit) for one in text[:limit].replace("\r\n", "\n").split("\n"))
    return Raw("\n".join(_BEGINS.sub(rf"\1{JOINER}.", one, count=1) if _BEGINS.match(one) else one for one in lines))


_ADDRESS: Final = re.compile(r"https?://[^\s<>()\[\]{}|\"'\\^`]{1,1000}")


def gitlab_link(text: str, url: str) -> Raw:
    """Return a link, or the text alone when `url` is no plain address."""
    return Raw(f"[{gitlab(text)}]({url})") if _ADDRESS.fullmatch(url) else gitlab(text)


def jira_link(text: str, url: str) -> Raw:
    """Return a link, or the text alone when `url` is no plain address."""
    return Raw(f"[{jira(text)}|{url}]") if _ADDRESS.fullmatch(url) else jira(text)


_PICTURE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,250}\.png")


def jira_thumbnail(filename: str) -> Raw:
    """Return what shows a picture that we attached to the ticket; nothing when the name is none of ours."""
    return Raw(f"!{filename}|thumbnail!" if _PICTURE.fullmatch(filename) else "")


_UPLOAD: Final = re.compile(r"!?\[[A-Za-z0-9 ._-]{0,100}\]\(/[A-Za-z0-9/._-]{1,300}\)")


def upload(markdown: str) -> Raw | None:
    """Return the Markdown that GitLab gave for an upload of ours; None when it is anything else."""
    return Raw(markdown) if _UPLOAD.fullmatch(markdown) else None
