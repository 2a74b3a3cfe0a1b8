"""Events of remedies that people are shown. Data only."""

from __future__ import annotations

from msgspec import Struct

from pipelines.language import ProjectPath
from receiver.workflow.remedy_state import RemedyState


class RemedyTold(Struct, frozen=True, kw_only=True, tag=True):
    """What became of a remedy that is offered on a merge request."""

    iteration: int
    """In which it was made."""
    repository: ProjectPath
    state: RemedyState
    sentence: str
    """For people."""
