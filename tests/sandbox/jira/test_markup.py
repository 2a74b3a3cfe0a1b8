"""Wiki markup becomes HTML that can't run anything."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.jira.markup import wiki
from sandbox.jira.markup.markup_html import render


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a *b* _c_ -d- {{e*f}}", "<p>a <strong>b</strong> <em>c</em> <s>d</s> <code>e*f</code></p>"),
        ("h3. Steps", "<h3>Steps</h3>"),
        ("# one\n# two\n** three", "<ol><li>one</li><li>two<ul><li>three</li></ul></li></ol>"),
        ("{code:python}\na < b *c*\n{code}", "<pre><code>a &lt; b *c*</code></pre>"),
        ("{quote}x{quote}", "<blockquote><p>x</p></blockquote>"),
        ("||a||b||\n|c|d|", "<table><tr><th>a</th><th>b</th></tr><tr><td>c</td><td>d</td></tr></table>"),
        (
            "[!1|https://git.example.org/1?a=1&b=2]",
            '<p><a href="https://git.example.org/1?a=1&amp;b=2" rel="nofollow noreferrer">!1</a></p>',
        ),
        ("[x|javascript:alert(1)]", "<p>[x|javascript:alert(1)]</p>"),
        ("<b onclick=x>", "<p>&lt;b onclick=x&gt;</p>"),
        ("2 * 3 * 4, snake_case_name, a-b-c", "<p>2 * 3 * 4, snake_case_name, a-b-c</p>"),
        ("\\*not bold\\*", "<p>*not bold*</p>"),
        ("[~accountid:5b10]", '<p><span class="mention">@5b10</span></p>'),
        ("one\ntwo\n\nthree", "<p>one<br>two</p><p>three</p>"),
        ("----", "<hr>"),
        ("{code}never closed", "<pre><code>never closed</code></pre>"),
    ],
)
def test_markup_is_shown(text: str, html: str) -> None:
    assert render(text) == html


MARKUP = st.text(alphabet="ab *_-+{}[]|!#~h1.:/\\<>\"'&\n^", max_size=80) | st.lists(
    st.sampled_from(
        ["*", "{{", "}}", "{code}", "{quote}", "[", "|", "]", "javascript:", "h1. ", "# ", "||", "\n", "x", "<i>"]
    ),
    max_size=20,
).map("".join)
TAG = re.compile(r'</?[a-z0-9]+(?: (?:class|href|rel)="[^"<>]*")*>')


@given(text=MARKUP)
def test_no_text_becomes_markup_of_its_own(text: str) -> None:
    html = render(text)
    assert "<" not in TAG.sub("", html)
    assert not re.search(r'href="(?!https?://|mailto:|/|#)', html)


def test_a_backslash_in_a_links_label_escapes_as_it_does_in_text() -> None:
    [link] = wiki.inlines(r"[payk12/contacts\!1|https://gitlab.example.org/mr/1]")
    assert link == wiki.Link(text="payk12/contacts!1", url="https://gitlab.example.org/mr/1")
