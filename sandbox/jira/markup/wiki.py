"""Parse Jira's wiki markup into a small tree. Knows what people and our bot write; all else stays as text.

The tree is made of blocks with inlines; `markup_html` turns it into what is shown.
Source: Jira's text formatting notation help page.
"""

import re
from dataclasses import dataclass
from typing import Final

INLINE: Final = re.compile(
    r"""
    \\(?P<escaped>[*_\-+{}\[\]!|~^?\\])
  | \{\{(?P<mono>.+?)\}\}
  | \[~(?:accountid:)?(?P<mention>[^\]\s]+)\]
  | \[(?:(?P<label>[^\]|\n]+)\|)?(?P<url>(?:https?://|mailto:|/|\#)[^\]\s|]*)\]
  | (?P<bare>https?://[^\s\]|<>"']+[^\s\]|<>"'.,;:!?)])
  | !(?P<image>[^\s!|]+)(?:\|[^!\n]*)?!
  | \{color(?::[^}\n]*)?\}
  | (?<![\w*])\*(?P<strong>\S(?:[^*\n]*[^\s*])?)\*(?![\w*])
  | (?<![\w_])_(?P<em>\S(?:[^_\n]*[^\s_])?)_(?![\w_])
  | (?<![\w-])-(?P<strike>\S(?:[^\n-]*[^\s-])?)-(?![\w-])
  | (?<![\w+])\+(?P<underline>\S(?:[^+\n]*[^\s+])?)\+(?![\w+])
    """,
    re.VERBOSE,
)
_ESCAPED: Final = re.compile(r"\\([*_\-+{}\[\]!|~^?\\])")
MARKS: Final = ("strong", "em", "strike", "underline")
DEEPEST: Final = 6
"""Marks inside marks; deeper ones stay text."""


@dataclass(frozen=True, kw_only=True)
class Text:
    """A run of text with its marks: `strong`, `em`, `strike`, `underline`, `code`."""

    text: str
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Link:
    """A link."""

    text: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Mention:
    """A user, by account id or by name."""

    user: str


@dataclass(frozen=True, kw_only=True)
class Image:
    """A picture that is attached to the issue, or an address."""

    source: str


@dataclass(frozen=True, kw_only=True)
class Break:
    """A new line inside a paragraph."""


Inline = Text | Link | Mention | Image | Break


@dataclass(frozen=True, kw_only=True)
class Paragraph:
    """Text."""

    inlines: tuple[Inline, ...]


@dataclass(frozen=True, kw_only=True)
class Heading:
    """`h1.` to `h6.`."""

    level: int
    inlines: tuple[Inline, ...]


@dataclass(frozen=True, kw_only=True)
class Code:
    """`{code}` or `{noformat}`."""

    text: str
    language: str = ""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """`----`."""


@dataclass(frozen=True, kw_only=True)
class Quote:
    """`{quote}`, `{panel}` or `bq.`."""

    blocks: "tuple[Block, ...]"


@dataclass(frozen=True, kw_only=True)
class Item:
    """One entry of a list, with the lists below it."""

    inlines: tuple[Inline, ...]
    below: "tuple[List, ...]" = ()


@dataclass(frozen=True, kw_only=True)
class List:
    """A list."""

    ordered: bool
    items: tuple[Item, ...]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A cell of a table."""

    inlines: tuple[Inline, ...]
    head: bool


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table."""

    rows: tuple[tuple[Cell, ...], ...]


Block = Paragraph | Heading | Code | Rule | Quote | List | Table

_FENCE = re.compile(r"\{(code|noformat|quote|panel)(?::([^}\n]*))?\}")
_ITEM = re.compile(r"([*#-]{1,6}) +(\S.*)")
_HEADING = re.compile(r"h([1-6])\. *(.*)")


def parse(text: str) -> tuple[Block, ...]:
    """Return the blocks of a text."""
    return tuple(_Parser(text.replace("\r\n", "\n").replace("\r", "\n").split("\n")).blocks())


def inlines(text: str, marks: tuple[str, ...] = ()) -> tuple[Inline, ...]:
    """Return the inlines of one line or cell."""
    found: list[Inline] = []
    end = 0
    for match in INLINE.finditer(text):
        found += _plain(text[end : match.start()], marks)
        found += _inline(match, marks)
        end = match.end()
    return tuple(found + _plain(text[end:], marks))


def _plain(text: str, marks: tuple[str, ...]) -> list[Inline]:
    return [Text(text=text, marks=marks)] if text else []


def _inline(match: re.Match[str], marks: tuple[str, ...]) -> list[Inline]:  # noqa: PLR0911 - one for each kind
    kind = match.lastgroup or ""
    value = match[kind] if kind else ""
    if kind in MARKS:
        return list(inlines(value, (*marks, kind))) if len(marks) < DEEPEST else _plain(match[0], marks)
    match kind:
        case "escaped":
            return _plain(value, marks)
        case "mono":
            return [Text(text=_ESCAPED.sub(r"\1", value), marks=(*marks, "code"))]
        case "mention":
            return [Mention(user=value)]
        case "url":
            return [Link(text=_ESCAPED.sub(r"\1", match["label"] or value), url=value)]
        case "bare":
            return [Link(text=value, url=value)]
        case "image":
            return [Image(source=value)]
    return []  # {color}: its text is kept, its colour isn't


class _Parser:
    """Reads lines from the top."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._at = 0

    def blocks(self) -> list[Block]:
        """Read all blocks."""
        found: list[Block] = []
        while self._at < len(self._lines):
            line = self._lines[self._at].strip()
            fence = _FENCE.match(line)
            heading = _HEADING.fullmatch(line)
            if not line:
                self._at += 1
            elif fence:
                found.append(self._fenced(fence[1], fence[2] or ""))
            elif heading:
                self._at += 1
                found.append(Heading(level=int(heading[1]), inlines=inlines(heading[2])))
            elif re.fullmatch(r"-{4,}", line):
                self._at += 1
                found.append(Rule())
            elif line.startswith("bq. "):
                self._at += 1
                found.append(Quote(blocks=(Paragraph(inlines=inlines(line[4:])),)))
            elif line.startswith("|"):
                found.append(self._table())
            elif _ITEM.fullmatch(line):
                found.append(self._list())
            else:
                found.append(self._paragraph())
        return found

    def _fenced(self, name: str, options: str) -> Block:
        """Read up to the closing macro; without one, to the end."""
        rest = "\n".join(self._lines[self._at :])
        start = _FENCE.search(rest)
        begin = start.end() if start else 0
        close = rest.find(f"{{{name}}}", begin)
        inside = rest[begin:] if close < 0 else rest[begin:close]
        after = "" if close < 0 else rest[close + len(name) + 2 :]
        self._lines, self._at = after.split("\n"), 0
        if name in {"code", "noformat"}:
            first = options.partition("|")[0]
            return Code(text=inside.strip("\n"), language="" if "=" in first else first)
        return Quote(blocks=parse(inside) if "{" + name not in inside else (Paragraph(inlines=inlines(inside)),))

    def _table(self) -> Table:
        rows: list[tuple[Cell, ...]] = []
        while self._at < len(self._lines) and self._lines[self._at].strip().startswith("|"):
            line = self._lines[self._at].strip()
            # A bar inside of a link or of a macro does not end a cell.
            parts = re.findall(r"(\|\|?)((?:\[[^\]]*\]|\{\{.*?\}\}|[^|])*)", line)
            cells = tuple(Cell(inlines=inlines(text.strip()), head=bar == "||") for bar, text in parts if text.strip())
            rows.append(cells)
            self._at += 1
        return Table(rows=tuple(row for row in rows if row))

    def _list(self) -> List:
        entries: list[tuple[str, str]] = []
        while self._at < len(self._lines) and (match := _ITEM.fullmatch(self._lines[self._at].strip())):
            entries.append((match[1], match[2]))
            self._at += 1
        return _nested(entries, 1)

    def _paragraph(self) -> Paragraph:
        lines: list[str] = []
        while self._at < len(self._lines):
            line = self._lines[self._at].strip()
            if not line or (lines and (_HEADING.fullmatch(line) or _ITEM.fullmatch(line) or _FENCE.match(line))):
                break
            lines.append(line)
            self._at += 1
        found: list[Inline] = []
        for index, line in enumerate(lines):
            found += [Break()] if index else []
            found += inlines(line)
        return Paragraph(inlines=tuple(found))


def _nested(entries: list[tuple[str, str]], depth: int) -> List:
    """Make a list of the entries, whose bullets are at least `depth` long; longer ones are below the one before."""
    items: list[Item] = []
    index = 0
    while index < len(entries):
        below = index + 1
        while below < len(entries) and len(entries[below][0]) > depth:
            below += 1
        children = (_nested(entries[index + 1 : below], depth + 1),) if below > index + 1 else ()
        items.append(Item(inlines=inlines(entries[index][1]), below=children))
        index = below
    return List(ordered=entries[0][0][min(depth, len(entries[0][0])) - 1] == "#", items=tuple(items))
