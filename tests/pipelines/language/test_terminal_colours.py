"""Colours that are taken out of text, and what stays."""

import pytest

from pipelines.language.terminal_colours import without_colours


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[1;38;5;196mbold\x1b[m", "bold"),
        ("\x1b[38:2::255:0:0mtrue colour", "true colour"),
        ("\x1b[?25lhidden cursor\x1b[2K", "hidden cursor"),
        ("\x1b[2 qcursor's shape", "cursor's shape"),
        ("[31m is text", "[31m is text"),
        ("\x1b[" + "1;" * 40 + "m", "\x1b[" + "1;" * 40 + "m"),
    ],
)
def test_control_sequences_go_and_the_text_between_them_stays(text: str, plain: str) -> None:
    assert without_colours(text) == plain
