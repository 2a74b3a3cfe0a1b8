"""Notes grouped in threads, and what of them is resolved (ResolvableNote, Discussion of GitLab). Changes nothing."""

from collections.abc import Iterable
from itertools import groupby

from sandbox.gitlab.merge_request_model import MergeRequest, Note, NoteType
from sandbox.gitlab.model import MergeSettings


def threads(notes: Iterable[Note]) -> list[list[Note]]:
    """Group notes by thread, oldest first; a note on its own is a thread of one."""
    found = list(notes)
    first = {note.discussion_id: note.id for note in reversed(found)}
    ordered = sorted(found, key=lambda note: (first[note.discussion_id], note.id))
    return [list(group) for _, group in groupby(ordered, key=lambda note: note.discussion_id)]


def resolvable(note: Note) -> bool:
    """Whether a note can be resolved: those of threads can, no note on its own and none that GitLab writes."""
    return note.type is not NoteType.COMMENT and not note.system


def to_be_resolved(note: Note) -> bool:
    """Whether a note keeps its thread open."""
    return resolvable(note) and note.resolved_at is None


def is_resolved(thread: Iterable[Note]) -> bool:
    """Whether a thread can be resolved, and is."""
    notes = [note for note in thread if resolvable(note)]
    return bool(notes) and not any(map(to_be_resolved, notes))


def blocking_resolved(settings: MergeSettings, mr: MergeRequest) -> bool:
    """Whether no thread blocks the merge: always, where the project does not ask for it, open threads or not."""
    wanted = settings.only_allow_merge_if_all_discussions_are_resolved
    return not (wanted and any(map(to_be_resolved, mr.notes)))


def all_resolved(mr: MergeRequest) -> bool:
    """Whether a merge request has threads, and all of them are resolved."""
    return is_resolved(mr.notes)
