"""What people decide in a review: approvals, requested changes, suggestions that they apply."""

from typing import Literal

from sandbox.gitlab import activity
from sandbox.gitlab.api import approvals
from sandbox.gitlab.model import Access
from sandbox.gitlab.people.person import OnMergeRequest, OnNote, Person, url
from sandbox.gitlab.people.words import resolve
from sandbox.gitlab.reviewers import submit
from sandbox.http import HttpError


class Applying(OnMergeRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Suggestions to apply, several as one commit."""

    suggestions: list[int]


class Review(OnMergeRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A verdict, with a word."""

    verdict: Literal["approve", "request_changes", "comment"]
    body: str = ""


async def approve(person: Person, on: OnMergeRequest) -> object:
    """Approve."""
    return await person.asks("POST", f"{url(on)}/approve")


async def unapprove(person: Person, on: OnMergeRequest) -> object:
    """Take one's approval back."""
    return await person.asks("POST", f"{url(on)}/unapprove")


async def apply(person: Person, given: Applying) -> object:
    """Apply suggestions; the page resolves their threads then, which the REST route doesn't."""
    if len(given.suggestions) == 1:
        done = await person.asks("PUT", f"/suggestions/{given.suggestions[0]}/apply")
    else:
        done = await person.asks("PUT", "/suggestions/batch_apply", {"ids": given.suggestions})
    wanted = set(given.suggestions)
    for note in person.found(given)[1].notes:
        if wanted & {one.id for one in note.suggestions} and note.resolved_at is None:
            await resolve(person, OnNote(project=given.project, iid=given.iid, note=note.id))
    return done


async def review(person: Person, given: Review) -> object:
    """Submit a review; a person's token can only approve, the rest is for the page."""
    if given.body:
        await person.asks("POST", f"{url(given)}/notes", {"body": given.body})
    if given.verdict == "approve":
        return await approve(person, given)
    project, mr = person.found(given)
    user, state = person.user, person.state
    if user.id != mr.author_id and state.access(user, project) < Access.DEVELOPER:
        raise HttpError(403, {"message": "403 Forbidden"})
    verdicts = {
        "request_changes": ("requested_changes", "requested changes"),
        "comment": ("reviewed", "left review comments without approving"),
    }
    verdict, noted = verdicts[given.verdict]
    submit(mr, user, verdict)
    activity.system_note(state, mr, user, noted)
    if given.verdict == "request_changes" and any(one.user_id == user.id for one in mr.approvals):
        await approvals.take_back(state, project, mr, user)
    return await person.asks("GET", f"{url(given)}/reviewers")
