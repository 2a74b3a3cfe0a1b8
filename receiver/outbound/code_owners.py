"""Read CODEOWNERS by GitLab's rules and say who owns files. Pure; resolves no name. Never fails: odd lines own nothing.

GitLab acts on the file in paid tiers only; we read it ourselves. Packages that parse it follow GitHub, where the last
match of the whole file wins; in GitLab each section has its own. Source: doc/user/project/codeowners/reference.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import Enum
from fnmatch import fnmatchcase
from typing import Final

from msgspec import Struct

PLACES: Final = ("CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
"""Where GitLab looks for the file, in its order; the first one counts."""

MAX_RULES: Final = 2_000
"""Lines that are read; the file is the repository's, and matching takes time."""

_HEADER: Final = re.compile(r"\^?\[(?P<name>[^\]\n]+)\](?:\[\d*\])?(?:\s+(?P<owners>.*))?")
"""`[Name]`, `^[Optional]`, `[Name][2] @default @owners`."""

_OWNER: Final = re.compile(r"@@?[A-Za-z0-9_][A-Za-z0-9_.+/-]{0,254}|[^\s@]{1,100}@[^\s@]{1,100}")
"""`@user`, `@group/subgroup`, `@@role`, an e-mail address."""


class Kind(Enum):
    """What a rule does with the files that it matches."""

    OWNED = "owned"
    EXCLUDED = "excluded"
    """`!pattern`: nobody owns them in this section, whatever comes after."""


class Rule(Struct, frozen=True, kw_only=True):
    """A line of the file."""

    kind: Kind
    pattern: tuple[str, ...]
    """By folder; `**` stands for any number of them."""
    owners: tuple[str, ...]


def owners_of(text: str, paths: Iterable[str]) -> tuple[str, ...]:
    """Return who owns these files, as written; those of the most files first."""
    sections = _sections(text)
    counts: dict[str, int] = {}
    for path in paths:
        parts = path.split("/")
        owners = (owner for rules in sections for owner in _owners(rules, parts))
        for owner in dict.fromkeys(owners):
            counts[owner] = counts.get(owner, 0) + 1
    return tuple(sorted(counts, key=lambda owner: -counts[owner]))  # stable: as in the file otherwise


def _owners(rules: Sequence[Rule], parts: list[str]) -> tuple[str, ...]:
    if any(rule.kind is Kind.EXCLUDED and _matches(rule.pattern, parts) for rule in rules):
        return ()
    owned = (rule for rule in reversed(rules) if rule.kind is Kind.OWNED)
    return next((rule.owners for rule in owned if _matches(rule.pattern, parts)), ())


def _sections(text: str) -> list[list[Rule]]:
    """Return the rules by section; what stands before the first heading is a section too, and names are of one case."""
    sections: dict[str, list[Rule]] = {"": []}
    rules, defaults = sections[""], ()
    for line in map(str.strip, text.splitlines()[:MAX_RULES]):
        if not line or line.startswith("#"):
            continue
        header = _HEADER.fullmatch(line)
        if header:
            rules = sections.setdefault(header["name"].strip().casefold(), [])
            defaults = tuple(_OWNER.findall(header["owners"] or ""))
            continue
        pattern, *rest = re.split(r"(?<!\\)\s+", line, maxsplit=1)
        kind = Kind.EXCLUDED if pattern.startswith("!") else Kind.OWNED
        owners = tuple(_OWNER.findall(rest[0])) if rest else defaults
        rules.append(Rule(kind=kind, pattern=_pattern(pattern.removeprefix("!")), owners=owners))
    return list(sections.values())


def _pattern(text: str) -> tuple[str, ...]:
    """Return a pattern by folder: a relative one matches at any depth, one that ends with a slash all that is below."""
    if text == "*":
        return ("**", "*")
    anchored = text if text.startswith("/") else f"/**/{text}"
    whole = f"{anchored}**/*" if anchored.endswith("/") else anchored
    return tuple(_segment(part) for part in whole[1:].split("/"))


def _segment(part: str) -> str:
    r"""Return a folder's pattern as fnmatch has it: `\#` and `\ ` are escapes there, and `[^x]` is `[!x]`."""
    escaped = re.sub(r"\\(.)", lambda found: f"[{found[1]}]" if found[1] in "*?[" else found[1], part)
    return escaped.replace("[^", "[!")


def _matches(pattern: tuple[str, ...], parts: list[str]) -> bool:
    """Match folder by folder; takes time in proportion to both lengths, whatever the pattern is."""
    last = len(pattern) - 1
    places = _skipping({0}, pattern)
    for part in parts:
        stepped: set[int] = set()
        for place in places:
            if place > last:
                continue
            if pattern[place] == "**" and place != last:
                stepped.add(place)
            elif fnmatchcase(part, pattern[place]):
                stepped.add(place + 1)
        places = _skipping(stepped, pattern)
    return last + 1 in places


def _skipping(places: set[int], pattern: tuple[str, ...]) -> set[int]:
    """Return the places with those behind each `**`, which may stand for no folder at all."""
    found = set(places)
    for place in sorted(places):
        at = place
        while at < len(pattern) - 1 and pattern[at] == "**":
            at += 1
            found.add(at)
    return found
