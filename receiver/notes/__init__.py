"""Texts on tickets and merge requests, with untrusted text made harmless. Pure: posts nothing."""

from receiver.notes.markup import GITLAB_MARKER, MARKER
from receiver.notes.render import (
    render_merge_request_description,
    render_merge_request_note,
    render_refusal,
    render_ticket_note,
)
from receiver.notes.view import NoteView
from receiver.notes.writer import StatusNotes

__all__ = [
    "GITLAB_MARKER",
    "MARKER",
    "NoteView",
    "StatusNotes",
    "render_merge_request_description",
    "render_merge_request_note",
    "render_refusal",
    "render_ticket_note",
]
