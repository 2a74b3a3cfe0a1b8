"""Read GitLab's hooks: pipelines, jobs, merge requests, notes. Everything else is valid and not interesting. No I/O.

Source: doc/user/project/integrations/webhook_events.md (18.x); older versions that lack newer fields are read too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from pipelines.language import ProjectPath
from receiver.hooks.delivery import OVERTAKES, HookMeaning, Interests, WrongShapeError, not_understood
from receiver.hooks.payload_fields import Id, Moment, Url, Word, decode, envelope, moment, seconds, word
from receiver.workflow.commands import command_grammar, command_table
from receiver.workflow.events.event import Event
from receiver.workflow.events.merge_request_events import MergeRequestChanged
from receiver.workflow.events.message_events import NotePosted
from receiver.workflow.events.outcome_events import RevertMerged
from receiver.workflow.events.pipeline_events import JobChanged, JobId, PipelineChanged, PipelineId
from receiver.workflow.events.run_events import NotInteresting

NOTE_MARKER: Final = "<!-- bug-fix:run="
"""Hidden in each note that we write, so that none of them is taken for a person's."""


class _Envelope(Struct, frozen=True, kw_only=True):
    object_kind: Word | None = None
    event_name: Word | None = None
    """The field of system and group hooks."""


class _Project(Struct, frozen=True, kw_only=True):
    id: Id | None = None
    """Absent before GitLab 9, in group hooks of merge requests, and in notes of old versions."""
    path_with_namespace: Word = Word("")


class _User(Struct, frozen=True, kw_only=True):
    id: Id | None = None
    username: Word | None = None


class _PipelineFields(Struct, frozen=True, kw_only=True):
    id: Id
    ref: Word | None = None
    sha: Word | None = None
    status: Word
    source: Word | None = None
    created_at: Moment | None = None
    finished_at: Moment | None = None
    url: Url | None = None


class _SourcePipeline(Struct, frozen=True, kw_only=True):
    pipeline_id: Id


class _PipelineHook(Struct, frozen=True, kw_only=True):
    object_attributes: _PipelineFields
    project: _Project
    source_pipeline: _SourcePipeline | None = None


class _JobRepository(Struct, frozen=True, kw_only=True):
    homepage: Url | None = None


class _JobHook(Struct, frozen=True, kw_only=True):
    project_id: Id
    pipeline_id: Id
    build_id: Id
    build_name: Word
    build_stage: Word
    build_status: Word
    build_allow_failure: bool | None = None
    build_failure_reason: Word | None = None
    build_started_at: Moment | None = None
    build_finished_at: Moment | None = None
    build_duration: float | None = None
    build_queued_duration: float | None = None
    project: _Project | None = None
    """Since 17.x; before, the path is only in the repository's homepage."""
    repository: _JobRepository | None = None


class _Commit(Struct, frozen=True, kw_only=True):
    id: Word


class _MergeRequestFields(Struct, frozen=True, kw_only=True):
    iid: Id | None = None
    target_project_id: Id | None = None
    """The project of the iid. Group hooks omit `project.id`."""
    target: _Project | None = None
    """The project in versions that have none beside the attributes (up to 8)."""
    source_project_id: Id | None = None
    """Differs from the target for a fork."""
    state: Word | None = None
    source_branch: Word | None = None
    action: Word | None = None
    """Absent or null where something else than the state changed."""
    updated_at: Moment | None = None
    last_commit: _Commit | None = None
    merge_commit_sha: Word | None = None
    description: str | None = None


class _MergeRequestHook(Struct, frozen=True, kw_only=True):
    object_attributes: _MergeRequestFields
    project: _Project | None = None
    user: _User | None = None


class _NoteFields(Struct, frozen=True, kw_only=True):
    id: Id
    note: str | None = None
    noteable_type: Word | None = None
    author_id: Id | None = None
    project_id: Id | None = None
    action: Word | None = None
    """Since 16.11; older versions send hooks for new notes only."""
    discussion_id: Word | None = None
    type: Word | None = None
    """`DiscussionNote` or `DiffNote` in a thread; null where the note stands alone."""
    system: bool | None = None
    confidential: bool | None = None
    internal: bool | None = None


class _NoteMergeRequest(Struct, frozen=True, kw_only=True):
    iid: Id


class _NoteHook(Struct, frozen=True, kw_only=True):
    object_attributes: _NoteFields
    project: _Project | None = None
    project_id: Id | None = None
    """Where the project has no id (old versions)."""
    event_type: Word | None = None
    merge_request: _NoteMergeRequest | None = None


def read(body: bytes, *, interests: Interests) -> HookMeaning:
    """Return what a GitLab hook means. Raises NotJsonError."""
    found = envelope(body, _Envelope, what="GitLab hook")
    if isinstance(found, WrongShapeError):
        return not_understood("unknown", found)
    kind = word(found.object_kind) or word(found.event_name)
    if not kind:
        nothing = NotInteresting(reason="GitLab did not say what kind of hook this is: `$.object_kind` is missing.")
        return HookMeaning(kind="unknown", event=nothing, subject=None)
    reader = _READERS.get(kind)
    if reader is None:
        nothing = NotInteresting(reason=f"GitLab's `{kind}` hooks mean nothing to a run.")
        return HookMeaning(kind=kind, event=nothing, subject=None)
    try:
        event, subject = reader(body, interests)
    except WrongShapeError as error:
        return not_understood(kind, error)
    return HookMeaning(kind=kind, event=event, subject=subject)


def _pipeline(body: bytes, _: Interests) -> tuple[Event, str | None]:
    hook = decode(body, _PipelineHook, what="pipeline hook")
    fields, project_id = hook.object_attributes, hook.project.id
    if project_id is None:
        return NotInteresting(reason="GitLab did not say of which project the pipeline is."), None
    source = word(fields.source)
    is_child = hook.source_pipeline is not None and source == "parent_pipeline"
    parent = PipelineId(hook.source_pipeline.pipeline_id) if hook.source_pipeline and is_child else None
    event = PipelineChanged(
        project_id=project_id,
        project=ProjectPath(hook.project.path_with_namespace.text),
        pipeline=PipelineId(fields.id),
        status=fields.status.text,
        source=source,
        parent=parent,
        url=word(fields.url),
        ref=word(fields.ref),
        sha=word(fields.sha),
        created_at=moment(fields.created_at),
        finished_at=moment(fields.finished_at),
    )
    return event, f"pipeline:{project_id}:{parent or fields.id}"


def _job(body: bytes, _: Interests) -> tuple[Event, str]:
    hook = decode(body, _JobHook, what="job hook")
    homepage = word(hook.repository.homepage) if hook.repository else ""
    path = word(hook.project.path_with_namespace) if hook.project else homepage.partition("://")[2].partition("/")[2]
    event = JobChanged(
        project_id=hook.project_id,
        project=ProjectPath(path),
        pipeline=PipelineId(hook.pipeline_id),
        job=JobId(hook.build_id),
        name=hook.build_name.text,
        stage=hook.build_stage.text,
        status=hook.build_status.text,
        allow_failure=bool(hook.build_allow_failure),
        failure_reason=word(hook.build_failure_reason) or None,
        queued_s=seconds(hook.build_queued_duration),
        started_at=moment(hook.build_started_at),
        finished_at=moment(hook.build_finished_at),
        duration_s=seconds(hook.build_duration),
    )
    return event, f"pipeline:{hook.project_id}:{hook.pipeline_id}"


def _merge_request(body: bytes, _: Interests) -> tuple[Event, str | None]:
    hook = decode(body, _MergeRequestHook, what="merge request hook")
    fields, user = hook.object_attributes, hook.user or _User()
    project = hook.project or fields.target or _Project()
    project_id = project.id if project.id is not None else fields.target_project_id
    if fields.iid is None or project_id is None:
        return NotInteresting(reason="GitLab did not say which merge request the hook is about."), None
    reverted = _reverted(fields)
    if reverted is not None:
        revert = RevertMerged(project_id=project_id, iid=reverted, by_iid=fields.iid)
        return revert, f"merge_request:{project_id}:{reverted}"
    event = MergeRequestChanged(
        project_id=project_id,
        project=ProjectPath(project.path_with_namespace.text),
        iid=fields.iid,
        action=word(fields.action) or "update",
        state=word(fields.state),
        source_branch=word(fields.source_branch),
        head_sha=fields.last_commit.id.text if fields.last_commit else "",
        actor_id=user.id,
        actor=word(user.username),
        at=moment(fields.updated_at),
        source_project_id=fields.source_project_id,
        merge_commit_sha=word(fields.merge_commit_sha),
    )
    return event, f"merge_request:{project_id}:{fields.iid}"


_REVERTS: Final = re.compile(r"\AThis reverts merge request !([1-9]\d{0,8})\b")


def _reverted(fields: _MergeRequestFields) -> int | None:
    """Return which merge request was taken back by this one, made and merged as GitLab's button does; None: none."""
    if word(fields.action) != "merge" or not word(fields.source_branch).startswith("revert-"):
        return None
    found = _REVERTS.match(fields.description or "")
    return None if found is None else int(found[1])


def _note(body: bytes, interests: Interests) -> tuple[Event, str | None]:
    hook = decode(body, _NoteHook, what="note hook")
    fields, merge_request = hook.object_attributes, hook.merge_request
    noteable = word(fields.noteable_type)
    if noteable != "MergeRequest":
        return NotInteresting(reason=f"Notes on merge requests count; this one is on: {noteable or 'Commit'}."), None
    project = hook.project or _Project()
    ids = (project.id, hook.project_id, fields.project_id)
    project_id = next((one for one in ids if one is not None), None)
    if merge_request is None or project_id is None or fields.author_id is None:
        return NotInteresting(reason="GitLab did not say who wrote the note, or on which merge request."), None
    reason = _why_note_is_ignored(hook, interests)
    if reason is not None:
        return NotInteresting(reason=reason), None
    command = command_grammar.read_note(fields.note or "")
    event = NotePosted(
        project_id=project_id,
        project=ProjectPath(project.path_with_namespace.text),
        iid=merge_request.iid,
        note=fields.id,
        action=word(fields.action) or "create",
        system=bool(fields.system),
        author_id=fields.author_id,
        is_addressed=command is not None,
        overtakes=command_table.overtakes(command),
        discussion=word(fields.discussion_id) if word(fields.type) else "",
        text_sha256=command_grammar.fingerprint(fields.note or ""),
    )
    subject = f"merge_request:{project_id}:{merge_request.iid}"
    return event, f"{OVERTAKES}{subject}" if event.overtakes else subject


def _why_note_is_ignored(hook: _NoteHook, interests: Interests) -> str | None:
    fields = hook.object_attributes
    is_unknown = interests.bot is None  # otherwise a person who pastes our marker would not be heard
    if fields.author_id == interests.bot or (is_unknown and NOTE_MARKER in (fields.note or "")):
        return "The note is our own."
    if fields.system:
        return "The note was written by GitLab itself."
    if word(hook.event_type) == "confidential_note" or fields.confidential or fields.internal:
        return "The note is confidential: what it says stays where it is."
    return None


Reader = Callable[[bytes, Interests], tuple[Event, str | None]]
_READERS: Final[dict[str, Reader]] = {
    "pipeline": _pipeline,
    "build": _job,
    "merge_request": _merge_request,
    "note": _note,
}
KINDS: Final = frozenset(_READERS)
"""Kinds of hooks that can mean something to a run, by their `object_kind`."""
