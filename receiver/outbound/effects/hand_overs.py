"""Hand a run over to people: one comment on the ticket, one note on each merge request, a label, somebody to do it.

Edited in place: also when somebody took it up, which takes the label away.
"""

from __future__ import annotations

import asyncio

from pipelines.language import IssueKey, ProjectPath, RunId
from receiver.outbound.effects.desk import Desk, Performed
from receiver.outbound.effects.status_notes import NoteLocation, keep_note
from receiver.outbound.effects.ticket_comments import say
from receiver.outbound.errors import RefusedError
from receiver.store.effects import note_locations
from receiver.store.effects.note_locations import HAND_OVER
from receiver.store.run import merge_requests, runs
from receiver.store.story import Story, rows
from receiver.workflow.audience import Readers
from receiver.workflow.effects import HandOver
from receiver.workflow.run import RunStatus


async def hand_over(desk: Desk, run: RunId, _effect: HandOver) -> Performed:
    """Make comment, notes, label and assignee say whether the run waits for people."""
    async with desk.database.begin() as session:
        row = await runs.find(session, run)
        story = await rows.story(session, row)
        facts = await runs.facts(session, run)
        requests = await merge_requests.of_run(session, run)
        targets = (HAND_OVER, *(f"{HAND_OVER}:{one.repository}" for one in requests))
        known = {target for target in targets if await note_locations.known(session, run, target) is not None}
        newest = await runs.newest(session, row.issue_key)
    is_open = row.status == RunStatus.ESCALATED
    start = (facts.catalogue or desk.catalogue()).jira.start

    def write(story: Story, target: str, *, readers: Readers) -> str:
        return desk.notes.hand_over(story, target, readers=readers)

    told = Performed()
    if is_open or HAND_OVER in known:
        told = await say(desk, run, HAND_OVER, write, point="HandOver")
    noted = []
    for one in requests:
        place = _on_merge_request(desk, run, one.project_id, one.iid, one.repository)
        is_public = facts.audience.is_public
        is_there = place.target in known or (not is_public and bool(await asyncio.to_thread(place.find)))
        if is_there or (is_open and is_public):
            body = desk.notes.hand_over_note(story, place.target)
            noted.append(await keep_note(desk, run, place, body, point="HandOverNote"))
    key = IssueKey(facts.issue_key)
    if newest is None or newest.id != run:
        return Performed(result={**(told.result or {}), "notes": noted})
    await asyncio.to_thread(desk.jira.mark, key, label=start.hand_over_label, is_set=is_open)
    remark = await asyncio.to_thread(_assigned, desk, key, facts.actor) if is_open and facts.actor else ""
    return Performed(result={**(told.result or {}), "notes": noted, "label": is_open}, remark=remark)


def _assigned(desk: Desk, key: IssueKey, actor: str) -> str:
    """Assign a ticket that is nobody's to who asked for the fix; return why that was not possible."""
    try:
        if not desk.jira.assignee(key):
            desk.jira.assign(key, actor)
    except RefusedError as error:  # who may not be assigned is told by the comment all the same
        return f"The ticket could not be assigned: {error}"
    return ""


def _on_merge_request(desk: Desk, run: RunId, project_id: int, iid: int, repository: str) -> NoteLocation:
    notes, target = desk.repositories.notes, f"{HAND_OVER}:{ProjectPath(repository)}"
    marker = f"{desk.notes.marker(run, target)} -->"
    return NoteLocation(
        target=target,
        find=lambda: [str(note) for note in notes.with_marker(project_id, iid, marker)],
        edit=lambda note, body: notes.edit(project_id, iid, int(note), body),
        add=lambda body: str(notes.add(project_id, iid, body)),
    )
