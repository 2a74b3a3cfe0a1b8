"""What follows when a merge request, a note or an emoji changes: system notes, hooks, the CI engine's cue.

Each function changes the state and emits; none checks permissions. What follows when a ref moves is in `pushes`.
"""

import secrets
from collections.abc import Mapping, Sequence

from sandbox.gitlab import mergeable, note_payloads, payloads, threads
from sandbox.gitlab.hook_model import Event
from sandbox.gitlab.merge_request_model import Award, MergeRequest, Note, NoteType
from sandbox.gitlab.model import Project, User
from sandbox.gitlab.repository import Repository
from sandbox.gitlab.state import State


async def merge_request_changed(
    state: State,
    project: Project,
    mr: MergeRequest,
    actor: User,
    *,
    action: str,
    changes: Mapping[str, object] | None = None,
    oldrev: str | None = None,
    system_action: str | None = None,
) -> None:
    """Emit the hook of a merge request, and tell the CI engine; `system_action` is what GitLab did by itself."""
    by_itself = {"system": True, "system_action": system_action} if system_action else {}
    payload = payloads.merge_request(
        state,
        project,
        mr,
        actor,
        action=action,
        told=await _told(state, project, mr),
        changes=changes or {},
        more={**({"oldrev": oldrev} if oldrev else {}), **by_itself},
    )
    state.emit(project, Event.MERGE_REQUEST, payload)
    for listener in state.on_merge_request:
        listener(project, mr, actor, action)


async def note_changed(
    state: State, project: Project, mr: MergeRequest, note: Note, actor: User, *, action: str
) -> None:
    """Emit the hook of a note."""
    event = Event.CONFIDENTIAL_NOTE if note.internal else Event.NOTE
    state.emit(
        project,
        event,
        note_payloads.note(state, project, mr, note, actor, action=action, told=await _told(state, project, mr)),
    )


async def award_changed(
    state: State, project: Project, mr: MergeRequest, note: Note | None, award: Award, actor: User, *, action: str
) -> None:
    """Emit the hook of an emoji: `award` or `revoke`."""
    told = await _told(state, project, mr)
    payload = note_payloads.emoji(state, project, mr, note, award, actor, action=action, told=told)
    state.emit(project, Event.EMOJI, payload)


async def _told(state: State, project: Project, mr: MergeRequest) -> payloads.Told:
    head = await Repository(project.repository).commit(mr.sha)
    return payloads.Told(head=head, detailed_merge_status=await mergeable.status(state, project, mr))


def add_note(
    state: State,
    mr: MergeRequest,
    author: User,
    body: str,
    *,
    internal: bool = False,
    kind: NoteType = NoteType.COMMENT,
    system: bool = False,
) -> Note:
    """Add a note that begins a thread, or stands on its own; no hook."""
    now = state.now()
    note = Note(
        id=state.next_id("note"),
        body=body,
        author_id=author.id,
        created_at=now,
        updated_at=now,
        discussion_id=secrets.token_hex(20),
        type=kind,
        internal=internal,
        system=system,
    )
    mr.notes.append(note)
    return note


def add_reply(
    state: State, mr: MergeRequest, author: User, body: str, *, thread: Sequence[Note], system: bool = False
) -> Note:
    """Add a note to a thread; in one that is resolved it is resolved at once (Notes::BuildService). No hook."""
    first, resolved = thread[0], threads.is_resolved(thread)
    note = add_note(state, mr, author, body, internal=first.internal, kind=first.type, system=system)
    note.discussion_id = first.discussion_id
    note.position, note.original_position, note.line_code = first.position, first.original_position, first.line_code
    if resolved and threads.resolvable(note):
        note.resolved_by_id, note.resolved_at = author.id, note.created_at
    return note


def system_note(state: State, mr: MergeRequest, author: User, body: str) -> None:
    """Add a note that GitLab writes itself; no hook, as in GitLab."""
    add_note(state, mr, author, body, system=True)


async def all_threads_resolved(state: State, project: Project, mr: MergeRequest, actor: User) -> None:
    """Tell that no thread is open any more (MergeRequests::ResolvedDiscussionNotificationService)."""
    system_note(state, mr, actor, "resolved all threads")
    await merge_request_changed(state, project, mr, actor, action="update")
