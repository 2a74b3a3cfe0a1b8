"""Hand a run over to people: one comment on the ticket, one note on each merge request, a label, somebody to do it.

Edited in place: also when somebody took it up, which takes the label away.
"""

from __future__ import annotations

import asyncio

from pipelines.language import IssueKey, ProjectPath, RunId
from receiver.outbound.effects.desk import Desk, Performed
from receiver.outbound.effects.status_notes import NoteLocation, keep_note
from receiver.outbound.effects.ticket_comments import say
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
    is_open = row.status == RunStatus.ESCALATED
    start = (facts.catalogue or desk.catalogue()).jira.start

    def write(story: Story, target: str, *, readers: Readers) -> str:
        return desk.notes.hand_over(story, target, readers=readers)

    told = await say(desk, run, HAND_OVER, write, point="HandOver")
    noted = []
    if facts.audience.is_public:
        for one in requests:
            place = _on_merge_request(desk, run, one.project_id, one.iid, one.repository)
            body = desk.notes.hand_over_note(story, place.target)
            noted.append(await keep_note(desk, run, place, body, point="HandOverNote"))
    key = IssueKey(facts.issue_key)
    await asyncio.to_thread(desk.jira.mark, key, label=start.hand_over_label, is_set=is_open)
    assigned = None
    if is_open and facts.actor is not None and not await asyncio.to_thread(desk.jira.assignee, key):
        assigned = await asyncio.to_thread(desk.jira.assign, key, facts.actor)
    return Performed(result={**told.result, "notes": noted, "label": is_open, "assigned": assigned})


def _on_merge_request(desk: Desk, run: RunId, project_id: int, iid: int, repository: str) -> NoteLocation:
    notes, target = desk.repositories.notes, f"{HAND_OVER}:{ProjectPath(repository)}"
    marker = f"{desk.notes.marker(run, target)} -->"
    return NoteLocation(
        target=target,
        find=lambda: [str(note) for note in notes.with_marker(project_id, iid, marker)],
        edit=lambda note, body: notes.edit(project_id, iid, int(note), body),
        add=lambda body: str(notes.add(project_id, iid, body)),
    )
