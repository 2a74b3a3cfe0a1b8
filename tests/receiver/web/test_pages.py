"""Pages show hostile text as text: every column that a ticket, a model or a repository can write is hostile here."""

from html.parser import HTMLParser
from typing import Any

import httpx2
import pytest
from msgspec import json

from receiver.web.pages import PAGES, count, environment, percent, prose

pytestmark = pytest.mark.integration

EVIL = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}{% raw %}\u202egnp.exe\u2066" + "x" * 200
LAYOUT = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "header",
    "main",
    "footer",
    "div",
    "span",
    "details",
    "summary",
}
PROSE = {"a", "b", "br", "code", "em", "h1", "h2", "h3", "i", "li", "ol", "p", "pre", "small", "strong", "ul"}
TABLE = {"table", "thead", "tbody", "tr", "th", "td"}
TAGS = LAYOUT | PROSE | TABLE
ATTRIBUTES = {"lang", "charset", "name", "content", "class", "href", "open", "title", "colspan", "id"}


class Looked(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def pages(serve: Any, desk: Any) -> dict[str, httpx2.Response]:
    """Show a run in which everything that can be hostile is."""
    desk.run()
    desk.rows(
        "UPDATE runs SET reason = %s, actor_name = %s, branch = %s,"
        " ticket = ticket || jsonb_build_object('summary', %s::text, 'url', 'javascript:alert(1)')",
        *[EVIL] * 4,
    )
    desk.rows("UPDATE pipelines SET url = 'javascript:alert(1)', status = %s", EVIL)
    desk.rows(
        "INSERT INTO jobs (id, pipeline_id, project_id, run_id, iteration, name, stage, status, agent,"
        " failure_reason, seen_at) SELECT 1, 100, 1, id, 1, %s, %s, %s, %s, %s, now() FROM runs",
        *[EVIL] * 5,
    )
    desk.rows(
        "INSERT INTO merge_requests (run_id, repository, project_id, iid, url, source_branch, state, head_sha,"
        " seen_head_sha, opened_at) SELECT id, %s, 1, 1, 'javascript:alert(1)', %s, %s, '', '', now() FROM runs",
        *[EVIL] * 3,
    )
    plan = {
        "outcome": "fix",
        "complexity": "simple",
        "risk": "low",
        "deploy_pattern": "sequential",
        "steps": [EVIL],
        "requirements": [EVIL],
        "location": {"repository": EVIL, "file": EVIL, "line": 1},
        "repositories": [
            {
                "confidence": 1,
                "files": [EVIL],
                "tests": [EVIL],
                **dict.fromkeys(["repository", "agent", "reason", "approach"], EVIL),
            }
        ],
        **dict.fromkeys(["reason", "title", "summary", "expected", "actual", "root_cause", "risk_reason"], EVIL),
    }
    report = {
        "run": "00000000000000aa",
        "iteration": 1,
        "phase": "analysis",
        "repository": None,
        "outcome": "succeeded",
        "reason": EVIL,
        "result": {"type": "analysis", "plan": plan},
    }
    desk.rows(
        "INSERT INTO reports (run_id, iteration, phase, project_id, pipeline_id, job_id, sha256, report, outcome,"
        " state, reason, received_at)"
        " SELECT id, 1, 'analysis', 1, 100, 1, '', %s, 'succeeded', 'discarded', %s, now() FROM runs",
        json.encode(report).decode(),
        EVIL,
    )
    desk.rows(
        "INSERT INTO plans (run_id, iteration, report_id, plan, accepted_at)"
        " SELECT run_id, 1, id, %s, now() FROM reports",
        json.encode(plan).decode(),
    )
    desk.rows(
        "INSERT INTO decisions (run_id, event_kind, event, verdict, reason, status_after, at)"
        " SELECT id, %s, '{}', %s, %s, %s, now() FROM runs",
        *[EVIL] * 4,
    )
    desk.rows(
        "INSERT INTO effects (key, run_id, kind, payload, state, created_at, due_at, last_error)"
        " SELECT 'k', id, %s, jsonb_build_object('repository', %s::text), %s, now(), now(), %s FROM runs",
        *[EVIL] * 4,
    )
    desk.rows(
        "INSERT INTO usage (call_id, run_id, iteration, phase, repository, job_id, purpose, model, state,"
        " reserved_usd, reserved_at) SELECT 'c', id, 1, 'analysis', %s, 1, 'work', %s, 'unknown', 1, now() FROM runs",
        *[EVIL] * 2,
    )
    desk.rows(
        "INSERT INTO interventions (run_id, kind, actor, detail, at) SELECT id, 'commit', %s, %s, now() FROM runs",
        *[EVIL] * 2,
    )
    desk.rows("INSERT INTO iterations (run_id, number, kind, started_at) SELECT id, 7, 'fix', now() FROM runs")
    desk.rows(
        "INSERT INTO remedies (run_id, iteration, repository, mends, remedy, tier, confidence, action, state,"
        " matched_at) SELECT id, 7, %s, 1, %s, 1, 0.98, 'commit', 'accepted', now() FROM runs",
        *[EVIL] * 2,
    )
    url = serve(read_tokens="r", jira_url="http://jira.example/", gitlab_url="http://gitlab.example/")
    headers = {"authorization": "Bearer r"}
    return {path: httpx2.get(url + path, headers=headers, timeout=30) for path in ("/", "/runs/PL-479", "/remedies")}


def test_hostile_text_is_shown_as_text_and_nothing_of_it_works(pages: dict[str, httpx2.Response]) -> None:
    for path, answer in pages.items():
        assert answer.status_code == 200, answer.text
        looked = Looked(answer.text)
        assert looked.tags <= TAGS, path
        assert looked.attributes <= ATTRIBUTES, path
        assert not [link for link in looked.links if not link.startswith(("/", "#", "http://"))]
        assert "<script>alert(1)</script>" in looked.text
        assert "{{ 7*7 }}" in looked.text
        assert not {"\u202e", "\u2066"} & set(answer.text)


def test_no_page_scrolls_sideways_on_a_phone(pages: dict[str, httpx2.Response], sideways: Any) -> None:
    assert sideways({path: answer.text for path, answer in pages.items()}) == {}


def test_pages_run_nothing_fetch_nothing_and_are_kept_nowhere(pages: dict[str, httpx2.Response]) -> None:
    for answer in pages.values():
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "no-store" in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("`x` is <b>", "<code>x</code> is &lt;b&gt;"),
        ("`<img src=x>` here", "<code>&lt;img src=x&gt;</code> here"),
        ("one ` alone, ``two``", "one ` alone, ``two``"),
        ("\u202eturned `\u202ecode`", "turned <code>code</code>"),
    ],
)
def test_code_in_backticks_is_shown_as_code_and_nothing_else_of_a_text(text: str, shown: str) -> None:
    assert prose(text) == shown


@pytest.mark.parametrize(("value", "shown"), [(0, "0"), (999, "999"), (12345, "12,345"), (1234567, "1,234,567")])
def test_numbers_are_grouped(value: int, shown: str) -> None:
    assert count(value) == shown


def test_a_share_of_nothing_is_none() -> None:
    assert (percent(1, 3), percent(0, 0)) == ("33 %", "—")


def test_the_plan_is_told_with_all_that_is_to_be_done(pages: dict[str, httpx2.Response]) -> None:
    text = Looked(pages["/runs/PL-479"].text).text
    for heading in ("Requirements and acceptance criteria", "Tests to write", "100 % sure", "Deployment sequential"):
        assert heading in text


def test_a_cost_that_is_unknown_is_said_to_be(pages: dict[str, httpx2.Response]) -> None:
    assert "unknown" in Looked(pages["/runs/PL-479"].text).text


def test_the_pages_without_any_run_say_what_to_do(serve: Any) -> None:
    answer = httpx2.get(serve(read_tokens="r"), headers={"authorization": "Bearer r"}, timeout=60)
    assert "No run yet" in answer.text


def test_each_template_compiles_with_strict_names() -> None:
    found = sorted(PAGES.glob("*.j2"))
    assert len(found) >= 3
    for file in found:
        assert environment().get_template(file.name)
