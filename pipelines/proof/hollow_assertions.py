"""Find assertions that say nothing about an application: a constant, or a failure that is raised outright. Pure.

Reads one line of a test and runs nothing. A test can hide the same in a variable; such a test can't pass with any fix.
"""

from __future__ import annotations

import ast
import re

from pipelines.language import Framework

_SPEAKING = (ast.Name, ast.Call, ast.Await)
_LITERAL = r"""(?:true|false|null|undefined|-?\d[\d._]*|"[^"\n]*"|'[^'\n]*'|`[^`$]*`)"""
_HOLLOW_EXPECT = re.compile(rf"expect(?:\.soft)?\(\s*{_LITERAL}\s*(?:,[^)]*)?\)\s*(?:\.not\s*)?\.\s*$")
_HOLLOW_MATCHER = re.compile(rf"\w+\(\s*(?:{_LITERAL})?\s*\)")
_HOLLOW_ASSERT = re.compile(rf"(?:^|\W)(?:assert(?:\.ok)?\(\s*{_LITERAL}\s*[,)]|assert\.fail\(|throw\b)")


def hollow(test: bytes, *, framework: Framework, line: int, column: int = 0) -> str | None:
    """Say why the assertion at `line` (1-based; `column` too, where known) can't show anything; None: it can."""
    source = test.decode(errors="replace")
    if framework is Framework.PYTEST:
        return _hollow_python(source, line)
    lines = source.splitlines()
    if not 1 <= line <= len(lines):
        return None
    text, above = lines[line - 1], lines[: line - 1]
    before, after = "\n".join([*above, text[: max(0, column - 1)]]), text[max(0, column - 1) :]
    if _HOLLOW_EXPECT.search(before) and _HOLLOW_MATCHER.match(after):
        return "The assertion that failed compares constants; it says nothing about the application."
    if "expect" not in text and _HOLLOW_ASSERT.search(text):
        return "The test fails by itself instead of asserting what the application should do."
    return None


def _hollow_python(source: str, line: int) -> str | None:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return None
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assert | ast.Raise) or not node.lineno <= line <= (node.end_lineno or node.lineno):
            continue
        if isinstance(node, ast.Raise):
            return "The test raises its failure itself instead of asserting what the application should do."
        if not any(isinstance(part, _SPEAKING) for part in ast.walk(node.test)):
            return "The assertion that failed compares constants; it says nothing about the application."
    return None
