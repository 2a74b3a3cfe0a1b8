"""Notes and uploads through the real python-gitlab client."""

from pathlib import Path
from typing import Any

import gitlab
import httpx2
import pytest

pytestmark = pytest.mark.integration


@pytest.fixture
def project(emulated: Any) -> Any:
    return emulated.client().projects.get("payk12/contacts")


@pytest.fixture
def mr(project: Any) -> Any:
    project.commits.create(
        {
            "branch": "topic",
            "start_branch": "main",
            "commit_message": "Fix",
            "actions": [{"action": "create", "file_path": "x", "content": "x"}],
        }
    )
    return project.mergerequests.create({"source_branch": "topic", "target_branch": "main", "title": "Fix"})


def test_notes_are_created_listed_edited_and_deleted(mr: Any) -> None:
    first = mr.notes.create({"body": "one"})
    second = mr.notes.create({"body": "two"})
    assert [note.body for note in mr.notes.list(get_all=True)] == ["two", "one"]
    ascending = mr.notes.list(get_all=True, order_by="created_at", sort="asc")
    assert [note.id for note in ascending] == [first.id, second.id]
    first.body = "one, edited"
    first.save()
    assert mr.notes.get(first.id).body == "one, edited"
    assert mr.notes.get(first.id).author["username"] == "bug-fix-bot"
    second.delete()
    with pytest.raises(gitlab.GitlabGetError, match="404 Note Not Found"):
        mr.notes.get(second.id)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("  ", "can't be blank"),
        ("x" * 1_000_001, "too long"),
        ("hello\n/merge", "quick action /merge"),
        ("/close now", "quick action /close"),
    ],
)
def test_a_note_that_gitlab_would_not_simply_keep_is_refused(mr: Any, body: str, sentence: str) -> None:
    with pytest.raises(gitlab.GitlabCreateError, match=sentence):
        mr.notes.create({"body": body})


def test_a_command_of_ours_stays_in_the_note(mr: Any) -> None:
    assert mr.notes.create({"body": "/bug-fix retry\n/tmp/merge/x\n/merge/y"}).body.startswith("/bug-fix retry")


def test_only_the_author_and_maintainers_change_a_note(emulated: Any, mr: Any) -> None:
    note = mr.notes.create({"body": "mine"})

    def as_user(who: str) -> Any:
        return emulated.client(who).projects.get("payk12/contacts").mergerequests.get(1).notes.get(note.id)

    theirs = as_user("tomas")
    theirs.body = "taken"
    with pytest.raises(gitlab.GitlabUpdateError, match="403"):
        theirs.save()
    with pytest.raises(gitlab.GitlabDeleteError, match="403"):
        theirs.delete()
    maintained = as_user("mara")
    maintained.body = "moderated"
    maintained.save()
    assert mr.notes.get(note.id).body == "moderated"


def test_a_system_note_cannot_be_edited(mr: Any) -> None:
    mr.state_event = "close"
    mr.save()
    (system,) = mr.notes.list(get_all=True, activity_filter="only_activity")
    assert system.system is True
    system.body = "no"
    with pytest.raises(gitlab.GitlabUpdateError, match="403"):
        system.save()


def test_an_uploaded_picture_is_served_byte_for_byte(emulated: Any, project: Any, tmp_path: Path) -> None:
    content = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) + b"\r\n--"
    file = tmp_path / "before and after.png"
    file.write_bytes(content)
    uploaded = project.upload("before and after.png", filepath=str(file))
    assert uploaded["markdown"].startswith("![before_and_after](/uploads/")
    path = uploaded["url"].removeprefix("/uploads")
    served = httpx2.get(f"{emulated.url}/-/project/{project.id}/uploads{path}", timeout=60)
    assert (served.content, served.headers["content-type"]) == (content, "image/png")
    assert httpx2.get(f"{emulated.url}/-/project/{project.id}/uploads/{'0' * 32}/x.png", timeout=60).status_code == 404


def test_an_uploaded_page_is_never_shown_as_a_page(emulated: Any, project: Any) -> None:
    uploaded = project.upload("x.html", filedata=b"<script>alert(1)</script>")
    served = httpx2.get(f"{emulated.url}/-/project/{project.id}{uploaded['url']}", timeout=60)
    assert served.headers["content-type"] == "application/octet-stream"
    assert served.headers["content-disposition"].startswith("attachment")


def test_lists_are_paged_as_gitlab_pages_them(emulated: Any, mr: Any) -> None:
    for number in range(45):
        mr.notes.create({"body": str(number)})
    url = f"{emulated.url}/api/v4/projects/payk12%2Fcontacts/merge_requests/1/notes"
    headers = {"private-token": emulated.token("bot")}
    answer = httpx2.get(url, params={"page": 2, "per_page": 20, "sort": "asc"}, headers=headers, timeout=60)
    assert [note["body"] for note in answer.json()] == [str(number) for number in range(20, 40)]
    wanted = {"x-page": "2", "x-per-page": "20", "x-total": "45", "x-total-pages": "3", "x-next-page": "3"}
    assert {name: answer.headers[name] for name in wanted} == wanted
    assert answer.headers["x-prev-page"] == "1"
    assert "page=3" in answer.links["next"]["url"]
    assert "sort=asc" in answer.links["next"]["url"]
    assert httpx2.get(answer.links["last"]["url"], headers=headers, timeout=60).json()[-1]["body"] == "44"
    assert len(mr.notes.list(iterator=True)) == 45
    assert sum(1 for _ in mr.notes.list(iterator=True, per_page=7)) == 45
    assert httpx2.get(url, params={"page": 0}, headers=headers, timeout=60).status_code == 400
