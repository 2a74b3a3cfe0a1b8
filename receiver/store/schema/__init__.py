"""All tables, on one metadata."""

from receiver.store.schema.columns import Base, Json
from receiver.store.schema.command_tables import CommandRow
from receiver.store.schema.figure_tables import EpisodeRow, FeedbackRow, LeverRow, OutcomeRow
from receiver.store.schema.inbox_tables import CursorRow, DecisionRow, DeliveryRow
from receiver.store.schema.job_tables import (
    ArtifactRow,
    BlobOwnerRow,
    BlobRow,
    ClaimRow,
    ContextRow,
    ReportRow,
    SessionRow,
    TranscriptRow,
)
from receiver.store.schema.ledger_tables import PhaseFundsRow, PriceRow, UsageRow
from receiver.store.schema.remedy_tables import AppliedRemedyRow
from receiver.store.schema.run_tables import (
    CommentCommandRow,
    EffectRow,
    IndicatorRow,
    InterventionRow,
    IterationRow,
    PlanRow,
    ReusedReportRow,
    RunRow,
)
from receiver.store.schema.vendor_tables import (
    JobRow,
    MergeRequestEventRow,
    MergeRequestRow,
    NoteRow,
    PipelineRow,
    TargetPipelineRow,
    TicketPictureRow,
)

__all__ = [
    "AppliedRemedyRow",
    "ArtifactRow",
    "Base",
    "BlobOwnerRow",
    "BlobRow",
    "ClaimRow",
    "CommandRow",
    "CommentCommandRow",
    "ContextRow",
    "CursorRow",
    "DecisionRow",
    "DeliveryRow",
    "EffectRow",
    "EpisodeRow",
    "FeedbackRow",
    "IndicatorRow",
    "InterventionRow",
    "IterationRow",
    "JobRow",
    "Json",
    "LeverRow",
    "MergeRequestEventRow",
    "MergeRequestRow",
    "NoteRow",
    "OutcomeRow",
    "PhaseFundsRow",
    "PipelineRow",
    "PlanRow",
    "PriceRow",
    "ReportRow",
    "ReusedReportRow",
    "RunRow",
    "SessionRow",
    "TargetPipelineRow",
    "TicketPictureRow",
    "TranscriptRow",
    "UsageRow",
]
