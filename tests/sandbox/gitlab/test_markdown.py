"""Markdown of strangers becomes safe HTML, and looks as it does on GitLab."""

import re

import pytest
from hypothesis import given, strategies

from sandbox.gitlab_pages.ansi import lines
from sandbox.gitlab_pages.markdown import render

ALLOWED = re.compile(
    r"</?(?:p|strong|em|code|pre|ul|ol|li|h[1-6]|table|thead|tbody|tr|th|td|blockquote|hr|br|s|sub|sup|kbd|b|i|details"
    r"|summary|a|img|video)(?: [^<>]*)? ?/?>"
)


def test_tables_folds_and_hidden_markers_work() -> None:
    html = render(
        "<!-- bug-fix:status -->\n<details><summary>Cost</summary>\n\n|a|b|\n|-|-|\n|1|2|\n\n</details>\n\nend"
    )
    assert "bug-fix:status" not in html
    assert "<details><summary>Cost</summary>" in html
    assert "<td>1</td>" in html
    assert html.index("</table>") < html.index("</details>") < html.index("<p>end</p>")


def test_what_follows_a_summary_without_a_blank_line_is_no_markdown_as_on_gitlab() -> None:
    html = render("<details>\n<summary>S</summary>\n| a | b |\n|---|---|\n</details>")
    assert "<table>" not in html
    assert "| a | b |" in html


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<details ontoggle=alert(1)><summary>x</summary></details>",
        "<details><summary><img src=x onerror=alert(1)></summary>",
        "<b onclick=alert(1)>x</b>",
        "<!-- x --><script>alert(1)</script><!-- y -->",
        "[x](javascript:alert(1))",
        "![x](javascript:alert(1))",
        '[x](http://a.b/"onmouseover="alert(1))',
        'https://a.b/"onmouseover="alert(1)',
        "<style>*{display:none}</style>",
    ],
)
def test_nothing_hostile_becomes_html(hostile: str) -> None:
    html = render(hostile)
    assert ALLOWED.sub("", html).count("<") == 0, html
    for tag in ALLOWED.findall(html):
        assert not re.search(r"\son\w+=", tag.replace("&quot;", "")), html
    assert not re.search(r'(?:href|src)="javascript', html)


def test_folds_are_always_closed() -> None:
    html = render("</details>\n\n<details><summary>x</summary>\n\nleft open")
    assert html.count("<details>") == html.count("</details>") == 1


def test_uploads_lead_to_the_project_and_bare_urls_are_links() -> None:
    html = render("![before](/uploads/ab/x.png) see https://example.org/a?b=1.", uploads="/-/project/7")
    assert 'src="/-/project/7/uploads/ab/x.png"' in html
    assert '<a href="https://example.org/a?b=1" rel="nofollow noreferrer noopener">' in html
    assert "</a>." in html


def test_an_image_that_is_a_video_becomes_a_player() -> None:
    html = render("![after](/uploads/ab/after.webm)", uploads="/-/project/7")
    assert html == ('<p><video src="/-/project/7/uploads/ab/after.webm" controls preload="metadata"></video></p>\n')
    hostile = render('![x](https://a.b/"onplay="alert(1).webm)')
    assert 'onplay="' not in hostile


def test_code_stays_as_it_is_written() -> None:
    assert "&lt;details&gt;\n&lt;!-- kept --&gt;" in render("```html\n<details>\n<!-- kept -->\n```")
    assert "<code>&lt;br&gt;</code>" in render("`<br>`")


@given(strategies.text(alphabet=strategies.sampled_from(list("<>/!- \n|*_`[]()\"'=abdetailsummry&;")), max_size=120))
def test_no_text_whatever_makes_a_tag_that_is_not_allowed(text: str) -> None:
    assert ALLOWED.sub("", render(text)).count("<") == 0


def test_a_log_keeps_its_colours_and_nothing_else() -> None:
    red, plain, bar, section = lines(
        "\x1b[31;1mERROR <b>\x1b[0;m done\n<script>\x1b[2Kx\n10%\r100%\nsection_start:1:a\r\x1b[0Kkept"
    )
    assert red == '<span class="red bold">ERROR &lt;b&gt;</span> done'
    assert plain == "&lt;script&gt;x"
    assert bar == "100%"
    assert section == "kept"
