"""Escape untrusted text for GitLab's Markdown and Jira's wiki markup. Performs no I/O; renders nothing.

Escaped text looks as it was written and triggers nothing: no quick action, mention, cross-reference, closing pattern,
link, image, macro or HTML.
"""

from __future__ import annotations

import re
from typing import Final

MARKER: Final = "bug-fix:run="
"""Stands in each of our notes, followed by the run's id: identifies the note, and tells it from people's notes."""

GITLAB_MARKER: Final = f"<!-- {MARKER}"

LIMIT: Final = 600
"""Default length of one untrusted text, in characters."""

_INVISIBLE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
"""Control, bidirectional and zero-width characters."""

JOINER: Final = "\u2060"
"""Word joiner: invisible, and stops a renderer from recognising a reference."""


class Raw(str):
    """Trusted markup, inserted without escaping."""

    __slots__ = ()


class Line(str):
    """One line of untrusted text that is cut already: escaping does not cut it again."""

    __slots__ = ()


def line(text: str, limit: int = LIMIT) -> Line:
    """Return text as one line of visible characters, cut to `limit`.

    Without line breaks, nothing in it can act at the start of a line: quick actions, headings, lists, fences.
    """
    visible = _INVISIBLE.sub("", " ".join(text[: 4 * limit].split()))
    short = visible if len(visible) <= limit else f"{visible[: limit - 1].rstrip()}…"
    return Line(short.replace(MARKER, f"{MARKER[:-1]}{JOINER}="))  # otherwise the note would be taken for another run's


def sentence(text: str, limit: int = LIMIT) -> Line:
    """Return text as one line that ends in a full stop or similar, cut to `limit`."""
    short = line(text, limit)
    return short if not short or short[-1] in ".!?…" else Line(f"{short}.")


_JIRA_KEY: Final = re.compile(r"\b([A-Za-z][A-Za-z0-9_]+)-(?=[0-9])")
_REFERENCE: Final = re.compile(r"([@#!~%$&^*])(?=\S)")
"""Sigils of GitLab's references: users, issues, merge requests, labels, milestones, snippets, epics, alerts."""


def _inert(text: str) -> str:
    """Break addresses, mentions, references and ticket keys: renderers look for them after unescaping."""
    text = text.replace("://", f":{JOINER}//")
    text = re.sub(r"(?i)\b(www|mailto)([.:])", rf"\1{JOINER}\2", text)
    return _REFERENCE.sub(rf"\1{JOINER}", _JIRA_KEY.sub(rf"\1{JOINER}-", text))


_SKIP: Final = re.compile(r"(?i)\[(?=(?:ci[ _-]skip|skip[ _-]ci)\])")
"""With it in its message, a commit gets no pipeline (GitLab: lib/gitlab/ci/pipeline/chain/skip.rb)."""


def title(text: str, limit: int = 200) -> str:
    """Return untrusted text for a merge request's title and a commit's subject, which are plain text.

    GitLab still finds mentions, references, closing patterns and `[skip ci]` there; Jira finds keys and `#close`.
    """
    return _SKIP.sub(f"[{JOINER}", _inert(line(text, limit)))


_MARKDOWN: Final = {ord(c): f"\\{c}" for c in "\\`*_{}[]()#+!|~"} | {
    ord("<"): "&lt;",
    ord(">"): "&gt;",
    ord("&"): "&amp;",
}


_CODE: Final = re.compile(r"(?<!`)`([^`]{1,200})`(?!`)")


def gitlab(text: str, limit: int = LIMIT) -> Raw:
    """Return untrusted text for GitLab's Markdown, one line. Code in single backticks stays code."""
    prose_and_code = _CODE.split(line(text, limit))
    shown = [
        gitlab_code(part) if number % 2 and part.strip() else _inert(part).translate(_MARKDOWN)
        for number, part in enumerate(prose_and_code)
    ]
    # at the start of a line these begin a rule, a list or a heading
    return Raw(re.sub(r"^(?=[-=])", r"\\", "".join(shown)))


def gitlab_code(text: str, limit: int = 200) -> Raw:
    """Return untrusted text as a code span, with pipes escaped for tables."""
    inside = line(text, limit).replace("`", "'").replace("|", "\\|").strip()
    return Raw(f"`{inside}`") if inside else Raw("")


MOST_CODE: Final = 30_000
"""Characters of a block of code that are shown."""
_WIDEST: Final = 160
"""Characters of one of its lines; a longer one is continued, so that nothing stands where nobody scrolls to."""
_UNSEEN: Final = re.compile(rf"(?!\n){_INVISIBLE.pattern}")
_QUICK_ACTION: Final = re.compile(r"(?m)^([ \t]*)/(?=[A-Za-z])")


def gitlab_code_block(text: str, limit: int = MOST_CODE) -> Raw:
    """Return untrusted code as a block of it; empty for none. What readers can't see is named, `⟨U+202E⟩`."""
    if not text.strip():
        return Raw("")
    whole = text.replace("\r\n", "\n").expandtabs(4)
    named = _UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", whole[:limit])
    lines = [part for line in named.rstrip().split("\n") for part in _broken(line)]
    if len(whole) > limit:
        lines.append(f"… {len(whole) - limit} more characters; the whole file is among the files of the jobs")
    shown = _QUICK_ACTION.sub(rf"\1{JOINER}/", "\n".join(lines).replace(MARKER, f"{MARKER[:-1]}{JOINER}="))
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    return Raw(f"{fence}\n{shown}\n{fence}")


def _broken(line: str) -> list[str]:
    parts = [line[start : start + _WIDEST] for start in range(0, len(line), _WIDEST)] or [""]
    return [parts[0], *(f"↪ {part}" for part in parts[1:])]


_WIKI: Final = {ord(c): f"\\{c}" for c in "{}[]!*_^~+?|#"} | {ord("\\"): "&#92;"}
"""The backslash becomes an entity because a doubled one is a line break in Jira."""

_LOOSE_DASH: Final = re.compile(r"(?<![^\W_])-|-(?![^\W_])")
"""Hyphens that are not between letters or digits: `-struck out-`, `--`, `----`."""


_PLAIN_CODE: Final = re.compile(r"(?<!`)`([A-Za-z0-9_./:()='\", -]{1,80})`(?!`)")
"""Code of characters only that are harmless in wiki markup once escaped."""


def jira(text: str, limit: int = LIMIT) -> Raw:
    """Return untrusted text for Jira's wiki markup, one line. Plain code in single backticks becomes monospaced."""
    parts = enumerate(_PLAIN_CODE.split(line(text, limit)))
    return Raw("".join(f"{{{{{_jira(part)}}}}}" if number % 2 else _jira(part) for number, part in parts))


def _jira(text: str) -> str:
    text = text.replace("://", f":{JOINER}//")
    text = re.sub(r"(?i)\b(www|mailto)([.:])", rf"\1{JOINER}\2", text)
    return _LOOSE_DASH.sub(r"\\-", text.translate(_WIKI))


_BEGINS: Final = re.compile(r"(?i)(h[1-6]|bq)\.")
"""Starts a heading or a quote."""


def jira_text(text: str, limit: int = 4_000) -> Raw:
    """Return untrusted text for Jira's wiki markup; line breaks stay, each line is escaped."""
    lines = (jira(one, limit) for one in text[:limit].replace("\r\n", "\n").split("\n"))
    return Raw("\n".join(_BEGINS.sub(rf"\1{JOINER}.", one, count=1) if _BEGINS.match(one) else one for one in lines))


_ADDRESS: Final = re.compile(r"https?://[^\s<>()\[\]{}|\"'\\^`]{1,1000}")


def gitlab_link(text: str, url: str) -> Raw:
    """Return a link, or only the text if `url` is not a plain HTTP address."""
    return Raw(f"[{gitlab(text)}]({url})") if _ADDRESS.fullmatch(url) else gitlab(text)


def jira_link(text: str, url: str) -> Raw:
    """Return a link, or only the text if `url` is not a plain HTTP address."""
    return Raw(f"[{jira(text)}|{url}]") if _ADDRESS.fullmatch(url) else jira(text)


def gitlab_strong(text: str) -> Raw:
    """Return untrusted text in bold."""
    return Raw(f"**{gitlab(text)}**" if text.strip() else "")


def jira_code(text: str) -> Raw:
    """Return untrusted text in a monospaced font."""
    return Raw(f"{{{{{jira(text)}}}}}" if text.strip() else "")


def jira_strong(text: str) -> Raw:
    """Return untrusted text in bold."""
    return Raw(f"*{jira(text)}*" if text.strip() else "")


_PICTURE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,250}\.png")


def jira_thumbnail(filename: str) -> Raw:
    """Return the thumbnail of a picture attached to the ticket; empty if `filename` is not of the form we attach."""
    return Raw(f"!{filename}|thumbnail!" if _PICTURE.fullmatch(filename) else "")


_UPLOAD: Final = re.compile(r"!?\[[A-Za-z0-9 ._-]{0,100}\]\(/[A-Za-z0-9/._-]{1,300}\)")


def upload(markdown: str) -> Raw | None:
    """Return GitLab's Markdown for our upload as trusted markup; None if it has any other form."""
    return Raw(markdown) if _UPLOAD.fullmatch(markdown) else None
