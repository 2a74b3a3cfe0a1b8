"""Read GitLab's hooks: pipelines, jobs, merge requests, notes. Everything else is valid and not interesting. No I/O.

Source: doc/user/project/integrations/webhook_events.md (18.x); older versions that lack newer fields are read too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from pipelines.language import ProjectPath
from receiver.hooks.delivery import HookMeaning, Interests, WrongShapeError
from receiver.hooks.payload_fields import Id, Moment, Seconds, Url, Word, decode, moment, word
from receiver.workflow import commands
from receiver.workflow.events import (
    Event,
    JobChanged,
    JobId,
    MergeRequestChanged,
    NotePosted,
    NotInteresting,
    PipelineChanged,
    PipelineId,
)

NOTE_MARKER: Final = "<!-- bug-fix:run="
"""Hidden in each note that we write, so that none of them is taken for a person's."""


class _Envelope(Struct, frozen=True, kw_only=True):
    object_kind: Word | None = None
    event_name: Word | None = None
    """The field of system and group hooks."""


class _Project(Struct, frozen=True, kw_only=True):
    id: Id
    path_with_namespace: Word


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
    build_allow_failure: bool = False
    build_failure_reason: Word | None = None
    build_started_at: Moment | None = None
    build_finished_at: Moment | None = None
    build_duration: Seconds | None = None
    build_queued_duration: Seconds | None = None
    project: _Project | None = None
    """Since 17.x; before, the path is only in the repository's homepage."""
    repository: _JobRepository | None = None


class _Commit(Struct, frozen=True, kw_only=True):
    id: Word


class _MergeRequestFields(Struct, frozen=True, kw_only=True):
    iid: Id | None = None
    target_project_id: Id | None = None
    """The project of the iid. Group hooks omit `project.id`."""
    source_project_id: Id | None = None
    """Differs from the target for a fork."""
    state: Word = Word("")
    source_branch: Word = Word("")
    action: Word = Word("update")
    updated_at: Moment | None = None
    last_commit: _Commit | None = None
    merge_commit_sha: Word | None = None


class _MergeRequestProject(Struct, frozen=True, kw_only=True):
    id: Id | None = None
    path_with_namespace: Word


class _MergeRequestHook(Struct, frozen=True, kw_only=True):
    object_attributes: _MergeRequestFields
    project: _MergeRequestProject
    user: _User | None = None


class _NoteFields(Struct, frozen=True, kw_only=True):
    id: Id
    note: str
    noteable_type: Word | None = None
    author_id: Id
    action: Word = Word("create")
    """Since 16.11; older versions send hooks for new notes only."""
    system: bool = False
    confidential: bool | None = None
    internal: bool | None = None


class _NoteMergeRequest(Struct, frozen=True, kw_only=True):
    iid: Id


class _NoteHook(Struct, frozen=True, kw_only=True):
    object_attributes: _NoteFields
    project: _Project
    event_type: Word | None = None
    merge_request: _NoteMergeRequest | None = None


def read(body: bytes, *, interests: Interests) -> HookMeaning:
    """Return what a GitLab hook means. Raises WrongShapeError."""
    envelope = decode(body, _Envelope, what="GitLab hook")
    kind = word(envelope.object_kind) or word(envelope.event_name)
    if not kind:
        raise WrongShapeError("The GitLab hook has a wrong shape: `$.object_kind` is missing.")
    reader = _READERS.get(kind)
    if reader is None:
        nothing = NotInteresting(reason=f"GitLab's `{kind}` hooks mean nothing to a run.")
        return HookMeaning(kind=kind, event=nothing, subject=None)
    event, subject = reader(body, interests)
    return HookMeaning(kind=kind, event=event, subject=subject)


def _pipeline(body: bytes, _: Interests) -> tuple[Event, str]:
    hook = decode(body, _PipelineHook, what="pipeline hook")
    fields = hook.object_attributes
    source = word(fields.source)
    is_child = hook.source_pipeline is not None and source == "parent_pipeline"
    parent = PipelineId(hook.source_pipeline.pipeline_id) if hook.source_pipeline and is_child else None
    event = PipelineChanged(
        project_id=hook.project.id,
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
    return event, f"pipeline:{hook.project.id}:{parent or fields.id}"


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
        allow_failure=hook.build_allow_failure,
        failure_reason=word(hook.build_failure_reason) or None,
        queued_s=hook.build_queued_duration,
        started_at=moment(hook.build_started_at),
        finished_at=moment(hook.build_finished_at),
        duration_s=hook.build_duration,
    )
    return event, f"pipeline:{hook.project_id}:{hook.pipeline_id}"


def _merge_request(body: bytes, _: Interests) -> tuple[Event, str | None]:
    hook = decode(body, _MergeRequestHook, what="merge request hook")
    fields, user = hook.object_attributes, hook.user or _User()
    project_id = hook.project.id if hook.project.id is not None else fields.target_project_id
    if fields.iid is None or project_id is None:
        return NotInteresting(reason="GitLab did not say which merge request the hook is about."), None
    event = MergeRequestChanged(
        project_id=project_id,
        project=ProjectPath(hook.project.path_with_namespace.text),
        iid=fields.iid,
        action=fields.action.text,
        state=fields.state.text,
        source_branch=fields.source_branch.text,
        head_sha=fields.last_commit.id.text if fields.last_commit else "",
        actor_id=user.id,
        actor=word(user.username),
        at=moment(fields.updated_at),
        source_project_id=fields.source_project_id,
        merge_commit_sha=word(fields.merge_commit_sha),
    )
    return event, f"merge_request:{project_id}:{fields.iid}"


def _note(body: bytes, interests: Interests) -> tuple[Event, str | None]:
    hook = decode(body, _NoteHook, what="note hook")
    fields, merge_request = hook.object_attributes, hook.merge_request
    noteable = word(fields.noteable_type)
    if noteable != "MergeRequest":
        return NotInteresting(reason=f"Notes on merge requests count; this one is on: {noteable or 'Commit'}."), None
    if merge_request is None:
        raise WrongShapeError("The note hook has a wrong shape: `$.merge_request` is missing.")
    reason = _why_note_is_ignored(hook, interests)
    if reason is not None:
        return NotInteresting(reason=reason), None
    event = NotePosted(
        project_id=hook.project.id,
        project=ProjectPath(hook.project.path_with_namespace.text),
        iid=merge_request.iid,
        note=fields.id,
        action=fields.action.text,
        system=fields.system,
        author_id=fields.author_id,
        is_addressed=commands.read_note(fields.note) is not None,
    )
    return event, f"merge_request:{hook.project.id}:{merge_request.iid}"


def _why_note_is_ignored(hook: _NoteHook, interests: Interests) -> str | None:
    fields = hook.object_attributes
    if fields.author_id == interests.bot or NOTE_MARKER in fields.note:
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
