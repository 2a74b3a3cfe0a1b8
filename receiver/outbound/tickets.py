"""Effects on the ticket: admit it, comment, move, link."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pipelines.catalogue import Catalogue
from pipelines.model import CommitSha, IssueKey, ProjectPath, RunId
from receiver.outbound.desk import Desk, Performed
from receiver.outbound.jira_client import Transition
from receiver.outbound.standing_notes import Place, keep_note
from receiver.store import stories
from receiver.store.notes import REFUSAL
from receiver.workflow.effects import AdmitTicket, CommentRefusal, LinkTicket, TransitionIssue, UpdateTicketNote
from receiver.workflow.events import TicketAdmitted, TicketRefused


async def admit(desk: Desk, effect: AdmitTicket) -> Performed:
    """Fetch the ticket and the repositories' heads, and check that the person may start runs."""
    catalogue = desk.catalogue()
    issue = await asyncio.to_thread(desk.jira.issue, effect.issue_key)
    refusal = None
    if effect.actor is not None:
        allowed = await asyncio.to_thread(may_start, catalogue, effect.actor, desk.jira.groups_of)
        if not allowed:
            refusal = (
                "The person who set the label may not start bug fixes. Ask somebody who may, or have the account or "
                "one of its groups added to `jira.start.allowed` in bug-fix.yml; then set the label again."
            )
        elif catalogue.jira.start.label not in issue.ticket.labels:
            refusal = f"The label {catalogue.jira.start.label} was removed before the run began. Set it again to start."
    if refusal is not None:
        return Performed(events=(TicketRefused(reason=refusal),))
    heads = await asyncio.to_thread(_heads, desk, catalogue)
    admitted = TicketAdmitted(ticket=issue.ticket, base_shas=heads, catalogue_sha256=catalogue.sha256)
    return Performed(events=(admitted,), result={"status": issue.status})


def may_start(catalogue: Catalogue, actor: str, groups_of: Callable[[str], frozenset[str]]) -> bool:
    """Return whether a person may start runs; groups are asked for only when the account isn't named."""
    rules = [rule.partition(":") for rule in catalogue.jira.start.allowed]
    if any(kind == "account" and name == actor for kind, _, name in rules):
        return True
    groups = {name for kind, _, name in rules if kind == "group"}
    return bool(groups) and not groups.isdisjoint(groups_of(actor))


def _heads(desk: Desk, catalogue: Catalogue) -> dict[ProjectPath, CommitSha]:
    heads: dict[ProjectPath, CommitSha] = {}
    for path in catalogue.repositories:
        project = desk.repositories.project(path)
        head = desk.repositories.head(project.id, project.default_branch)
        if head is not None:
            heads[path] = head.sha
    return heads


def _ticket_place(desk: Desk, run: RunId, key: str, target: str) -> Place:
    return Place(
        target=target,
        find=lambda: desk.jira.comments_with(key, marker=desk.notes.marker(run)),
        edit=lambda comment, body: desk.jira.edit_comment(key, comment, body),
        add=lambda body: desk.jira.add_comment(key, body),
    )


async def update_note(desk: Desk, run: RunId, _effect: UpdateTicketNote) -> Performed:
    """Make the status comment on the ticket tell the truth."""
    async with desk.database.begin() as session:
        story = await stories.story(session, await stories.find(session, run))
    place = _ticket_place(desk, run, story.run.issue_key, "ticket")
    note = await keep_note(desk, run, place, desk.notes.ticket(story), point="UpdateTicketNote")
    return Performed(result={"comment": note})


async def refuse(desk: Desk, run: RunId, effect: CommentRefusal) -> Performed:
    """Say once why nothing was started."""
    place = _ticket_place(desk, run, effect.issue_key, REFUSAL)
    body = desk.notes.refusal(effect.text, run=run)
    return Performed(result={"comment": await keep_note(desk, run, place, body, point="CommentRefusal")})


async def transition(desk: Desk, run: RunId, effect: TransitionIssue) -> Performed:
    """Move the ticket by the offered transition that leads to a status; what can't be done is said, and no failure."""
    async with desk.database.begin() as session:
        key = IssueKey((await stories.find(session, run)).issue_key)
    issue = await asyncio.to_thread(desk.jira.issue, key)
    if issue.status.casefold() == effect.to_status.casefold():
        return Performed(result={"moved": False, "to": effect.to_status})
    offered = await asyncio.to_thread(desk.jira.transitions, key)
    chosen, sentence = choose(offered, effect.to_status)
    if chosen is None:
        return Performed(result={"moved": False, "sentence": sentence}, then=(UpdateTicketNote(),))
    desk.faults.reach("TransitionIssue:before_post")
    await asyncio.to_thread(desk.jira.transition, key, chosen.id)
    desk.faults.reach("TransitionIssue:after_post")
    return Performed(result={"moved": True, "to": effect.to_status})


def choose(offered: list[Transition], to_status: str) -> tuple[Transition | None, str]:
    """Return the transition that leads to a status and asks for nothing, or a sentence that says why there is none."""
    leading = [one for one in offered if one.to_status.casefold() == to_status.casefold()]
    if not leading:
        return None, f"The ticket was left as it is: Jira offers no transition to {to_status} from here."
    free = [one for one in leading if not one.required]
    if not free:
        fields = ", ".join(leading[0].required)
        return None, f"The ticket was left as it is: the transition to {to_status} asks for {fields}."
    return free[0], ""


async def link(desk: Desk, run: RunId, effect: LinkTicket) -> Performed:
    """Put a remote link on the ticket; Jira replaces the one with the same id."""
    async with desk.database.begin() as session:
        key = (await stories.find(session, run)).issue_key
    await asyncio.to_thread(desk.jira.link, key, global_id=effect.global_id, url=effect.url, title=effect.title)
    return Performed(result={"url": effect.url})
