"""Words that must not be left with GitLab are found wherever they stand."""

from __future__ import annotations

import httpx2
import pytest

from sandbox.demo.spoken import found, merge_request


def test_words_are_found_in_any_case_and_nothing_else_is() -> None:
    left = {"analysis's log": b"turn 1: SQL Injection", "analysis's artifact plan.json": b"{}"}
    assert found(left, ["injection", "store.py"]) == ["'injection' stands in analysis's log"]


@pytest.mark.parametrize(
    "data",
    [
        b"O'Brien",
        b"<failure>O&#39;Brien</failure>",
        b"<failure>O&#x27;Brien</failure>",
        b"<failure>O&apos;Brien</failure>",
        b"<p>O&amp;#39;Brien</p>",
        rb'{"name": "O\u0027Brien"}',
        rb'{"line": "{\"name\": \"O\\u0027Brien\"}"}',
        rb'{"page": "O&#39;Brien"}',
        rb"<system-out>{&quot;name&quot;: &quot;O\u0027Brien&quot;}</system-out>",
        b"\xff\xfe O'Brien",
    ],
)
def test_words_are_found_whatever_was_escaped(data: bytes) -> None:
    assert found({"junit.xml": data}, ["o'brien", "Weber"]) == ['"o\'brien" stands in junit.xml']


def test_a_word_with_quotes_is_found_in_json() -> None:
    assert found({"log": rb'{"said": "near \"Brien\": syntax"}'}, ['near "brien"']) == [
        "'near \"brien\"' stands in log"
    ]


def test_all_that_people_read_of_a_merge_request_is_searched() -> None:
    """Lists to their last page."""
    texts = {"title": "the title", "description": "the description", "source_branch": "the branch"}
    lists = {"notes": [{"body": f"note {number}"} for number in range(3)], "commits": [{"message": "the message"}]}

    def answer(request: httpx2.Request) -> httpx2.Response:
        entries = lists.get(request.url.path.rpartition("/")[2])
        if entries is None:
            return httpx2.Response(200, json=texts)
        page = int(request.url.params["page"])
        following = str(page + 1) if page < len(entries) else ""
        return httpx2.Response(200, json=entries[page - 1 : page], headers={"x-next-page": following})

    with httpx2.Client(
        base_url="http://gitlab.test/api/v4", transport=httpx2.MockTransport(answer), timeout=60
    ) as client:
        found_texts = merge_request(client, "/projects/7/merge_requests/1")
    assert found_texts == ["the title", "the description", "the branch", "note 0", "note 1", "note 2", "the message"]
