"""Ask Jira what people did on the ticket of a run: comments and a security level of which no hook told."""

from __future__ import annotations

import asyncio
from datetime import datetime

from pipelines.language import IssueKey, RunId
from receiver import limits
from receiver.outbound.effects import restriction_check
from receiver.outbound.effects.desk import Desk, Performed
from receiver.outbound.jira.issues import Comment
from receiver.store.deliveries import taken_comments
from receiver.store.effects import note_locations
from receiver.store.effects.note_locations import PLAN, QUESTION
from receiver.store.run import heard_labels, runs
from receiver.workflow import lifecycle
from receiver.workflow.commands import command_grammar
from receiver.workflow.effects import PollTicket
from receiver.workflow.events.event import Event
from receiver.workflow.events.message_events import IssueCommented
from receiver.workflow.events.ticket_events import LabelChange, LabelChanged


async def poll(desk: Desk, run: RunId, _effect: PollTicket) -> Performed:
    """Tell of comments and labels that no hook told of, and of a restriction.

    While people are to answer, only what they wrote after the question or the plan counts; else what they wrote since
    the run began.
    """
    async with desk.database.begin() as session:
        row = await runs.find(session, run)
        heard = await taken_comments.heard(session, row.issue_key)
        is_waiting = row.status in lifecycle.WAITING
        targets = (f"{QUESTION}:{row.iteration}", f"{PLAN}:{row.iteration}") if is_waiting else ()
        shown = [note.note_id for one in targets if (note := await note_locations.known(session, run, one)) is not None]
    restricted = await restriction_check.news(desk, run)
    own = await asyncio.to_thread(desk.jira.account)
    key, since = IssueKey(row.issue_key), row.status_at if is_waiting else row.created_at - limits.HOOK_ON_ITS_WAY
    comments = (
        [] if restricted is not None and not restricted.level else await asyncio.to_thread(desk.jira.comments, key)
    )
    events: list[Event] = [] if restricted is None else [restricted]
    events += [
        IssueCommented(
            issue_key=key, comment=one.id, actor=one.author, is_addressed=command_grammar.is_addressed(one.text)
        )
        for one in comments
        if one.author != own
        and one.id not in heard
        and (int(one.id) > int(shown[0]) if shown else _is_since(one, since))
    ]
    if restricted is None and row.status in FOLLOWED:
        events += await _labels(desk, key, since=row.created_at)
    return Performed(events=tuple(events), result={"news": len(events)})


FOLLOWED = lifecycle.ACTIVE | lifecycle.RETRIED
"""Statuses in which a label can steer."""


async def _labels(desk: Desk, key: IssueKey, *, since: datetime) -> list[LabelChanged]:
    """Return what people did last to the labels that steer, since the run began; the search finds the start label set.

    Each is told once, as a hook would have told of it.
    """
    start = desk.catalogue().jira.start
    moves = await asyncio.to_thread(desk.jira.label_moves, key, (start.label, start.hold_label))
    found = []
    for (label, is_set), change in {
        (start.label, False): LabelChange.REMOVED,
        (start.hold_label, True): LabelChange.HELD,
        (start.hold_label, False): LabelChange.RELEASED,
    }.items():
        move = moves.get(label)
        if move is None or move.is_set is not is_set or move.at < since:
            continue
        async with desk.database.begin() as session:
            known = await heard_labels.was_heard(session, key, at=move.at, slack=limits.HOOK_ON_ITS_WAY, change=change)
        if not known:
            told = LabelChanged(issue_key=key, change=change, actor=move.actor, actor_name=move.actor_name, at=move.at)
            found.append(told)
    return found


def _is_since(comment: Comment, since: datetime) -> bool:
    try:
        return datetime.fromisoformat(comment.created) >= since
    except (ValueError, TypeError):  # no time, or none with an offset
        return False
