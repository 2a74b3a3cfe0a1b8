"""A Dockerfile with its variables replaced by what they hold. Pure.

https://docs.docker.com/reference/dockerfile/#understand-how-arg-and-from-interact: `FROM` sees the arguments that stand
before the first one, a stage those that it declares itself.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Final
from urllib.parse import quote

_ASSIGNED: Final = re.compile(r"([A-Za-z_]\w*)(?:=(\"[^\"]*\"|'[^']*'|\S*))?")
_ONBUILD: Final = re.compile(r"\s*ONBUILD\s", re.IGNORECASE)
_INSTRUCTION: Final = re.compile(r"\s*(?:ONBUILD\s+)?(ARG|ENV|FROM)\s+(.*)", re.IGNORECASE | re.DOTALL)
_VARIABLE: Final = re.compile(r"\$(?:(\w+)|\{(\w+)(?::?([-+?])([^{}]*)|([^\w{}][^{}]*))?\})")
_HIDDEN: Final = str.maketrans("${}", "\ue000\ue001\ue002")
"""What is in the place of a variable is not read again as one, and hides none that is around it."""
_SHOWN: Final = str.maketrans("\ue000\ue001\ue002", "${}")
_DEEPEST: Final = 10
"""Variables in each other's braces."""
_LONGEST: Final = 2_000
"""Characters by which variables may make a line longer: each may double what the one before holds."""


_ESCAPE: Final = re.compile(r"(?:#[ \t]*\w+[ \t]*=.*\n)*#[ \t]*escape[ \t]*=[ \t]*`", re.IGNORECASE)
_COMMENT: Final = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
"""It goes on in no other line, whatever it ends with."""
_LINE_ENDS: Final = {escape: re.compile(rf"{re.escape(escape)}[ \t]*\n(?:[ \t]*(?:#.*)?\n)*") for escape in ("\\", "`")}
"""Where an instruction goes on in another line: blank lines and comments between are left out."""


def instructions(text: str) -> list[str]:
    """Return the lines of a Dockerfile, each with those in which it goes on."""
    ends = _LINE_ENDS["`" if _ESCAPE.match(text) else "\\"]
    return ends.sub(" ", _COMMENT.sub(lambda comment: comment[0].rstrip("\\` \t"), text)).split("\n")


def expanded(lines: list[str]) -> list[str]:
    """Return the lines of a Dockerfile with the values of its arguments in the place of their names."""
    outside: dict[str, str] = {}
    later: dict[str, str] = {}
    inside: dict[str, str] | None = None
    found = []
    for line in lines:
        instruction = _INSTRUCTION.match(line)
        word = instruction[1].upper() if instruction else ""
        known = outside if word == "FROM" or inside is None else inside
        if _ONBUILD.match(line):  # for builds upon this image, which see none of its arguments
            known = later
        text = _filled(line, known)
        found.append(text)
        if word == "FROM":
            inside = {}
        elif instruction and word and (assigned := _INSTRUCTION.match(text)):
            for name, value in _assigned(word, assigned[2]):
                known[name] = outside.get(name, "") if value is None else value
    return found


def _assigned(word: str, text: str) -> list[tuple[str, str | None]]:
    """Return names and values; None for an argument that is only declared."""
    name, blank, rest = text.partition(" ")
    if word == "ENV" and blank and "=" not in name:  # the old form, with a blank
        return [(name, rest.strip())]
    return [
        (match[1], None if match[2] is None else match[2].strip("\"'"))
        for match in _ASSIGNED.finditer(text)
        if match[2] is not None or word == "ARG"
    ]


def _filled(line: str, known: dict[str, str]) -> str:
    """Return a line with its variables replaced, the innermost first; as it is where that makes it too long."""
    text = line
    for _ in range(_DEEPEST):
        before, text = text, _VARIABLE.sub(partial(_value, known), text)
        if len(text) > _LONGEST + len(line):
            return line
        if text == before:
            break
    return text.translate(_SHOWN)


def _value(known: dict[str, str], match: re.Match[str]) -> str:
    name, sign, other, modifier = match[1] or match[2], match[3], match[4] or "", match[5]
    value = known.get(name)
    if modifier:  # such as `%` and `/`: it is not applied, but whatever changes shows
        found = f"{value or f'${name}'}{quote(modifier, safe='')}"
    elif sign == "+":
        found = other if value else ""
    else:
        found = value or (other if sign == "-" else f"${{{name}}}" if sign else match[0])
    return found.translate(_HIDDEN)
