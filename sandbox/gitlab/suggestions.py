"""Suggestions in notes on the diff: reading them, and whether they can be applied. Changes no repository.

Sources: app/models/suggestion.rb, lib/gitlab/diff/suggestion.rb and suggestions_parser.rb, concerns/suggestible.rb.
"""

import re
from typing import Final

from sandbox.gitlab import positions
from sandbox.gitlab.merge_request_model import MergeRequest, Note, NoteType, Suggestion
from sandbox.gitlab.model import Project
from sandbox.gitlab.repository import Repository
from sandbox.gitlab.state import State

MAX_CONTEXT: Final = 100
"""Lines above and below that a suggestion may reach; more are cut off."""
_BLOCK: Final = re.compile(
    r"^(?P<fence>`{3,}|~{3,})suggestion(?::(?P<range>[^\n`]*))?[ \t]*\n(?P<text>.*?)^(?P=fence)[`~]*[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
_RANGE: Final = re.compile(r"(?:-(?P<above>\d+))?(?:\+(?P<below>\d+))?")


def lines_of(content: bytes) -> list[str]:
    """Split a file into lines as Ruby does, each with its end."""
    return re.findall(r"[^\n]*\n|[^\n]+", content.decode("utf-8", "surrogateescape"))


def from_line(note: Note, one: Suggestion) -> int:
    """Give the first line that a suggestion replaces, where its note stands now."""
    return max(_target(note) - min(one.lines_above, MAX_CONTEXT), 1)


def to_line(note: Note, one: Suggestion) -> int:
    """Give the last line that a suggestion replaces."""
    return _target(note) + min(one.lines_below, MAX_CONTEXT)


def _target(note: Note) -> int:
    return (note.position.new_line if note.position else None) or 0


async def make(state: State, project: Project, note: Note) -> None:
    """Read the suggestions of a note anew; those that it had are gone, with their ids (Notes::UpdateService)."""
    note.suggestions = []
    repository, position = Repository(project.repository), note.position
    if note.type is not NoteType.DIFF or position is None or position.new_line is None:
        return
    if await positions.line_code(repository, position) is None:
        return
    for block in _BLOCK.finditer(note.body):
        reach = _RANGE.fullmatch(block["range"] or "")
        one = Suggestion(
            id=state.next_id("suggestion"),
            lines_above=int((reach and reach["above"]) or 0),
            lines_below=int((reach and reach["below"]) or 0),
        )
        one.from_content = await content(project, note, one) or ""
        text = block["text"].removesuffix("\n")
        end = "\n" if one.from_content.endswith("\n") else ""
        one.to_content = f"{text}{end}" if text.strip() else ""
        note.suggestions.append(one)


def without_blocks(note: Note) -> str:
    """Give a note's text without its suggestions, which the page shows in their place."""
    return _BLOCK.sub("", note.body)


async def content(project: Project, note: Note, one: Suggestion) -> str | None:
    """Read what stands where a suggestion stands; None when the file is gone."""
    found = await file_lines(project, note)
    return None if found is None else "".join(found[from_line(note, one) - 1 : to_line(note, one)])


async def file_lines(project: Project, note: Note) -> list[str] | None:
    """Read the lines of the file that a note on the diff is about."""
    repository, position = Repository(project.repository), note.position
    entry = None if position is None else await repository.entry(position.refs.head_sha, position.new_path)
    return None if entry is None else lines_of(await repository.blob(entry.id))


async def outdate(project: Project, mr: MergeRequest) -> None:
    """Mark what no longer stands where it stood (Suggestions::OutdateService)."""
    for note in mr.notes:
        for one in note.suggestions:
            one.outdated = one.outdated or await content(project, note, one) != one.from_content


def inapplicable_reason(mr: MergeRequest, note: Note, one: Suggestion, *, branch_exists: bool = True) -> str | None:
    """Say why a suggestion can't be applied, as GitLab words it; None when it can."""
    position = note.position
    active = position is not None and position.refs == mr.refs
    single = one.lines_above == 0 and one.lines_below == 0
    lines = "this line was" if single else "these lines were"
    edit = "To apply this suggestion, edit this file directly."
    reasons = (
        (one.applied, "Can't apply this suggestion."),
        (mr.state == "merged", f"This merge request was merged. {edit}"),
        (mr.state == "closed", f"This merge request is closed. {edit}"),
        (not branch_exists, "Can't apply as the source branch was deleted."),
        (one.outdated or not active, f"Can't apply as {lines} changed in a more recent version."),
        (one.from_content == one.to_content, "This suggestion already matches its content."),
        (
            position is not None and position.new_path.endswith("ipynb"),
            "This file was modified for readability, and can't accept suggestions. Edit it directly.",
        ),
    )
    return next((sentence for holds, sentence in reasons if holds), None)
