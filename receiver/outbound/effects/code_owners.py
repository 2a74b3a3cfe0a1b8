"""Read CODEOWNERS by GitLab's rules and say who owns files. Pure; resolves no name. Never fails: odd lines own nothing.

GitLab acts on the file in paid tiers only; we read it ourselves. Packages that parse it follow GitHub, where the last
match of the whole file wins; in GitLab each section has its own. Source: doc/user/project/codeowners/reference.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import Enum
from fnmatch import translate
from typing import Final

from msgspec import Struct

PLACES: Final = ("CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
"""Where GitLab looks for the file, in its order; the first one counts."""

MAX_RULES: Final = 2_000
"""Lines that are read; the file is the repository's, and matching takes time."""

MAX_LINE: Final = 2_000
"""Characters of a line that is read."""

_HEADER: Final = re.compile(r"\^?\[(?P<name>[^\]\n]*)\](?:\[\d*\])?(?P<owners>\s[@\w.\-/\s+]*)?", re.ASCII)
"""`[Name]`, `^[Optional]`, `[Name][2] @default @owners`: a heading whatever follows, as in GitLab."""

_DEFAULT: Final = "codeowners"
"""GitLab's name of the section of what stands before the first heading."""

_BLANK: Final = " \t\n\v\f\r\0"
"""What Ruby takes off both ends of a line; it ends with a line feed only."""

_SEPARATOR: Final = re.compile(r"(?<!\\)\s+", re.ASCII)

_OWNER: Final = re.compile(r"@@?[A-Za-z0-9_][A-Za-z0-9_.+/-]{0,254}")
"""`@user`, `@group/subgroup`, `@@role`."""

_ADDRESS: Final = re.compile(r"[^\s@]{1,100}@[^\s@]{1,100}")
"""An e-mail address; only a whole word is one."""


class Kind(Enum):
    """What a rule does with the files that it matches."""

    OWNED = "owned"
    EXCLUDED = "excluded"
    """`!pattern`: nobody owns them in this section, whatever comes after."""


class Segment(Struct, frozen=True, kw_only=True):
    """What a pattern says of one folder or file, compiled once."""

    name: str | None = None
    """Only this one; None: the pattern says which."""
    pattern: re.Pattern[str] | None = None
    """None as well: any."""

    def fits(self, part: str) -> bool:
        """Return whether a folder's name fits."""
        if self.pattern is not None:
            return self.pattern.match(part) is not None
        return self.name is None or self.name == part


ANY: Final = Segment()
"""`**`: any number of folders."""


class Rule(Struct, frozen=True, kw_only=True):
    """A line of the file."""

    kind: Kind
    pattern: tuple[Segment, ...]
    """By folder."""
    owners: tuple[str, ...]


class Owners(Struct, frozen=True, kw_only=True):
    """Who owns some files by a CODEOWNERS."""

    names: tuple[str, ...]
    """As written; those of the most files first."""
    skipped: int = 0
    """Lines that were not read: too long, or too many before them."""

    @property
    def remark(self) -> str:
        """Return what people should know of how the file was read, empty when it was read to its end."""
        if not self.skipped:
            return ""
        lines = "1 line" if self.skipped == 1 else f"{self.skipped:,} lines"
        return (
            f"CODEOWNERS was not read in full: {lines} skipped, "
            f"of more than {MAX_LINE:,} characters or after the first {MAX_RULES:,}."
        )


def owners_of(text: str, paths: Iterable[str]) -> Owners:
    """Return who owns these files."""
    lines = text.split("\n")
    lines = lines if lines[-1] else lines[:-1]
    read = [line for line in lines[:MAX_RULES] if len(line) <= MAX_LINE]
    sections = _sections(read)
    counts: dict[str, int] = {}
    for path in paths:
        parts = path.split("/")
        owners = (owner for rules in sections for owner in _owners(rules, parts))
        for owner in dict.fromkeys(owners):
            counts[owner] = counts.get(owner, 0) + 1
    names = tuple(sorted(counts, key=lambda owner: -counts[owner]))  # stable: as in the file otherwise
    return Owners(names=names, skipped=len(lines) - len(read))


def _owners(rules: Sequence[Rule], parts: list[str]) -> tuple[str, ...]:
    if any(rule.kind is Kind.EXCLUDED and _matches(rule.pattern, parts) for rule in rules):
        return ()
    owned = (rule for rule in reversed(rules) if rule.kind is Kind.OWNED)
    return next((rule.owners for rule in owned if _matches(rule.pattern, parts)), ())


def _named(text: str) -> tuple[str, ...]:
    """Return the owners that a line names."""
    words = [word for word in text.split() if "@" in word]
    return tuple(name for word in words for name in ([word] if _ADDRESS.fullmatch(word) else _OWNER.findall(word)))


def _sections(lines: Iterable[str]) -> list[list[Rule]]:
    """Return the rules by section; what stands before the first heading is a section too, and names are of one case.

    A pattern that a section has twice keeps its first place and gets the last owners.
    """
    sections: dict[str, dict[tuple[Kind, str], Rule]] = {_DEFAULT: {}}
    rules = sections[_DEFAULT]
    defaults: tuple[str, ...] = ()
    for line in (one.strip(_BLANK) for one in lines):
        if not line or line.startswith("#"):
            continue
        header = _HEADER.match(line)
        if header:
            rules = sections.setdefault(header["name"].casefold(), {})
            defaults = _named(header["owners"] or "")
            continue
        written, *rest = _SEPARATOR.split(line, maxsplit=1)
        kind = Kind.EXCLUDED if written.startswith("!") else Kind.OWNED
        owners = _named(rest[0]) if rest else defaults
        pattern = _normal(written.removeprefix("!"))
        rules[kind, pattern] = Rule(kind=kind, pattern=_pattern(pattern), owners=owners)
    return [list(one.values()) for one in sections.values()]


def _normal(text: str) -> str:
    """Return a pattern from the root: a relative one matches at any depth, one that ends with a slash all below."""
    anchored = text if text.startswith("/") else f"/**/{text}"
    return f"{anchored}**/*" if anchored.endswith("/") else anchored


def _pattern(normal: str) -> tuple[Segment, ...]:
    """Return a pattern by folder."""
    *folders, name = normal[1:].split("/")
    # one after the other, they say no more than one
    kept = [part for number, part in enumerate(folders) if part != "**" or folders[number - 1 : number] != ["**"]]
    return (*(ANY if part == "**" else _segment(part) for part in kept), _segment(name))


def _segment(part: str) -> Segment:
    r"""Return a folder's pattern as fnmatch has it: `\#` and `\ ` are escapes there, and `[^x]` is `[!x]`.

    `fnmatch.translate` writes each `*` so that it never goes back: matching takes time in proportion to the name.
    """
    escaped = _ESCAPED.sub(lambda found: f"[{found[1]}]" if found[1] in "*?[" else found[1], part)
    if not _WILD.search(escaped):
        return Segment(name=escaped)
    head, bracket, tail = escaped.rpartition("]")
    closed = head + bracket + tail.replace("[", "[[]")  # fnmatch looks for the end of each set to the end of the text
    return Segment(pattern=re.compile(translate(closed.replace("[^", "[!"))))


_ESCAPED: Final = re.compile(r"\\(.)")
_WILD: Final = re.compile(r"[*?\[]")


def _matches(pattern: tuple[Segment, ...], parts: list[str]) -> bool:
    """Match folder by folder; takes time in proportion to both lengths, whatever the pattern is."""
    if sum(segment is not ANY for segment in pattern) > len(parts):
        return False  # each of them needs a folder of its own
    places = _skipping({0}, pattern)
    for part in parts:
        fitting = (place for place in places if place < len(pattern) and pattern[place].fits(part))
        places = _skipping({place if pattern[place] is ANY else place + 1 for place in fitting}, pattern)
    return len(pattern) in places


def _skipping(places: set[int], pattern: tuple[Segment, ...]) -> set[int]:
    """Return the places with the one behind each `**`, which may stand for no folder at all."""
    return places | {place + 1 for place in places if place < len(pattern) and pattern[place] is ANY}
