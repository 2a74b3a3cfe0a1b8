"""Apply suggestions, one or several as one commit (lib/api/suggestions.rb, Suggestions::ApplyService)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from sandbox.gitlab import auth, conversation, entities, suggestions
from sandbox.gitlab.api.commits import Action, NewCommit, commit_actions
from sandbox.gitlab.api.given import names, parse, required
from sandbox.gitlab.merge_request_model import MergeRequest, Note, Suggestion
from sandbox.gitlab.model import Access, Project, User
from sandbox.gitlab.repository import Repository
from sandbox.gitlab.state import State
from sandbox.http import HttpError, Request, Response, Route

MESSAGE: Final = "Apply %{suggestions_count} suggestion(s) to %{files_count} file(s)\n\n%{co_authored_by}"
OVERLAP: Final = "Suggestions are not applicable as their lines cannot overlap."


class Apply(msgspec.Struct, frozen=True, kw_only=True):
    """How to apply one."""

    commit_message: str | None = None


class BatchApply(msgspec.Struct, frozen=True, kw_only=True):
    """Which ones to apply, and how."""

    ids: list[int] | str
    commit_message: str | None = None


@dataclass(frozen=True)
class Found:
    """A suggestion and where it stands."""

    project: Project
    mr: MergeRequest
    note: Note
    one: Suggestion


async def apply(state: State, request: Request) -> Response:
    """Apply one suggestion."""
    user = auth.subject(state, request).user
    text = request.params["suggestion_id"]
    if not text.isdecimal():
        raise HttpError(400, {"error": "id is invalid"})
    found = _find(state, {int(text)})
    if not found:
        raise HttpError(404, {"message": "Suggestion is not applicable as the suggestion was not found."})
    (shape,) = await _apply(state, user, found, parse(request, Apply).commit_message)
    return Response.json(shape)


async def batch_apply(state: State, request: Request) -> Response:
    """Apply several in one commit."""
    user, wanted = auth.subject(state, request).user, parse(request, BatchApply)
    ids = wanted.ids.split(",") if isinstance(wanted.ids, str) else wanted.ids
    found = _find(state, {int(one) for one in ids if str(one).strip().isdecimal()})
    if len(found) != len(ids):
        raise HttpError(404, {"message": "Suggestions are not applicable as one or more suggestions were not found."})
    return Response.json(await _apply(state, user, found, wanted.commit_message))


def _find(state: State, ids: set[int]) -> list[Found]:
    found = [
        Found(project, mr, note, one)
        for project in state.projects.values()
        for mr in project.merge_requests.values()
        for note in mr.notes
        for one in note.suggestions
        if one.id in ids
    ]
    return sorted(found, key=lambda each: each.one.id)


async def _apply(state: State, user: User, found: list[Found], message: str | None) -> list[dict[str, object]]:
    """Write the commit; the answer shows the suggestions as they were before it, as GitLab's does."""
    for each in found:
        level = state.access(user, each.project)
        protected = each.mr.source_branch in each.project.protected_branches
        if level < (Access.MAINTAINER if protected else Access.DEVELOPER):
            raise HttpError(403, {"message": "403 Forbidden"})
    first = found[0]
    refusal = await _refusal(found)
    if refusal is not None:
        raise HttpError(400, {"message": refusal})
    shapes = [conversation.suggestion(each.mr, each.note, each.one) for each in found]
    files = await _new_contents(found)
    authors = list({each.note.author_id: state.users[each.note.author_id] for each in found}.values())
    author = authors[0] if len(authors) == 1 else None
    new = NewCommit(
        branch=first.mr.source_branch,
        commit_message=_message(first, user, authors, found, files, message or MESSAGE),
        actions=[Action(action="update", file_path=path, content=content) for path, content in files.items()],
        author_name=author.name if author else None,
        author_email=entities.address(author) if author else None,
    )
    commit = await commit_actions(state, first.project, user, new)
    for each in found:
        each.one.applied, each.one.commit_id = True, commit.id
    return shapes


async def _refusal(found: list[Found]) -> str | None:
    """Say why these can't be applied together, in the order in which Gitlab::Suggestions::SuggestionSet looks."""
    first = found[0]
    for each in found:
        head = await Repository(each.project.repository).branch(each.mr.source_branch)
        if await suggestions.file_lines(each.project, each.note) is None:
            return "A file was not found."
        if each.mr.source_branch != first.mr.source_branch:
            return "Suggestions must all be on the same branch."
        if await suggestions.content(each.project, each.note, each.one) != each.one.from_content:
            each.one.outdated = True
        reason = suggestions.inapplicable_reason(each.mr, each.note, each.one, branch_exists=head is not None)
        if reason is not None:
            return reason
        if each.note.position is None or each.note.position.refs.head_sha != head:
            return "A file has been changed."
    taken: set[tuple[str, int]] = set()
    for each in found:
        touched = {(_path(each), line) for line in _lines(each)}
        if taken & touched:
            return OVERLAP
        taken |= touched
    return None


def _path(each: Found) -> str:
    return each.note.position.new_path if each.note.position else ""


def _lines(each: Found) -> range:
    return range(suggestions.from_line(each.note, each.one), suggestions.to_line(each.note, each.one) + 1)


async def _new_contents(found: list[Found]) -> dict[str, str]:
    """Give the new content of each file: replaced from the bottom up, so that the lines above keep their numbers."""
    contents: dict[str, list[str]] = {}
    for each in sorted(found, key=lambda each: _lines(each).start, reverse=True):
        path = _path(each)
        if path not in contents:
            contents[path] = await suggestions.file_lines(each.project, each.note) or []
        lines = _lines(each)
        contents[path][lines.start - 1 : lines.stop - 1] = [each.one.to_content]
    return {path: "".join(lines) for path, lines in contents.items()}


def _message(
    first: Found, user: User, authors: list[User], found: list[Found], files: Mapping[str, str], text: str
) -> str:
    others = [f"Co-authored-by: {one.name} <{entities.address(one)}>" for one in authors if one.id != user.id]
    values = {
        "branch_name": first.mr.source_branch,
        "files_count": str(len(files)),
        "file_paths": ", ".join(sorted(files)),
        "project_name": first.project.name,
        "project_path": first.project.path,
        "user_full_name": user.name,
        "username": user.username,
        "suggestions_count": str(len(found)),
        "co_authored_by": "\n".join(others),
    }
    for name, value in values.items():
        text = text.replace(f"%{{{name}}}", value)
    return text.strip()


ROUTES = (
    Route(
        "PUT", "/api/v4/suggestions/batch_apply", batch_apply, params=names(BatchApply), required=required(BatchApply)
    ),
    Route("PUT", "/api/v4/suggestions/:suggestion_id/apply", apply, params=names(Apply)),
)
