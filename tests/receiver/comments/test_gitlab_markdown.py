"""Which lines of a note in GitLab's Markdown its author says: paragraphs, never quotes, code, lists or hidden text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.comments.command_line import Command
from receiver.comments.gitlab_markdown import said
from receiver.workflow.commands import command_grammar

COMMAND = "/bug-fix approve"


@pytest.mark.parametrize(
    "note",
    [
        COMMAND,
        f"Looks right.\n{COMMAND}\nThanks",
        f"> Is it right?\n\n{COMMAND}",
        f"```\nx = 1\n```\n{COMMAND}",
        f">>>\nold words\n>>>\n{COMMAND}",
        f"  >>>>\n>>>\nold words\n   >>>>>\n{COMMAND}",
        f"**{COMMAND}**",
        "/bug-fix\u00a0approve\u200b",
        f"<details><summary>Log</summary>\n\nlong\n\n</details>\n\n{COMMAND}",
        f"a<br>\n{COMMAND}",
    ],
)
def test_a_line_of_a_paragraph_is_said(note: str) -> None:
    found = command_grammar.read_note(note)
    assert found is not None
    assert found == Command(word="approve")


@pytest.mark.parametrize(
    "note",
    [
        "",
        f"> {COMMAND}",
        f"> Mara wrote:\n{COMMAND}",  # a lazy continuation: GitLab shows it in the quote
        f">>>\n{COMMAND}\n>>>",
        f">>>\n{COMMAND}",
        f">>>>\n{COMMAND}\n>>>>",
        f"   >>>\n{COMMAND}\n>>>",
        f">>>>\n>>>\n\n{COMMAND}\n>>>>",
        f">>>\n    >>>\n\n{COMMAND}\n>>>",
        f"```\n{COMMAND}\n```",
        f"~~~\n{COMMAND}",
        f"    {COMMAND}",
        f"`{COMMAND}`",
        f"``\n{COMMAND}\n``",
        f"- {COMMAND}",
        f"1. {COMMAND}",
        f"# {COMMAND}",
        f"| {COMMAND} |\n|---|\n| {COMMAND} |",
        f"<!-- {COMMAND} -->",
        f"<!--\n\n{COMMAND}\n\n-->",
        f"<pre>\n{COMMAND}\n</pre>",
        f"<blockquote>\n\n{COMMAND}\n\n</blockquote>",
        f"<details>\n\n{COMMAND}\n\n</details>",
        f"~~{COMMAND}~~",
        f"[{COMMAND}](https://x.example)",
        f"![{COMMAND}](x.png)",
        f"[a]: {COMMAND}",
        f"please {COMMAND}",
    ],
)
def test_what_is_quoted_code_listed_or_hidden_is_not_said(note: str) -> None:
    assert command_grammar.read_note(note) is None


@given(st.text(alphabet=st.sampled_from("`~>-*#<>/!bug-fix approve\n |[]()\\"), max_size=120))
def test_any_note_is_read_without_an_error(note: str) -> None:
    assert all(line == line.strip() != "" for line in said(note))


@given(before=st.text(alphabet="ab \n", max_size=20), inside=st.text(alphabet="ab \n", max_size=20))
def test_nothing_inside_of_a_fence_is_ever_a_command(before: str, inside: str) -> None:
    assert command_grammar.read_note(f"{before}\n\n```\n{inside}\n{COMMAND}\n{inside}\n```\n{before}") is None
