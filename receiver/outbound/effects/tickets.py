"""Effects on the ticket: admit it, comment, move, link."""

from __future__ import annotations

import asyncio

import structlog
from msgspec.structs import replace

from pipelines.language import IssueKey, RunId
from pipelines.language.catalogue import Catalogue
from pipelines.language.wire import Ticket
from receiver import limits
from receiver.outbound.effects import rights
from receiver.outbound.effects.desk import Desk, Performed
from receiver.outbound.effects.repository_heads import Heads, read_heads
from receiver.outbound.effects.status_notes import keep_note, on_ticket
from receiver.outbound.effects.ticket_attachments import fetched, left_out
from receiver.outbound.errors import RefusedError
from receiver.outbound.jira.issues import Issue
from receiver.outbound.jira.jira_client import Transition
from receiver.store.deliveries import taken_comments
from receiver.store.effects.note_locations import CONFIDENTIAL, REFUSAL, REMINDER, TICKET
from receiver.store.run import runs
from receiver.store.story import rows
from receiver.workflow.audience import Audience
from receiver.workflow.commands.ticket_dialogue import MAY_ANSWER
from receiver.workflow.effects import (
    AdmitTicket,
    CheckLabel,
    CommentRefusal,
    LinkTicket,
    OfferTurn,
    RefreshTicket,
    RemindTicket,
    TransitionIssue,
    UpdateTicketNote,
)
from receiver.workflow.events.run_events import TurnOffered
from receiver.workflow.events.ticket_events import (
    LabelChange,
    LabelChecked,
    TicketAdmitted,
    TicketRefreshed,
    TicketRefused,
)
from receiver.workflow.person import AccountId, Right

log = structlog.get_logger()


async def admit(desk: Desk, run: RunId, effect: AdmitTicket) -> Performed:
    """Fetch the ticket and the repositories' heads, and check that the person may start runs."""
    catalogue = desk.catalogue()
    async with desk.database.begin() as session:
        facts = await runs.facts(session, run)
    issue = await asyncio.to_thread(desk.jira.issue, effect.issue_key)
    refusal = await _why_not(desk, effect.actor, issue, is_commanded=facts.is_commanded)
    if refusal:
        return Performed(events=(TicketRefused(reason=refusal, actor=effect.actor),))
    heads = await asyncio.to_thread(_heads, desk, run, catalogue)
    ticket = await _told(desk, run, issue, audience=Audience.PUBLIC)
    admitted = TicketAdmitted(ticket=ticket, base_shas=heads.shas, catalogue_sha256=catalogue.sha256)
    result = {"status": issue.status, "repositories_left_out": heads.left_out}
    return Performed(events=(admitted,), result=result, remark=left_out(ticket))


async def offer_turn(desk: Desk, run: RunId, _effect: OfferTurn) -> Performed:
    """Let a queued run begin if it is its turn; before its first attempt the ticket has to allow it still."""
    async with desk.database.begin() as session:
        facts = await runs.facts(session, run)
    if facts.actor is not None and facts.iteration == 1:
        actor = AccountId(facts.actor)
        issue = await asyncio.to_thread(desk.jira.issue, facts.issue_key)
        refusal = await _why_not(desk, actor, issue, is_commanded=facts.is_commanded)
        if refusal:
            return Performed(events=(TicketRefused(reason=refusal, actor=actor),))
    return Performed(events=(TurnOffered(),))


async def _why_not(desk: Desk, actor: AccountId | None, issue: Issue, *, is_commanded: bool) -> str:
    """Return why a person's run may not begin, a sentence for people; empty: it may. An operator's always may.

    `is_commanded`: a command began it, and the label need not be there.
    """
    if actor is None:
        return ""
    catalogue = desk.catalogue()
    if not await asyncio.to_thread(rights.may_start, catalogue, actor, desk.jira.groups_of):
        return MAY_NOT_START
    label = catalogue.jira.start.label
    return "" if is_commanded or label in issue.ticket.labels else REMOVED.format(label=label)


MAY_NOT_START = (
    "The person who set the label may not start bug fixes. Ask somebody who may, or have the account or "
    "one of its groups added to `jira.start.allowed` in bug-fix.yml; then set the label again."
)
REMOVED = "The label {label} was removed before the run began. Set it again to start."


async def refresh(desk: Desk, run: RunId, effect: RefreshTicket) -> Performed:
    """Fetch the ticket and the repositories' heads again, if the person who continued the run has the right to."""
    async with desk.database.begin() as session:
        facts = await runs.facts(session, run)
    if facts.catalogue is None:
        raise RefusedError("The run has no catalogue: its ticket was never admitted.")
    issue = await asyncio.to_thread(desk.jira.issue, facts.issue_key)
    if effect.actor is not None:
        actor = await rights.on_ticket(desk, effect.actor, reporter=issue.ticket.reporter_account)
        if not actor.has_any({Right.START} if effect.is_for_starters else MAY_ANSWER):
            why = ENOUGH_PLANS if effect.is_for_starters else WHO_ANSWERS
            reason = f"The label changes nothing here: {actor.unknown_because or why}"
            return Performed(events=(TicketRefused(reason=reason, actor=effect.actor),))
    ticket = await _told(desk, run, issue, audience=facts.audience)
    heads = await asyncio.to_thread(_heads, desk, run, facts.catalogue)
    event = TicketRefreshed(
        iteration=effect.iteration, ticket=ticket, base_shas=heads.shas, because=effect.because, hint=effect.hint
    )
    result = {"status": issue.status, "repositories_left_out": heads.left_out}
    return Performed(events=(event,), result=result, remark=left_out(ticket))


WHO_ANSWERS = "the reporter, or somebody who may start bug fixes, has to answer the question in a comment."
ENOUGH_PLANS = (
    f"this bug fix waited for people {limits.PLANS_FOR_REPORTER} times. "
    "Only somebody who may start bug fixes can now have another plan made, or approve the one that waits."
)


async def _told(desk: Desk, run: RunId, issue: Issue, *, audience: Audience) -> Ticket:
    """Return the ticket as jobs are told it: with small attachments, and without what only some may read.

    A run whose texts are neutral anyway is told restricted comments as well.
    """
    ticket = await fetched(desk, run, issue)
    if not audience.is_public or ticket.security_level:
        return ticket
    return replace(ticket, comments=tuple(one for one in ticket.comments if not one.is_restricted))


def _heads(desk: Desk, run: RunId, catalogue: Catalogue) -> Heads:
    """Return the repositories' heads. Raises RefusedError when none of them can be read."""
    heads = read_heads(desk.repositories, desk.commits, catalogue.repositories)
    for path, why in heads.left_out.items():
        log.warning("repository.left_out", run=run, repository=path, reason=why)
    if not heads.shas:
        raise RefusedError(f"No repository of bug-fix.yml can be read. {next(iter(heads.left_out.values()), '')}")
    return heads


async def update_note(desk: Desk, run: RunId, _effect: UpdateTicketNote) -> Performed:
    """Make the status comment on the ticket tell the truth, and what it leaves out be told to those who may know."""
    async with desk.database.begin() as session:
        story = await rows.story(session, await runs.find(session, run))
        facts = await runs.facts(session, run)
    key = story.run.issue_key
    place = on_ticket(desk, run, key, TICKET)
    note = await keep_note(desk, run, place, desk.notes.ticket(story), point="UpdateTicketNote")
    named = facts.catalogue.jira.confidential if facts.catalogue else None
    if story.run.audience is not Audience.RESTRICTED or named is None:
        return Performed(result={"comment": note})
    hidden = on_ticket(desk, run, key, CONFIDENTIAL, visibility=named)
    body = desk.notes.confidential(story)
    told = await keep_note(desk, run, hidden, body, point="UpdateConfidentialNote")
    return Performed(result={"comment": note, "restricted": told})


async def refuse(desk: Desk, run: RunId, effect: CommentRefusal) -> Performed:
    """Say once why nothing was started; not for ever to somebody who sets the label on a ticket again and again."""
    if effect.author is not None:
        async with desk.database.begin() as session:
            said = await taken_comments.refused(session, effect.issue_key, effect.author)
        if said >= limits.REFUSALS_TO_ONE:
            why = f"This author was told {limits.REFUSALS_TO_ONE} times on this ticket why nothing was started."
            return Performed(result={"comment": None, "why": why})
    place = on_ticket(desk, run, effect.issue_key, REFUSAL)
    body = desk.notes.refusal(effect.text, run=run, heading=effect.heading)
    return Performed(result={"comment": await keep_note(desk, run, place, body, point="CommentRefusal")})


async def check_label(desk: Desk, run: RunId, effect: CheckLabel) -> Performed:
    """Read the ticket's labels again, and ask what the person may do who changed one."""
    async with desk.database.begin() as session:
        key = IssueKey((await runs.find(session, run)).issue_key)
    issue = await asyncio.to_thread(desk.jira.issue, key)
    start = desk.catalogue().jira.start
    is_about_start = effect.change in {LabelChange.REMOVED, LabelChange.SET_AGAIN}
    is_set = (start.label if is_about_start else start.hold_label) in issue.ticket.labels
    author = await rights.on_ticket(desk, effect.actor, name=effect.actor_name, reporter=issue.ticket.reporter_account)
    if not effect.actor:
        author = replace(author, unknown_because="Jira does not say who changed the label.")
    wanted = effect.change in {LabelChange.SET_AGAIN, LabelChange.HELD}
    event = LabelChecked(change=effect.change, author=author, still=is_set == wanted)
    return Performed(events=(event,), result={"still": event.still, "rights": author.rights})


async def remind(desk: Desk, run: RunId, effect: RemindTicket) -> Performed:
    """Remind people on the ticket, in a comment of its own: an edited one tells nobody."""
    async with desk.database.begin() as session:
        key = (await runs.find(session, run)).issue_key
    target = f"{REMINDER}:{effect.since:%Y%m%d%H%M%S}"
    body = desk.notes.answer(effect.text, to="", run=run, target=target)
    place = on_ticket(desk, run, key, target)
    return Performed(result={"comment": await keep_note(desk, run, place, body, point="RemindTicket")})


async def transition(desk: Desk, run: RunId, effect: TransitionIssue) -> Performed:
    """Move the ticket by the offered transition that leads to a status; what can't be done is said, and no failure."""
    async with desk.database.begin() as session:
        key = IssueKey((await runs.find(session, run)).issue_key)
    issue = await asyncio.to_thread(desk.jira.issue, key)
    if issue.status.casefold() == effect.to_status.casefold():
        return Performed(result={"moved": False, "to": effect.to_status})
    offered = await asyncio.to_thread(desk.jira.transitions, key)
    chosen, sentence = choose(offered, effect.to_status)
    if chosen is None:
        return Performed(result={"moved": False}, remark=sentence, then=(UpdateTicketNote(),))
    desk.faults.reach("TransitionIssue:before_post")
    await asyncio.to_thread(desk.jira.transition, key, chosen.id)
    desk.faults.reach("TransitionIssue:after_post")
    return Performed(result={"moved": True, "to": effect.to_status})


def choose(offered: list[Transition], to_status: str) -> tuple[Transition | None, str]:
    """Return a transition to the status without required fields; otherwise None and a sentence that says why."""
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
        key = (await runs.find(session, run)).issue_key
    await asyncio.to_thread(desk.jira.link, key, global_id=effect.global_id, url=effect.url, title=effect.title)
    return Performed(result={"url": effect.url})
