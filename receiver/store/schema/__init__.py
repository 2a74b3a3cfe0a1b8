"""All tables, on one metadata."""

from receiver.store.schema.base import Base, Json
from receiver.store.schema.ci import (
    JobRow,
    MergeRequestEventRow,
    MergeRequestRow,
    NoteRow,
    PipelineRow,
    TargetPipelineRow,
)
from receiver.store.schema.inbox import DecisionRow, DeliveryRow
from receiver.store.schema.money import PriceRow, UsageRow
from receiver.store.schema.runs import (
    CommentCommandRow,
    EffectRow,
    IndicatorRow,
    InterventionRow,
    IterationRow,
    PlanRow,
    RunRow,
)
from receiver.store.schema.work import ArtifactRow, BlobRow, ContextRow, ReportRow, SessionRow, TranscriptRow

__all__ = [
    "ArtifactRow",
    "Base",
    "BlobRow",
    "CommentCommandRow",
    "ContextRow",
    "DecisionRow",
    "DeliveryRow",
    "EffectRow",
    "IndicatorRow",
    "InterventionRow",
    "IterationRow",
    "JobRow",
    "Json",
    "MergeRequestEventRow",
    "MergeRequestRow",
    "NoteRow",
    "PipelineRow",
    "PlanRow",
    "PriceRow",
    "ReportRow",
    "RunRow",
    "SessionRow",
    "TargetPipelineRow",
    "TranscriptRow",
    "UsageRow",
]
