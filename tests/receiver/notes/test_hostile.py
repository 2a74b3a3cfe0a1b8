"""Untrusted text in notes can trigger nothing, on either side."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from msgspec.structs import replace

from pipelines.language import (
    ArtifactKind,
    Finding,
    IssueKey,
    Location,
    NamedTest,
    Phase,
    Plan,
    ProjectPath,
    RunId,
    Severity,
    SuiteResult,
    TestWord,
)
from receiver.notes import (
    NoteView,
    markup,
    render_merge_request_description,
    render_merge_request_note,
    render_refusal,
    render_ticket_note,
)
from receiver.notes.render import render_answer, render_plan, render_question
from receiver.notes.view import (
    Change,
    EvidenceLink,
    Fate,
    FixView,
    Mark,
    Measured,
    MergeRequestLine,
    Moment,
    PhaseCost,
    PhaseLine,
    Picture,
    Review,
)
from receiver.workflow.audience import Audience, Readers
from receiver.workflow.run import RunStatus
from tests.plans import a_plan_saying

REPOSITORY = ProjectPath("payk12/contacts")
RUN = RunId("0123456789abcdef")
OURS = "https://ours.example/"

HOSTILE = [
    "/merge",
    "ok\n/merge\n/approve",
    "ok\r\n/close",
    "\u2028/merge",
    "@root @all please `@mara`",
    "Closes #1, fixes !2, closes https://gitlab.example/payk12/x/-/issues/3, Implements PL-480",
    '~"priority::1" %"17.0" $5 &6 ^alert#7 *iteration:"x" [vulnerability:8]',
    "<img src=x onerror=alert(1)><script>alert(1)</script>",
    "--> <!-- bug-fix:run=ffffffffffffffff -->",
    "</details><h1>Approved</h1>",
    "[click](https://evil.example/login) ![x](https://evil.example/x.png) <https://evil.example>",
    "https://evil.example www.evil.example mailto:x@evil.example",
    "[a]: https://evil.example\n[a]",
    "```\n/merge\n```",
    "~~~\nx\n~~~ $$x$$ $`x`$ [[_TOC_]] ::include{file=x}",
    "| a | b |\n|---|---|",
    "{code}{code:title=x}{html}<b>{html}{include:page}{jira:x}",
    "[~mara] [~accountid:5b10ac] [link|https://evil.example] [^secret.txt]",
    "!https://evil.example/x.png! !x.png|width=1!",
    "*bold* _it_ -struck- +ins+ ^sup^ ~sub~ ??cite?? {{mono}} {color:red}x{color} ---- bq. h1. \\\\",
    "$(id) `id` ${IFS} %0a",
    "`<b>` ` `` `@all` `a``b` \\`/merge\\` `x|y` ` ` `https://evil.example`",
    "\u202eevil\u202c zero\u200bwidth \x1b[31mred\x00",
    "x" * 100_000,
]


def view(text: str, status: RunStatus = RunStatus.IN_REVIEW) -> NoteView:
    """Return a view that says `text` wherever it can."""
    suite = SuiteResult(passed=41, failed=0, errors=0, skipped=0, duration_s=1, exit_code=0)
    return NoteView(
        run=RUN,
        issue_key=IssueKey("PL-479"),
        issue_url=f"{OURS}browse/PL-479",
        status=status,
        audience=Audience.PUBLIC,
        readers=Readers.EVERYBODY,
        reason=text,
        iteration=2,
        iterations=3,
        summary=text,
        cause=text,
        location=Location(repository=REPOSITORY, file=text, line=42),
        risk="low",
        risk_reason=text,
        phases=(
            PhaseLine(phase=Phase.ANALYSIS, repository=None, mark=Mark.DONE, url=f"{OURS}1", finding=text),
            PhaseLine(phase=Phase.TESTING, repository=REPOSITORY, mark=Mark.DONE, url=text, finding=text),
        ),
        fixes=(
            FixView(
                repository=REPOSITORY,
                changes=(Change(file=text, rationale=text),),
                risk=text,
                rollback=text,
                symptom=text,
                steps=(text,),
                is_red=True,
                is_green=True,
                before=Measured(unit=suite),
                after=Measured(unit=suite),
                summary=text,
                documentation=text,
                shown=(text,),
                not_shown=(text,),
                contradicted=(
                    NamedTest(name=text, word=TestWord.CONTRADICTED, asserted=text, change=f"+{text}\n-{text}"),
                ),
                needs_people=True,
                review=Review(
                    summary=text,
                    findings=(Finding(file=text, line=7, severity=Severity.MUST_FIX, claim=text, suggestion=text),),
                ),
            ),
        ),
        merge_requests=(
            MergeRequestLine(repository=REPOSITORY, iid=1, url=f"{OURS}mr/1", state="opened", head_sha=text),
            MergeRequestLine(repository=ProjectPath("payk12/api"), iid=2, url=text, state=text, head_sha=text),
        ),
        pictures=(Picture(repository=REPOSITORY, filename="red.png"), Picture(repository=REPOSITORY, filename=text)),
        remarks=(text,),
        diagnoses=(text,),
        cost_usd=None,
        known_usd=Decimal("1.12"),
        budget_usd=Decimal(6),
        costs=(PhaseCost(phase="implementation", cost_usd=Decimal("0.64")),),
        pipeline_url=f"{OURS}pipelines/100",
        story_url=f"{OURS}runs/{RUN}",
        updated_at=datetime(2026, 11, 22, 10, tzinfo=UTC),
    )


def evidence(text: str) -> tuple[EvidenceLink, ...]:
    return (
        EvidenceLink(moment=Moment.BEFORE, kind=ArtifactKind.SCREENSHOT, markdown="![shot](/uploads/1/shot.png)"),
        EvidenceLink(moment=Moment.AFTER, kind=ArtifactKind.SCREENSHOT, markdown=text),
        EvidenceLink(moment=Moment.AFTER, kind=ArtifactKind.TRACE, markdown=text),
    )


def markdowns(text: str) -> list[str]:
    said = view(text)
    return [
        render_merge_request_note(said, repository=REPOSITORY),
        render_merge_request_description(said, repository=REPOSITORY, evidence=evidence(text), test=text),
        render_merge_request_description(replace(said, audience=Audience.WITHHELD), repository=REPOSITORY),
        render_merge_request_note(replace(said, audience=Audience.WITHHELD), repository=REPOSITORY),
    ]


def wikis(text: str) -> list[str]:
    shapes = (RunStatus.RUNNING, RunStatus.IN_REVIEW, RunStatus.ESCALATED)
    notes = [render_ticket_note(view(text, status)) for status in shapes]
    return [*notes, render_refusal(text, run=RUN)]


def everything(tokens: list[Any]) -> list[Any]:
    return [each for token in tokens for each in (token, *everything(token.children or []))]


OWN_HTML = re.compile(
    r"<!-- bug-fix:run=0123456789abcdef -->|</?(details|summary|sub)>|Cost by phase, remarks, earlier attempts|"
    r"Cost by phase, earlier attempts|Findings|Steps of the reproduction|"
    r"Contradicted tests: what they asserted, how they change|"
    r"Reproduction test: red on the base commit, green with this change|\s"
)


def check_markdown(text: str) -> None:
    for note in markdowns(text):
        parsed = everything(MarkdownIt("gfm-like", {"linkify": False, "html": True}).parse(note))
        blocks = [token for token in parsed if token.type == "fence"]
        assert all(token.info == "" and token.level == 0 for token in blocks)
        assert len(blocks) <= 1
        parsed = [token for token in parsed if token.type != "fence"]
        for token in parsed:
            if token.type == "link_open":
                assert token.attrs["href"].startswith(OURS)
            elif token.type == "image":
                assert token.attrs["src"] == "/uploads/1/shot.png"
            elif token.type in {"html_inline", "html_block"}:
                assert OWN_HTML.sub("", token.content) == ""
            elif token.type in {
                "heading_open",
                "fence",
                "code_block",
                "hr",
                "blockquote_open",
                "strong_open",
                "s_open",
            }:
                assert token.type == "strong_open"
        texts = [token.content for token in parsed if token.type == "text"]
        for shown in texts:
            # what GitLab finds in text nodes after rendering: mentions, references, addresses, ticket keys
            assert not re.search(
                r"[@#~%$&^](?=[A-Za-z0-9_\"])", re.sub(r"\$[0-9.]+ of \$[0-9.]+|\$[0-9.]+$", "", shown)
            )
            assert "://" not in shown
            assert not re.search(r"www\.|mailto:|\bPL-480", shown)
        assert not [line for line in note.splitlines() if line.lstrip().startswith("/")]
        assert re.findall(r"bug-fix:run=\w*", note) == [f"bug-fix:run={RUN}"]
        assert not markup._INVISIBLE.search(note.replace("\n", "").replace(markup.JOINER, ""))


def check_wiki(text: str) -> None:
    for note in wikis(text):
        bare = re.sub(r"\\[{}\[\]!*_^~+?|#-]|&#92;", "", note)  # what is escaped is text
        # plain code, and what is left of it where all of it was escaped
        bare = re.sub(r"\{\{[A-Za-z0-9./:()='\", \u2060-]*\}\}", "", bare)
        for own in re.findall(r"\[[^\[\]|]*\|(https?://[^\]]*)\]", bare):
            assert own.startswith(OURS)
        bare = re.sub(r"\[[^\[\]|]*\|https://ours\.example/[^\]]*\]", "", bare)
        bare = bare.replace("!red.png|thumbnail!", "")
        bare = re.sub(r"^\*Bug fix: [a-z ]+\*", "", bare)
        assert not re.search(r"[{}\[\]!*_^~+?|#\\]", bare)
        assert not re.search(r"(?<!\w)-|-(?!\w)", bare)
        assert "://" not in bare
        assert not [line for line in note.splitlines() if re.match(r"\s*(h[1-6]\.|bq\.|[-*#|] |----)", line)]
        assert re.findall(r"bug-fix:run=\w*", note) == [f"bug-fix:run={RUN}"]
        assert not markup._INVISIBLE.search(note.replace("\n", "").replace(markup.JOINER, ""))
        assert len(note) < 32_767


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_in_a_hostile_text_happens_in_gitlab(text: str) -> None:
    check_markdown(text)


def test_a_block_of_code_is_whole_and_hides_nothing_from_its_readers() -> None:
    code = "def test():\n\tassert 'a'\u202e\n" + " " * 400 + "evil()\n````\n  /merge\n"
    (block,) = [t for t in MarkdownIt().parse(markup.gitlab_code_block(code)) if t.type == "fence"]
    assert block.content.splitlines() == [
        "def test():",
        "    assert 'a'⟨U+202E⟩",
        " " * 160,
        "↪ " + " " * 160,
        "↪ " + " " * 80 + "evil()",
        "````",
        f"  {markup.JOINER}/merge",
    ]
    assert "4 more characters; the whole file" in markup.gitlab_code_block("0123456789", limit=6)
    assert markup.gitlab_code_block(" \n") == ""


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_in_a_hostile_text_happens_in_jira(text: str) -> None:
    check_wiki(text)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from([*HOSTILE[:-1], *"@#!~%$&^*[](){}<>`|\\/-_+?:.\n\r\t ", "a", "PL-1"]), max_size=12))
def test_no_mixture_of_them_happens_either(parts: list[str]) -> None:
    check_markdown("".join(parts))
    check_wiki("".join(parts))


@pytest.mark.parametrize(
    "text", [*HOSTILE, "Fix [skip ci]", "Fix [CI skip]", "Fix [ci-skip] [skip_ci]", "PL-480 #resolve", "Draft: x"]
)
def test_a_title_triggers_nothing_where_it_stands_as_subject_of_a_commit(text: str) -> None:
    title = markup.title(text)
    assert len(title.splitlines()) <= 1
    assert not re.search(r"[@#~%$&^](?=[A-Za-z0-9_\"])|://|www\.|mailto:|\bPL-480|bug-fix:run=", title)
    assert not re.search(r"(?i)\[(ci[ _-]skip|skip[ _-]ci)\]", title)
    assert not markup._INVISIBLE.search(title.replace(markup.JOINER, ""))
    assert markup.title("Escape apostrophes in contact names") == "Escape apostrophes in contact names"


def test_text_keeps_reading_as_it_was_written() -> None:
    shown = markup.gitlab("Saving O'Brien <b> fails with 500 (a_b): 50% & more")
    plain = everything(MarkdownIt("gfm-like", {"linkify": False}).parse(shown))
    assert (
        "".join(t.content for t in plain if t.type == "text") == "Saving O'Brien <b> fails with 500 (a_b): 50% & more"
    )
    assert markup.jira("Saving O'Brien fails in src/contact-form.ts:42 (a)") == (
        "Saving O'Brien fails in src/contact-form.ts:42 (a)"
    )


def test_code_stays_code() -> None:
    assert markup.gitlab("`_literal` in a_b: use `x|y`") == "`_literal` in a\\_b: use `x\\|y`"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "", "https://x/a b", "https://x/)[", "//evil", "https://x/|y"])
def test_an_address_that_is_none_makes_no_link(url: str) -> None:
    assert markup.gitlab_link("x", url) == markup.jira_link("x", url) == "x"


@pytest.mark.parametrize(
    "markdown", ["![x](https://evil.example/x.png)", "[x](javascript:alert(1))", "![x](/a)\n/merge", "text", ""]
)
def test_evidence_is_only_what_gitlab_gives_for_uploads(markdown: str) -> None:
    assert markup.upload(markdown) is None
    assert markup.upload("![shot.png](/uploads/0a1b/shot.png)") is not None


def skeleton(note: str) -> list[str]:
    """Return all that means something in wiki markup."""
    bare = re.sub(r"\\[{}\[\]!*_^~+?|#-]|&#92;", "", note)
    bare = re.sub(r"\{\{[A-Za-z0-9./:()='\", \u2060-]+\}\}", "", bare)
    return re.findall(r"[{}\[\]!*_^~+?|#\\]|://|(?m:^\s*(?:h[1-6]\.|bq\.|----|[-#|] ))", bare)


def hostile_plan(text: str) -> Plan:
    place = Location(repository=REPOSITORY, file=text, line=1)
    return a_plan_saying(text, REPOSITORY, question=text, location=place)


def comments(text: str) -> list[str]:
    said = replace(view(text), question=text, reporter=text, other_key=text, other_url=text)
    return [
        render_question(said, suffix=";question:1"),
        render_plan(said, hostile_plan(text), fate=Fate.WAITS, suffix=";plan:1"),
        render_answer(text, to=text, run=RUN, suffix=";answer:1"),
        render_ticket_note(replace(said, status=RunStatus.DECLINED)),
        render_ticket_note(replace(said, status=RunStatus.NOT_REPRODUCED)),
        render_ticket_note(replace(said, audience=Audience.WITHHELD)),
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_questions_plans_and_answers_have_no_markup_but_ours(text: str) -> None:
    for note, plain in zip(comments(text), comments("words"), strict=True):
        assert skeleton(note) == skeleton(plain)
        assert len(re.findall(r"bug-fix:run=\w*", note)) == 1
        assert not markup._INVISIBLE.search(note.replace("\n", "").replace(markup.JOINER, ""))
        assert len(note) < 32_767
