"""A job's log as HTML: terminal colours become classes, everything else is escaped."""

import re
from typing import Final

from markupsafe import Markup, escape

_SEQUENCE: Final = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])")
_SECTION: Final = re.compile(r"section_(?:start|end):\d+:[\w.-]+(?:\[[^\]]*\])?\r")
_COLOURS: Final = {"31": "red", "32": "green", "33": "yellow", "34": "blue", "35": "magenta", "36": "cyan"}


def lines(log: str) -> list[Markup]:
    """Give the log line by line; a carriage return overwrites what stood before it."""
    colour, bold = "", False
    found = []
    for raw in _SECTION.sub("", log).split("\n"):
        text = raw.rstrip("\r").rpartition("\r")[2]
        html, at = Markup(), 0
        for match in _SEQUENCE.finditer(text):
            html += _span(text[at : match.start()], colour, bold=bold)
            at = match.end()
            if match[2] == "m":
                for code in match[1].split(";"):
                    if code in {"", "0"}:
                        colour, bold = "", False
                    elif code == "1":
                        bold = True
                    else:
                        colour = _COLOURS.get(code, colour)
        found.append(html + _span(text[at:], colour, bold=bold))
    return found


def _span(text: str, colour: str, *, bold: bool) -> Markup:
    if not text:
        return Markup()
    classes = " ".join(filter(None, (colour, "bold" if bold else "")))
    return Markup('<span class="{}">{}</span>').format(classes, text) if classes else escape(text)
