"""The grammar of commands: a line of its own, outside of quotes and code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver import limits
from receiver.comments.command_line import Command
from receiver.workflow.commands import command_grammar

APPROVE = Command(word="approve")


@pytest.mark.parametrize(
    "markup",
    [
        "/bug-fix approve",
        "  /bug-fix   approve  ",
        "/bug-fix approve.",
        "/bug-fix APPROVE!",
        "Looks right to me.\r\n\r\n/bug-fix approve\r\nThanks",
        "{quote}is it right?{quote}\n/bug-fix approve",
        "{quote}\nis it right?\n{quote}\n\n/bug-fix approve",
        "{Quote}\nis it right?\n{quote}\n\n/bug-fix approve",
        "{quote:" * 5_000 + "\n/bug-fix approve",
        "{code:title=x.py}\nprint()\n{code}\n/bug-fix approve",
        r"/bug\-fix approve",
        "/bug-fix approve\n/bug-fix stop",
        "bq. old words\n/bug-fix approve",
        "/bug-fix\u00a0approve",
        "/bug-fix approve\u200b",
        "\ufeff/bug-fix approve",
        "/Bug-Fix approve",
        "{color:#172b4d}/bug-fix approve{color}",
        "/bug-fix approve{color}",
        "*/bug-fix approve*",
        "_/bug-fix approve_",
        "the \\{code} macro is broken\n/bug-fix approve",
        "We use {{a {code} }} here\n/bug-fix approve",
        "{color:#172b4d}*/bug-fix approve*{color}",
        "*{color:red}/bug-fix{color}* {color:red}approve{color}",
        "*_/bug-fix approve_*",
        "{*}/bug-fix approve{*}",
        "/bug-fix *approve*",
        "/bug\u2011fix\u202fapprove",
        "\uff0fbug\u2013fix approve",
        "/bug-fix: approve",
        "/bug-fix&nbsp;approve&nbsp;",
        "/bug-fix approve\\\\",
        "\x1b[32m/bug-fix approve\x1b[0m",
        "\u202a/bug-fix approve\u202c\x00",
    ],
)
def test_a_command_is_a_line_of_its_own(markup: str) -> None:
    assert command_grammar.read(markup) == APPROVE


@pytest.mark.parametrize(
    "markup",
    [
        "",
        "Write /bug-fix approve to go on",
        "{quote}/bug-fix approve{quote}",
        "{quote}\nMara wrote:\n/bug-fix approve\n{quote}\nI don't think so",
        "{quote}a{quote} /bug-fix approve",
        "{quote}a\n{quote} /bug-fix approve",
        "{code}\n/bug-fix approve\n{code}",
        "{noformat}\n/bug-fix approve\n{noformat}",
        "{panel:title=x}\n/bug-fix approve\n{panel}",
        "{code}\n{quote}\n{code}\n{quote}\n/bug-fix approve\n{quote}",
        "{quote}\n/bug-fix approve",
        "{Quote}\n/bug-fix approve\n{QUOTE}",
        "{CODE:java}\n{quote}\n/bug-fix approve\n{code}",
        "{panel:title=" + "x" * 600 + "}\n/bug-fix approve\n{panel}",
        "bq. /bug-fix approve",
        "> /bug-fix approve",
        "* /bug-fix approve",
        "-/bug-fix approve-",
        "{code}\n\\{code}\n/bug-fix approve\n{code}",
        "{code}\n{{ {code:x} }}\n/bug-fix approve\n{code}",
        "{{/bug-fix approve}}",
        "/bug-fixer approve",
        "/bug-fix/approve",
        "bug-fix approve",
        "//bug-fix approve",
    ],
)
def test_what_is_quoted_code_or_in_the_middle_of_a_line_is_no_command(markup: str) -> None:
    assert command_grammar.read(markup) is None


@pytest.mark.parametrize(
    "markup",
    [
        "{{/bug-fix approve}}",
        "* /bug-fix approve",
        "# /bug-fix approve",
        "h3. /bug-fix approve",
        "bq. /bug-fix approve",
        "> /bug-fix approve",
        "{panel}\n/bug-fix approve\n{panel}",
        "[~accountid:5b10ac] /bug-fix approve",
        "@mara {color:red}/bug-fix approve{color}",
        "|/bug-fix approve|",
        "\u201c/bug-fix approve\u201d",
        "\U0001f44d /bug-fix approve",
        "The {code} macro\n/bug-fix approve",
        {
            "type": "doc",
            "content": [
                {
                    "type": "bulletList",
                    "content": [
                        {
                            "type": "listItem",
                            "content": [
                                {"type": "paragraph", "content": [{"type": "text", "text": "/bug-fix approve"}]}
                            ],
                        }
                    ],
                }
            ],
        },
        {
            "type": "doc",
            "content": [
                {
                    "type": "paragraph",
                    "content": [
                        {"type": "mention", "attrs": {"text": "@Mara"}},
                        {"type": "text", "text": " /bug-fix approve"},
                    ],
                }
            ],
        },
    ],
)
def test_what_may_have_been_meant_as_a_command_is_known_as_such(markup: object) -> None:
    assert command_grammar.read(markup) is None
    assert command_grammar.seems_meant(markup)


@pytest.mark.parametrize(
    "markup",
    [
        "/bug-fix approve",
        "{{/bug-fix approve}} is what I would write\n/bug-fix approve",
        "see /bug-fix approve in the docs",
        "do not /bug-fix approve",
        "Write {{/bug-fix approve}} alone on its line.",
        "/bug-fixer approve",
        "https://x.example/bug-fix approve",
        "[" * 50_000 + "/bug-fix approve",
        "nothing",
        "",
        None,
    ],
)
def test_prose_about_commands_is_not_taken_for_one(markup: object) -> None:
    assert not command_grammar.seems_meant(markup)


@pytest.mark.parametrize(
    ("markup", "asked"),
    [
        ("/bug-fix", Command(word="")),
        ("/bug-fix.", Command(word="")),
        ("/bug-fix approve not", Command(word="approve", arguments=("not",))),
        ("/bug-fix approve, please!", Command(word="approve,", arguments=("please",))),
        ("/bug-fix reboot Payk12/API now", Command(word="reboot", arguments=("Payk12/API", "now"))),
        ("/bug-fix retry -- use  Decimal, not float.", Command(word="retry", hint="use  Decimal, not float.")),
        ("/bug-fix retry api – see PL-3 -- there", Command(word="retry", arguments=("api",), hint="see PL-3 -- there")),
        ("/bug-fix -- why", Command(word="", hint="why")),
        ("/bug-fix retry --now", Command(word="retry", arguments=("--now",))),
        ("/bug-fix approve --", Command(word="approve")),
        ("/bug-fix " + "x" * 400, Command(word="x" * 40)),
        ("/bug-fix a " + "b " * 400, Command(word="a", arguments=("b",) * limits.COMMAND_ARGUMENTS)),
        ("/bug-fix a -- " + "b" * 900, Command(word="a", hint="b" * 500)),
    ],
)
def test_other_words_are_kept_as_they_are(markup: str, asked: Command) -> None:
    assert command_grammar.read(markup) == asked


QUOTES = st.sampled_from(["quote", "code", "noformat", "panel"])


@given(name=QUOTES, before=st.text(max_size=20), inside=st.text(max_size=20))
def test_nothing_inside_of_a_macro_is_ever_a_command(name: str, before: str, inside: str) -> None:
    before, inside = (text.replace("{", "").replace("/", "") for text in (before, inside))
    markup = f"{before}\n{{{name}}}\n{inside}\n/bug-fix approve\n{inside}\n{{{name}}}\n{before}"
    assert command_grammar.read(markup) is None


@given(st.text(alphabet=st.sampled_from("{}quotecd:/bug-fix approve\n> bq."), max_size=200))
def test_any_text_is_read_without_an_error_and_its_word_is_bounded(markup: str) -> None:
    asked = command_grammar.read(markup)
    assert asked is None or (len(asked.word) <= 40 and asked.word == asked.word.casefold())


@pytest.mark.parametrize(
    "text",
    [
        "{quote}/bug-fix approve{quote}",
        "/Bug-Fix approve",
        r"/bug\-fix approve",
        "/bug\u200b-fix x",
        "\uff0fbug\u2011fix x",
    ],
)
def test_a_text_that_speaks_of_commands_is_read_again(text: str) -> None:
    assert command_grammar.is_addressed(text)
    assert not command_grammar.is_addressed("the bug-fix is fine")
