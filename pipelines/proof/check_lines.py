"""Reduce what a check printed to the lines that a report tells. Pure; the text is untrusted."""

from __future__ import annotations

from pipelines.language.suites import MAX_LINE, MAX_LINES
from pipelines.language.terminal_colours import without_colours


def telling_lines(output: str) -> tuple[str, ...]:
    """Return the first and the last lines that say something: linters begin with findings and end with a sum."""
    lines = [line for line in output.splitlines() if line.strip()]
    if len(lines) > MAX_LINES:
        lines = [*lines[: MAX_LINES // 2], *lines[-MAX_LINES // 2 :]]
    return tuple(line for raw in lines if (line := one_line(raw)))


def one_line(text: str) -> str:
    """Return text as one line without colours and control characters, of bounded length."""
    plain = without_colours(text[: 4 * MAX_LINE])
    return " ".join("".join(one if one.isprintable() else " " for one in plain).split())[:MAX_LINE]
