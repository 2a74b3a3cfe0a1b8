"""Strings and comments are told from code, in whatever text, and in time that grows with the text only."""

from __future__ import annotations

import re

import pytest

from pipelines.patch.code import CSHARP, GO, JAVASCRIPT, PYTHON, read

SCANNERS = {"python": PYTHON, "javascript": JAVASCRIPT, "csharp": CSHARP, "go": GO}


def test_a_regular_expression_is_one_string() -> None:
    code = read('const found = /[/"\']+\\/x/.test(name); // "no string"\n', JAVASCRIPT)
    assert code.strings == (" /[/\"']+\\/x/",)


@pytest.mark.parametrize("scanner", SCANNERS.values(), ids=SCANNERS)
@pytest.mark.parametrize("piece", ["=/[", "=/(", "=/[\\", '"', "'", "`", "/*", '"""', '$"{', "=/"])
@pytest.mark.timeout(20)
def test_no_text_takes_long(scanner: re.Pattern[str], piece: str) -> None:
    line = (piece * 5_000)[:5_000] + "\n"
    assert len(read(line * 40, scanner).text) > 0
