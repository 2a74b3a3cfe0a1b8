"""Characters, blanks and letters that a reader of a change does not see."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.patch import Change, Changed, remarks
from pipelines.patch.unseen import LONG_LINE, MOST_BLANKS, unseen

Examined = Callable[..., tuple[str, ...]]


def added(path: str, after: str, before: str = "") -> Changed:
    return Changed(path=path, change=Change.MODIFIED, before=before, after=after)


@pytest.mark.parametrize(
    "character",
    [
        *("\u202a", "\u202b", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069", "\u200e", "\u200f", "\u061c"),
        *("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u034f", "\u115f", "\u3164", "\u2800"),
        *("\ufe0f", "\U000e0100", "\U000e0041", "\u180e", "\ufff9", "\u2028", "\x1b", "\x08", "\x0b", "\x0c", "\x85"),
    ],
)
def test_a_character_without_a_picture_is_refused_in_code(examined: Examined, character: str) -> None:
    (sentence,) = examined({}, {"src/shop.py": f"a = 1\nb{character}c = 2\n"})
    assert sentence.startswith(f"`src/shop.py` gets U+{ord(character):04X} (")
    assert "line 2" in sentence
    assert character not in sentence


def test_a_carriage_return_within_a_line_is_refused_and_windows_line_ends_are_not(examined: Examined) -> None:
    assert "U+000D" in examined({}, {"src/a.py": "# fine\rimport os\n"})[0]
    assert examined({}, {"src/a.cs": "int a;\r\nint b;\r\n"}) == ()


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("web/Badge.tsx", "const heart = '\u2764\ufe0f';"),
        ("web/Badge.tsx", "const key = '1\ufe0f\u20e3';"),
        ("web/Family.tsx", "const family = '\U0001f468\u200d\U0001f469\u200d\U0001f467';"),
        ("web/Family.tsx", "const judge = '\U0001f9d1\U0001f3fd\u200d\u2696\ufe0f';"),
        ("web/Flags.ts", "const wales = '\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f';"),
        ("src/texts.py", "WANT = '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645'"),
        ("src/texts.py", "SRI = '\u0da2\u0dca\u200d\u0dba'"),
        ("src/old.el", "\x0c"),
        ("src/texts.py", "TEXT = 'na\u00efve \u65e5\u672c\u8a9e \u05e9\u05dc\u05d5\u05dd'"),
        ("src/Api.cs", "\tvar wide = 1;   // aligned"),
    ],
)
def test_what_a_script_or_an_emoji_needs_passes(path: str, line: str) -> None:
    assert unseen((added(path, f"first\n{line}\n"),)) == ((), ())


def test_a_byte_order_mark_at_the_beginning_of_a_file_passes() -> None:
    assert unseen((added("src/Api.cs", "\ufeffusing System;\n"),)) == ((), ())
    assert unseen((added("src/Api.cs", "using System;\n\ufeffint a;\n"),))[0]


@pytest.mark.parametrize("path", ["tests/data/names.json", "api/tests/fixtures/mail.eml", "web/e2e/pages/he.html"])
def test_data_of_tests_is_remarked(examined: Examined, path: str) -> None:
    text = "a\u202eb \u200b\n"
    assert examined({}, {path: text}) == ()
    (sentence,) = remarks((added(path, text),))
    assert "U+202E (right-to-left override) in line 1" in sentence


def test_code_of_tests_is_held_to_it(examined: Examined) -> None:
    assert "U+200B" in examined({}, {"tests/test_names.py": "NAME = 'a\u200bb'\n"})[0]


def test_a_translation_into_a_script_from_right_to_left_is_remarked_unless_it_overrides() -> None:
    line = "title: \u05e9\u05dc\u05d5\u05dd\u200f (PDF)"
    refused, remarked = unseen((added("locales/he.yml", line),))
    assert (refused, len(remarked)) == ((), 1)
    assert unseen((added("locales/he.yml", f"{line}\u202e"),))[0] == ()  # the mark that needs it is told first
    assert unseen((added("locales/he.yml", line.replace("\u200f", "\u202e")),))[0] != ()
    assert unseen((added("locales/de.yml", "title: Hallo\u200f"),))[0] != ()


def test_what_stood_in_the_line_before_is_not_new_but_marks_of_direction_are() -> None:
    assert unseen((added("src/a.py", "t = 'a\u200bb'  # why\n", "t = 'a\u200bb'\n"),)) == ((), ())
    assert unseen((added("src/a.py", "t = 'a\u202eb'  # why\n", "t = 'a\u202eb'\n"),))[0] != ()


def test_untouched_lines_are_not_looked_at() -> None:
    assert unseen((added("src/a.py", "t = 'a\u202eb'\nx = 2\n", "t = 'a\u202eb'\nx = 1\n"),)) == ((), ())


@pytest.mark.parametrize("blank", [" ", "\t", "\u3000", "\u00a0"])
def test_code_behind_blanks_is_refused(examined: Examined, blank: str) -> None:
    line = f"limit = 3{blank * MOST_BLANKS}; run()\n"
    assert "goes on behind 200 blanks" in examined({}, {"src/a.py": line})[0]
    assert examined({}, {"src/a.py": f"limit = 3{blank * (MOST_BLANKS - 1)}; run()\n"}) == ()
    assert examined({}, {"src/a.py": f"limit = 3{blank * 500}\n"}) == ()


def test_a_long_line_is_remarked() -> None:
    assert remarks((added("src/a.py", "x" * LONG_LINE),)) == ()
    (sentence,) = remarks((added("src/a.py", "x" * (LONG_LINE + 1)),))
    assert "a line of 1001 characters (line 1)" in sentence
    assert remarks((added("package-lock.json", f'{{"a": "{"x" * 5_000}"}}'),)) == ()


@pytest.mark.parametrize("word", ["p\u0430y", "\u0421lient", "t\u03bftal", "\uff43ost"])
def test_letters_that_look_like_others_are_remarked(word: str) -> None:
    (sentence,) = remarks((added("src/a.py", f"{word} = 1\n"),))
    assert f"look-alike letters of two scripts in `{word}` (line 1)" in sentence


@pytest.mark.parametrize(
    "text", ["\u0394x = 1", "\u03bcs = 1", "NAME = '\u041e\u043b\u0433\u0430 Petrova'", "na\u00efve"]
)
def test_words_of_other_scripts_are_not(text: str) -> None:
    assert remarks((added("src/a.py", text),)) == ()


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_whatever_a_file_holds_sentences_are_printable_and_few(text: str) -> None:
    refused, remarked = unseen((added("src/a.py", text),))
    assert len(refused) <= 5
    assert len(remarked) <= 5
    assert all(sentence.isprintable() for sentence in (*refused, *remarked))
