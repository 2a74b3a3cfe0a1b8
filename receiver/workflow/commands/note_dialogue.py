"""Decide what notes on a run's merge requests mean. Performs no I/O."""

from __future__ import annotations

from receiver.workflow.commands.given_command import Circumstances, Given
from receiver.workflow.commands.steering import steered
from receiver.workflow.effects import ReactToNote, ReadNote
from receiver.workflow.events.message_events import NotePosted, NoteRead
from receiver.workflow.outcomes import acted, ignored, noted
from receiver.workflow.run import Decision, Learned, Run


def posted(event: NotePosted) -> Decision:
    """Read a note that gives a command; an edited one gives none."""
    what = "A note on the run's merge request"
    if not event.is_addressed or event.system:
        return noted(f"{what}; it commands nothing.")
    if event.action != "create":
        return noted(f"{what} was edited; only a new one commands.")
    project, iid, note, thread = event.project_id, event.iid, event.note, event.discussion
    return acted(
        f"{what} gives a command; it is read.",
        ReactToNote(project_id=project, iid=iid, note=note, discussion=thread),
        ReadNote(
            project_id=project,
            iid=iid,
            note=note,
            discussion=thread,
            text_sha256=event.text_sha256,
            overtakes=event.overtakes,
        ),
    )


def note_read(event: NoteRead, run: Run, circumstances: Circumstances, *, learned: Learned) -> Decision:
    """Obey the command of a note, or say why not."""
    if event.ignored:
        return ignored(event.ignored)
    if event.author is None or event.command is None:
        return ignored(f"Note {event.message.note} commands nothing.")
    given = Given(
        command=event.command,
        person=event.author,
        message=event.message,
        head_sha=event.head_sha,
        is_open=event.is_open,
    )
    return steered(given, run, circumstances, learned=learned)
