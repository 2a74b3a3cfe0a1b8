"""The full history of a run as one value, for command line, pages and notes."""

from receiver.store.story.builder import Rows, tell
from receiver.store.story.history import Act, Intervention, Moment
from receiver.store.story.merge_request_story import MergeRequest, TargetPipelineState, TicketPicture
from receiver.store.story.pipeline_story import Job, Pipeline
from receiver.store.story.report_story import Report, ReportedFile
from receiver.store.story.run_story import Iteration, RunFacts
from receiver.store.story.story import Story
from receiver.store.story.turning_points import turning_points

__all__ = [
    "Act",
    "Intervention",
    "Iteration",
    "Job",
    "MergeRequest",
    "Moment",
    "Pipeline",
    "Report",
    "ReportedFile",
    "Rows",
    "RunFacts",
    "Story",
    "TargetPipelineState",
    "TicketPicture",
    "tell",
    "turning_points",
]
