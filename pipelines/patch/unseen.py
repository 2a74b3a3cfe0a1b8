"""What a reader of a change does not see: characters without a picture, code far to the right, look-alikes. Pure.

https://trojansource.codes: marks of direction show code in another order than it runs in. In data of tests, and where a
script or an emoji needs such a character, it is let pass or remarked.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from pipelines.patch.changed import Changed
from pipelines.patch.dependencies import is_lock_file
from pipelines.patch.display_name import shown
from pipelines.patch.kinds import is_test
from pipelines.patch.lines import compare

MOST_BLANKS: Final = 200
"""Blanks in one place of a line, after which nobody looks for code."""
LONG_LINE: Final = 1_000
"""Characters of a line that is remarked: a reader has to scroll."""
_TEXTS: Final = frozenset(
    {
        *(
            "json",
            "jsonl",
            "json5",
            "csv",
            "tsv",
            "txt",
            "xml",
            "html",
            "htm",
            "svg",
            "md",
            "yml",
            "yaml",
            "snap",
            "ambr",
        ),
        *(
            "po",
            "pot",
            "xlf",
            "xliff",
            "properties",
            "resx",
            "strings",
            "arb",
            "ftl",
            "ini",
            "sql",
            "log",
            "eml",
            "ics",
        ),
    }
)
"""Endings of files that hold data, documents or translations rather than code."""

_DIRECTION: Final = "\u202a-\u202e\u2066-\u2069"
_MARKS: Final = "\u200e\u200f\u061c"
_JOINERS: Final = "\u200c\u200d"
_VARIATIONS: Final = "\ufe00-\ufe0f\U000e0100-\U000e01ef\u180b-\u180f"
_TAGS: Final = "\U000e0000-\U000e007f"
_OTHERS: Final = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u200b\u2060-\u2065\u206a-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffb"
)
_CONTROLS: Final = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029"
_UNSEEN: Final = re.compile(
    f"[{_DIRECTION}{_MARKS}{_JOINERS}{_VARIATIONS}{_TAGS}{_OTHERS}{_CONTROLS}\U0001bca0-\U0001bca3\U0001d173-\U0001d17a]"
    r"|\r(?!\Z)"
)
_STEERING: Final = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
"""Marks of direction: each new line with one is told, whatever stood there before."""
_NEEDED: Final = re.compile(
    rf"""(?<=[\d#*\u203c-\u2bff\u3000-\u303f\u3200-\u32ff\U0001f000-\U0001faff])[\ufe0e\ufe0f](?![{_VARIATIONS}])
    | (?<=[\u2600-\u27bf\ufe0f\U0001f300-\U0001faff])\u200d(?=[\u2190-\u2bff\U0001f300-\U0001faff])
    | (?<=\U0001f3f4)[\U000e0061-\U000e007a]{{2,6}}\U000e007f
    | (?<=[\u0600-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u18aa])[{_JOINERS}]
      (?=[\u0600-\u08ff\u0900-\u0dff\u1000-\u109f])
    | ^\x0c(?=\r?\Z)""",
    re.VERBOSE,
)
"""Emoji, flags, letters of scripts that join, and a form feed on a line of its own."""
_RIGHT_TO_LEFT: Final = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_OVERRIDES: Final = frozenset("\u202d\u202e")
_BLANKS: Final = re.compile(rf"[^\S\n]{{{MOST_BLANKS},}}(?=\S)")
_LOOK_ALIKE: Final = re.compile(
    "[\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0408\u0405"
    "\u03bf\u03bd\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
    "\uff21-\uff3a\uff41-\uff5a]"
)
_ASCII: Final = re.compile("[A-Za-z]")
_WORD: Final = re.compile(r"\w{1,200}")
_MOST: Final = 5
"""Sentences about one file."""


def unseen(changed: Sequence[Changed]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what is refused and what is remarked of the added lines, a sentence each."""
    refused: list[str] = []
    remarked: list[str] = []
    for one in changed:
        faults, remarks = _of_file(one)
        refused += faults[:_MOST]
        remarked += remarks[:_MOST]
    return tuple(refused), tuple(remarked)


def looks_like_ascii(name: str) -> str:
    """Return the first word of a name in which ASCII letters stand beside others that look the same; empty: none."""
    return next((word for word in _WORD.findall(name) if _LOOK_ALIKE.search(word) and _ASCII.search(word)), "")


def _of_file(one: Changed) -> tuple[list[str], list[str]]:
    if not one.after:
        return [], []
    name, lines = shown(one.path), one.after.split("\n")
    is_text = one.path.rpartition(".")[2].lower() in _TEXTS
    is_test_data = is_text and is_test(one.path)
    gone = set(one.before.split("\n")) - set(lines)
    before = {character for line in gone for character in _found(line)} - _STEERING
    refused: list[str] = []
    remarked: list[str] = []
    for number in compare(one.before, one.after).added:
        line = lines[number - 1]
        found = _found(line.removeprefix("\ufeff") if number == 1 else line)
        if character := next((each for each in found if each not in before), ""):
            sentence = f"{name} gets {_named(character)} in line {number}, which no reader sees"
            if is_test_data or (is_text and _RIGHT_TO_LEFT.search(line) and character not in _OVERRIDES):
                remarked.append(f"{sentence}.")
            else:
                refused.append(f"{sentence}; write it as an escape, or take it out.")
        if _BLANKS.search(line):
            sentence = f"{name} goes on behind {MOST_BLANKS} blanks or more in line {number}"
            (remarked if is_test_data else refused).append(f"{sentence}; nobody looks for more there.")
        if len(line) > LONG_LINE and not is_lock_file(one.path):
            remarked.append(f"{name} gets a line of {len(line)} characters (line {number}); read it to its end.")
        if word := looks_like_ascii(line):
            remarked.append(f"{name} mixes look-alike letters of two scripts in {shown(word)} (line {number}).")
    return refused, remarked


def _found(line: str) -> list[str]:
    return _UNSEEN.findall(_NEEDED.sub("", line))


def _named(character: str) -> str:
    name = unicodedata.name(character, "a control character")
    return f"U+{ord(character):04X} ({name.lower()})"
