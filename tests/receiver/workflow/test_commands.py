"""The grammar of commands: a line of its own, outside of quotes and code; and who may give which, when."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.workflow import commands
from receiver.workflow.commands import RULES, Asked, Command
from receiver.workflow.events import Standing
from receiver.workflow.run import RunStatus

APPROVE = Asked(word="approve", is_alone=True)


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
        "{code:title=x.py}\nprint()\n{code}\n/bug-fix approve",
        r"/bug\-fix approve",
        "/bug-fix approve\n/bug-fix stop",
        "bq. old words\n/bug-fix approve",
    ],
)
def test_a_command_is_a_line_of_its_own(markup: str) -> None:
    assert commands.read(markup) == APPROVE


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
        "bq. /bug-fix approve",
        "> /bug-fix approve",
        "* /bug-fix approve",
        "{{/bug-fix approve}}",
        "/bug-fixer approve",
        "/bug-fix/approve",
        "bug-fix approve",
        "//bug-fix approve",
    ],
)
def test_what_is_quoted_code_or_in_the_middle_of_a_line_is_no_command(markup: str) -> None:
    assert commands.read(markup) is None


@pytest.mark.parametrize(
    ("markup", "asked"),
    [
        ("/bug-fix", Asked(word="", is_alone=True)),
        ("/bug-fix approve not", Asked(word="approve", is_alone=False)),
        ("/bug-fix approve, please", Asked(word="approve,", is_alone=False)),
        ("/bug-fix reboot now", Asked(word="reboot", is_alone=False)),
        ("/bug-fix " + "x" * 400, Asked(word="x" * 40, is_alone=False)),
    ],
)
def test_other_words_are_kept_as_they_are(markup: str, asked: Asked) -> None:
    assert commands.read(markup) == asked


QUOTES = st.sampled_from(["quote", "code", "noformat", "panel"])


@given(name=QUOTES, before=st.text(max_size=20), inside=st.text(max_size=20))
def test_nothing_inside_of_a_macro_is_ever_a_command(name: str, before: str, inside: str) -> None:
    before, inside = (text.replace("{", "").replace("/", "") for text in (before, inside))
    markup = f"{before}\n{{{name}}}\n{inside}\n/bug-fix approve\n{inside}\n{{{name}}}\n{before}"
    assert commands.read(markup) is None


@given(st.text(alphabet=st.sampled_from("{}quotecd:/bug-fix approve\n> bq."), max_size=200))
def test_any_text_is_read_without_an_error_and_its_word_is_bounded(markup: str) -> None:
    asked = commands.read(markup)
    assert asked is None or (len(asked.word) <= 40 and asked.word == asked.word.casefold())


def test_every_command_has_a_rule_with_sentences() -> None:
    assert set(RULES) == set(Command)
    for rule in RULES.values():
        assert rule.may_not.endswith(".")
        assert "{status}" in rule.not_now


def test_only_somebody_who_may_start_runs_approves_and_only_while_a_plan_waits() -> None:
    obeyed = {
        (standing, status)
        for standing, status in product(Standing, RunStatus)
        if commands.refusal(APPROVE, standing, status) is None
    }
    assert obeyed == {(Standing.ALLOWED, RunStatus.AWAITING_APPROVAL)}


@pytest.mark.parametrize(
    ("asked", "standing", "status", "says"),
    [
        (Asked(word="reboot", is_alone=True), Standing.ALLOWED, RunStatus.RUNNING, "There is no such command"),
        (Asked(word="", is_alone=True), Standing.OTHER, RunStatus.RUNNING, "`/bug-fix approve`"),
        (APPROVE, Standing.REPORTER, RunStatus.AWAITING_APPROVAL, "You may not approve plans"),
        (APPROVE, Standing.ALLOWED, RunStatus.IN_REVIEW, "the bug fix is in review"),
        (Asked(word="approve", is_alone=False), Standing.ALLOWED, RunStatus.AWAITING_APPROVAL, "alone on its line"),
    ],
)
def test_who_is_not_obeyed_gets_a_sentence(asked: Asked, standing: Standing, status: RunStatus, says: str) -> None:
    sentence = commands.refusal(asked, standing, status)
    assert sentence is not None
    assert says in sentence
