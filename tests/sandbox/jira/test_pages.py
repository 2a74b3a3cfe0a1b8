"""The pages show what the ticket holds, as text."""

import io
from typing import Any

import httpx2
import pytest

pytestmark = pytest.mark.integration


def page(emulated: Any, path: str) -> httpx2.Response:
    return httpx2.get(f"{emulated.url}{path}", timeout=60)


def test_an_issue_s_page_tells_its_story(either: Any) -> None:
    client = either.client()
    either.client("mara").issue("PL-479").add_field_value("labels", "bug-fix")
    client.transition_issue("PL-479", "Start work")
    client.add_comment("PL-479", "Bug fix: *analysing*")
    client.add_simple_link("PL-479", {"url": "https://git.example.org/1", "title": "payk12/contacts!1"})
    text = page(either, "/browse/PL-479").text
    assert '<span class="lozenge indeterminate">In Progress</span>' in text
    assert '<span class="label">bug-fix</span>' in text
    assert "Bug fix: <strong>analysing</strong>" in text
    assert '<a href="https://git.example.org/1" rel="nofollow noreferrer">payk12/contacts!1</a>' in text
    assert "<b>labels</b> front-office → <b>bug-fix front-office</b>" in text


def test_hostile_text_is_shown_and_not_run(cloud: Any) -> None:
    client = cloud.client("mara")
    evil = "<script>alert(1)</script>"
    issue = client.issue("PL-479")
    issue.update(fields={"summary": f"{evil}", "description": f'{evil} [x|javascript:a] "onload=', "labels": [evil]})
    client.add_comment("PL-479", f"{{quote}}{evil}{{quote}}")
    client.add_simple_link("PL-479", {"url": "javascript:alert(1)", "title": evil})
    for path in ("/", "/browse/PL-479"):
        answer = page(cloud, path)
        assert "<script" not in answer.text
        assert "javascript:alert(1)" not in answer.text.replace("[x|javascript:a]", "")
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_picture_that_is_attached_is_shown_where_it_is_named_and_nothing_else_is(cloud: Any) -> None:
    client = cloud.client()
    picture = client.add_attachment("PL-479", io.BytesIO(b"\x89PNG"), filename="after.png")
    drawing = client.add_attachment("PL-479", io.BytesIO(b"<svg/>"), filename="after.svg")
    client.add_comment("PL-479", "!after.png|thumbnail! !after.svg|thumbnail! !elsewhere.png!")
    text = page(cloud, "/browse/PL-479").text
    assert f'<img class="thumbnail" src="/picture/{picture.id}" alt="after.png">' in text
    assert '<span class="image">after.svg</span>' in text
    assert '<span class="image">elsewhere.png</span>' in text
    shown = page(cloud, f"/picture/{picture.id}")
    assert (shown.content, shown.headers["content-type"]) == (b"\x89PNG", "image/png")
    assert page(cloud, f"/picture/{drawing.id}").status_code == 404


def test_a_page_as_somebody_sees_it_has_no_comment_that_is_not_for_them(cloud: Any) -> None:
    client = cloud.client()
    client.add_comment("PL-479", "For all.")
    client.add_comment("PL-479", "For some.", visibility={"type": "group", "value": "payk12-developers"})
    client.add_comment("PL-479", "For a role.", visibility={"type": "role", "value": "Administrators"})
    shown = {name: page(cloud, f"/browse/PL-479?as={name}").text for name in ("mara", "dana", "")}
    assert all("For all." in text for text in shown.values())
    assert [name for name, text in shown.items() if "For some." in text] == ["mara", ""]
    assert [name for name, text in shown.items() if "For a role." in text] == [""]
    assert page(cloud, "/browse/PL-479?as=nobody").status_code == 404


def test_no_page_scrolls_sideways_on_a_phone(cloud: Any, sideways: Any) -> None:
    long = "x" * 200
    issue = cloud.client("mara").issue("PL-479")
    issue.update(fields={"summary": long, "description": f"{long}\n||a||b||\n|{long}|b|\n{{code}}{long}{{code}}"})
    issue.add_field_value("labels", long)
    cloud.client().add_comment("PL-479", f"Bug fix: *{long}*\n|a|b|c|d|e|f|g|h|{long}|\n!{long}.png|thumbnail!")
    cloud.client().add_simple_link("PL-479", {"url": "https://git.example.org/1", "title": long})
    paths = ("/", "/browse/PL-479", "/browse/PL-1")
    assert sideways({path: page(cloud, path).text for path in paths}) == {}


def test_an_unknown_issue_has_a_page_that_says_so(unchanged_cloud: Any) -> None:
    answer = page(unchanged_cloud, "/browse/PL-1")
    assert answer.status_code == 404
    assert "It may have been deleted" in answer.text


def test_the_board_has_a_lane_for_each_status(unchanged_cloud: Any) -> None:
    text = page(unchanged_cloud, "/").text
    assert [name for name in ("To Do 1", "In Progress 0", "In Review 0", "Done 0") if name in text] == [
        "To Do 1",
        "In Progress 0",
        "In Review 0",
        "Done 0",
    ]
    assert page(unchanged_cloud, "/avatar/mara.svg").headers["content-type"] == "image/svg+xml"
