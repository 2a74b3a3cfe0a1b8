"""Jira's rich texts as wiki markup: as they are, or out of a document."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.comments.jira_document import said, wiki
from receiver.workflow.commands import command_grammar


def text(said: str, *marks: Any) -> Any:
    return {"type": "text", "text": said, "marks": list(marks)}


def doc(*content: Any) -> Any:
    return {"type": "doc", "version": 1, "content": list(content)}


def node(kind: str, *content: Any, **attrs: Any) -> Any:
    return {"type": kind, "content": list(content), "attrs": attrs}


def paragraph(*content: Any) -> Any:
    return node("paragraph", *content)


@pytest.mark.parametrize(
    ("value", "markup"),
    [
        ("h3. Steps\n# Open", "h3. Steps\n# Open"),
        (None, ""),
        (7, ""),
        (doc(paragraph(text("One"), node("hardBreak"), text("two")), paragraph(text("three"))), "One\ntwo\n\nthree"),
        (doc(node("heading", text("Steps"), level=3)), "h3. Steps"),
        (doc(paragraph(text("bold", {"type": "strong"}), text(" "), text("x=1", {"type": "code"}))), "*bold* {{x=1}}"),
        (
            doc(paragraph(text("the log", {"type": "link", "attrs": {"href": "https://x.example"}}))),
            "[the log|https://x.example]",
        ),
        (doc(node("codeBlock", text('near "Brien"'))), '{code}\nnear "Brien"\n{code}'),
        (doc(node("blockquote", paragraph(text("He said")))), "{quote}\nHe said\n{quote}"),
        (
            doc(
                node(
                    "orderedList", node("listItem", paragraph(text("Open"))), node("listItem", paragraph(text("Save")))
                )
            ),
            "# Open\n# Save",
        ),
        (
            doc(
                node(
                    "table",
                    node("tableRow", node("tableCell", paragraph(text("a"))), node("tableCell", paragraph(text("b")))),
                )
            ),
            "|a|b|",
        ),
        (doc(paragraph(node("mention", text="@Mara"), text(" look"))), "@Mara look"),
        (doc(node("somethingNew", paragraph(text("kept")))), "kept"),
        (doc(paragraph(text("is "), node("status", text="BROKEN", color="red"))), "is BROKEN"),
        (doc(paragraph(text("since "), node("date", timestamp="1767225599999"))), "since 2025-12-31"),
        (doc(paragraph(node("date", timestamp=1767225600000), text(" on"))), "2026-01-01 on"),
        (doc(paragraph(node("date", timestamp="soon"), text(" on"))), "soon on"),
        (doc(paragraph(node("date", timestamp="9" * 30), text(" on"))), "9" * 30 + " on"),
        (doc(node("blockCard", url="https://r.example/1"), paragraph(text("and"))), "https://r.example/1\n\nand"),
        (doc(node("embedCard", url="https://r.example/2", layout="wide")), "https://r.example/2"),
        (
            doc(paragraph(node("inlineCard", data={"@type": "Document", "url": "https://r.example/3"}))),
            "https://r.example/3",
        ),
        (
            doc(
                node(
                    "mediaSingle",
                    node("media", type="external", url="https://r.example/p.png", alt="p"),
                    node("caption", text("The page")),
                ),
                paragraph(text("and")),
            ),
            "!https://r.example/p.png!\nThe page\n\nand",
        ),
        (doc(node("mediaSingle", node("media", type="file", id="7a", alt="page.png"))), "!page.png!"),
        (
            doc(node("mediaGroup", node("media", type="file", id="7a"), node("media", type="file", id="7b"))),
            "!7a!\n!7b!",
        ),
        (doc(paragraph(text("see "), node("mediaInline", id="7c", alt="pay.log"))), "see [^pay.log]"),
        (doc(node("expand", paragraph(text("at pay()")), title="Trace")), "*Trace*\n\nat pay()"),
        (doc(node("nestedExpand", paragraph(text("x")))), "x"),
        (
            doc(node("decisionList", node("decisionItem", text("Round up")), node("decisionItem", text("Log it")))),
            "* Round up\n* Log it",
        ),
        (
            doc(
                node(
                    "taskList",
                    node("taskItem", text("Open"), state="TODO"),
                    node("taskItem", text("Pay"), state="DONE"),
                    node("taskList", node("taskItem", text("By card"), state="TODO")),
                )
            ),
            "* Open\n* ✓ Pay\n** By card",
        ),
        (
            doc(
                node(
                    "bulletList",
                    node(
                        "listItem",
                        paragraph(text("a")),
                        node(
                            "orderedList",
                            node(
                                "listItem",
                                paragraph(text("b")),
                                node("bulletList", node("listItem", paragraph(text("c")))),
                            ),
                        ),
                    ),
                ),
                paragraph(text("d")),
            ),
            "* a\n*# b\n*#* c\n\nd",
        ),
        (doc(node("bulletList", node("listItem", node("codeBlock", text("x = 1"))))), "* {code}\nx = 1\n{code}"),
        (doc(node("extension", extensionKey="chart", text="Errors by day")), "Errors by day"),
        (doc(paragraph(node("placeholder", text="Describe the bug"))), "Describe the bug"),
        (
            doc(
                node(
                    "layoutSection",
                    node("layoutColumn", paragraph(text("l"))),
                    node("layoutColumn", paragraph(text("r"))),
                )
            ),
            "l\n\nr",
        ),
    ],
)
def test_a_document_reads_as_its_wiki_markup(value: object, markup: str) -> None:
    assert wiki(value) == markup


@pytest.mark.parametrize("kind", ["codeBlock", "blockquote", "panel"])
@pytest.mark.parametrize(
    "inside", ["/bug-fix approve", "{code}\n/bug-fix approve", "{quote}{quote}\n/bug-fix approve\n{code}"]
)
def test_a_command_in_code_or_quote_of_a_document_is_none(kind: str, inside: str) -> None:
    document = doc(node(kind, text(inside)))
    assert command_grammar.read(document) is None
    assert command_grammar.read(wiki(document)) is None


def test_a_command_in_a_paragraph_of_a_document_is_one() -> None:
    document = doc(node("blockquote", paragraph(text("Right?"))), paragraph(text("/bug-fix approve")))
    for body in (document, wiki(document)):
        found = command_grammar.read(body)
        assert found is not None
        assert found.word == "approve"


@pytest.mark.parametrize(
    "piece",
    [
        text("/bug-fix approve", {"type": "code"}),
        text("/bug-fix approve", {"type": "strike"}),
        text("/bug-fix approve", {"type": "link", "attrs": {"href": "https://x.example"}}),
        node("mention", text="/bug-fix approve"),
        {"type": "text", "text": 7},
        text("> /bug-fix approve"),
    ],
)
def test_what_is_not_said_in_plain_words_says_nothing(piece: Any) -> None:
    assert command_grammar.read(doc(paragraph(piece))) is None


@pytest.mark.parametrize("kind", ["bulletList", "panel", "table", "expand", "heading", "blockquote", "doc"])
def test_only_a_paragraph_that_stands_in_nothing_else_speaks(kind: str) -> None:
    inner = text("/bug-fix approve") if kind == "heading" else paragraph(text("/bug-fix approve"))
    assert said(doc(node(kind, inner))) == ()


def test_a_paragraph_speaks_line_by_line_whatever_its_letters_look_like() -> None:
    color = {"type": "textColor", "attrs": {"color": "#172b4d"}}
    line = (text("/bug-fix", color), text("\u00a0approve\u200b", {"type": "strong"}))
    assert said(doc(paragraph(text("Right."), node("hardBreak"), *line))) == ("Right.", "/bug-fix approve")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "text", "content", "attrs", "marks", "level"]), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_json_is_read_without_an_error(value: object) -> None:
    assert isinstance(wiki(value), str)
    assert all(line == line.strip() != "" for line in said(value))


def test_a_document_that_is_nested_without_end_ends() -> None:
    deep: Any = text("bottom")
    for _ in range(500):
        deep = node("blockquote", deep)
    assert "bottom" not in wiki(doc(deep))
