"""What people say: notes, threads, suggestions, emoji."""

from typing import Any

from sandbox.gitlab import file_diff
from sandbox.gitlab.file_diff import moved_to_old
from sandbox.gitlab.people.person import OnMergeRequest, OnNote, Person, url
from sandbox.gitlab.repository import Repository
from sandbox.http import HttpError


class Words(OnMergeRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A note: on its own, in a thread of its own, or on a line of the diff."""

    body: str
    thread: bool = False
    path: str | None = None
    line: int | None = None
    """In the new file."""
    old_line: int | None = None
    """Of a line that is taken out."""


class Suggesting(OnMergeRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """New text for lines of the new file, the last of which is `line`."""

    path: str
    line: int
    text: str
    lines_above: int = 0
    body: str = ""


class Answer(OnNote, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reply in the thread of a note, or the new text of the note."""

    body: str


class Emoji(OnMergeRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An emoji on a note, or on the merge request."""

    emoji: str
    note: int | None = None


async def comment(person: Person, words: Words) -> object:
    """Say something."""
    if words.path is None:
        where = "discussions" if words.thread else "notes"
        return await person.asks("POST", f"{url(words)}/{where}", {"body": words.body})
    place = await _place(person, words, words.path, new=words.line, old=words.old_line)
    return await person.asks("POST", f"{url(words)}/discussions", {"body": words.body, "position": place})


async def suggest(person: Person, given: Suggesting) -> object:
    """Suggest a text for lines of the diff."""
    place = await _place(person, given, given.path, new=given.line, old=None)
    block = f"```suggestion:-{given.lines_above}+0\n{given.text}\n```"
    body = f"{given.body}\n\n{block}".strip()
    return await person.asks("POST", f"{url(given)}/discussions", {"body": body, "position": place})


async def _place(person: Person, on: OnMergeRequest, path: str, *, new: int | None, old: int | None) -> dict[str, Any]:
    """Give the position of a line as the page knows it: of an unchanged line it has both numbers."""
    project, mr = person.found(on)
    if mr.refs is None:
        raise HttpError(400, {"error": f"{on.project}!{on.iid} has no diff yet"})
    refs = mr.refs
    diff = await file_diff.between(
        Repository(project.repository), refs.base_sha, refs.head_sha, path=path, of_old=False
    )
    if diff is None:
        raise HttpError(400, {"error": f"{on.project}!{on.iid} does not change {path}"})
    before = old if new is None else moved_to_old(diff, new)
    lines = {"old_line": before, "new_line": new}
    return {
        "position_type": "text",
        "base_sha": refs.base_sha,
        "start_sha": refs.start_sha,
        "head_sha": refs.head_sha,
        "old_path": diff.old_path,
        "new_path": diff.new_path,
        **{name: value for name, value in lines.items() if value is not None},
    }


async def answer(person: Person, given: Answer) -> object:
    """Reply in a thread; a note on its own becomes one by that."""
    discussion = person.note(given).discussion_id
    return await person.asks("POST", f"{url(given)}/discussions/{discussion}/notes", {"body": given.body})


async def edit(person: Person, given: Answer) -> object:
    """Change one's note."""
    return await person.asks("PUT", f"{url(given)}/notes/{given.note}", {"body": given.body})


async def delete(person: Person, given: OnNote) -> object:
    """Delete one's note."""
    return await person.asks("DELETE", f"{url(given)}/notes/{given.note}")


async def resolve(person: Person, given: OnNote) -> object:
    """Resolve the thread of a note; with a suggestion in it that isn't applied, that is to dismiss it."""
    return await _settle(person, given, resolved=True)


async def unresolve(person: Person, given: OnNote) -> object:
    """Open the thread of a note again."""
    return await _settle(person, given, resolved=False)


async def _settle(person: Person, given: OnNote, *, resolved: bool) -> object:
    discussion = person.note(given).discussion_id
    return await person.asks("PUT", f"{url(given)}/discussions/{discussion}", {"resolved": resolved})


async def react(person: Person, given: Emoji) -> object:
    """React with an emoji."""
    return await person.asks("POST", _awards(given), {"name": given.emoji})


async def unreact(person: Person, given: Emoji) -> object:
    """Take one's emoji back."""
    awards = await person.asks("GET", _awards(given))
    mine = [one["id"] for one in awards if one["name"] == given.emoji and one["user"]["id"] == person.user.id]
    if not mine:
        raise HttpError(404, {"error": f"{person.user.username} has not given {given.emoji}"})
    return await person.asks("DELETE", f"{_awards(given)}/{mine[0]}")


def _awards(given: Emoji) -> str:
    on = url(given) if given.note is None else f"{url(given)}/notes/{given.note}"
    return f"{on}/award_emoji"
