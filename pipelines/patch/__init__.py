"""What a patch touches and whether it may: asked in jobs before submitting, by the receiver before committing."""

from pipelines.patch.content import Base
from pipelines.patch.examine import examine
from pipelines.patch.kinds import is_documentation
from pipelines.patch.parse import PatchError, inspect
from pipelines.patch.rules import violations
from pipelines.patch.summary import Change, Content, PatchFile, PatchSummary

__all__ = [
    "Base",
    "Change",
    "Content",
    "PatchError",
    "PatchFile",
    "PatchSummary",
    "examine",
    "inspect",
    "is_documentation",
    "violations",
]
