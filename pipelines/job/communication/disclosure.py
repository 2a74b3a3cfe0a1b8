"""What a job may leave where everybody reads who sees the automation project: in its log and its artifacts. Pure.

Of a confidential run nothing that ticket, model or repository say is left there. Whether a run is confidential is known
at a job's start, but for the analysis of a ticket that nobody restricted: what it finds may be a security concern.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from pipelines.language import ArtifactKind, Phase
from pipelines.language.wire import RunSpec


class Disclosure(StrEnum):
    """Whether what a job finds may stand in its log and its artifacts."""

    OPEN = "open"
    UNDECIDED = "undecided"
    """Known at the end only: until then nothing is left, and nothing is lost."""
    WITHHELD = "withheld"


SAYS_NOTHING: Final = frozenset({ArtifactKind.CHILD_PIPELINE})
"""Kinds of files that hold no word of ticket, model or repository; GitLab itself needs them."""


def at_start(spec: RunSpec) -> Disclosure:
    """Return what is known when a job is told what to do."""
    if spec.confidential:
        return Disclosure.WITHHELD
    return Disclosure.UNDECIDED if spec.phase is Phase.ANALYSIS else Disclosure.OPEN


UNDECIDED_YET: Final = "what is said follows when the outcome is known; a security concern would be confidential"
"""What people are told at the start of a job that may find something confidential."""

CONFIDENTIAL: Final = "This run is confidential"
CONFIDENTIAL_NOW: Final = "This run became confidential while the job worked"
NO_OUTCOME: Final = "What came to no outcome may have been about a security concern"


def sentence(why: str, spec: RunSpec, *, receiver: str) -> str:
    """Return what people are told where things are withheld: why, and where the story is."""
    story = f"{receiver.rstrip('/')}/runs/{spec.run}, or `bug-fix explain {spec.ticket.key}`"
    return f"{why}: this log tells phases, turns and tools from here on, and no evidence is kept. The story: {story}"
