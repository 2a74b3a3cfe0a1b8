"""What a patch touches and whether it may: asked in jobs before submitting, by the receiver before committing."""

from pipelines.patch.parse import PatchError, inspect
from pipelines.patch.rules import violations
from pipelines.patch.summary import Change, Content, PatchFile, PatchSummary

__all__ = ["Change", "Content", "PatchError", "PatchFile", "PatchSummary", "inspect", "violations"]
