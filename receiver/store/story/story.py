"""The full history of a run, in chronological order."""

from __future__ import annotations

from msgspec import Struct

from pipelines.language import Plan
from receiver.insight.indicators import Indicator
from receiver.store.money.spending import Costs
from receiver.store.story.command_story import GivenCommand
from receiver.store.story.history import Act, Intervention, Moment
from receiver.store.story.merge_request_story import MergeRequest, Outcome, TargetPipelineState, TicketPicture
from receiver.store.story.pipeline_story import Pipeline
from receiver.store.story.remedy_story import TriedRemedy
from receiver.store.story.report_story import Report
from receiver.store.story.run_story import Iteration, RunFacts
from receiver.workflow.open_questions import OpenQuestion


class Story(Struct, frozen=True, kw_only=True):
    """The full history of a run; each part is in chronological order."""

    run: RunFacts
    plan: Plan | None
    """The last accepted plan."""
    iterations: tuple[Iteration, ...]
    moments: tuple[Moment, ...]
    effects: tuple[Act, ...]
    pipelines: tuple[Pipeline, ...]
    reports: tuple[Report, ...]
    merge_requests: tuple[MergeRequest, ...]
    outcomes: tuple[Outcome, ...] = ()
    target_pipelines: tuple[TargetPipelineState, ...] = ()
    pictures: tuple[TicketPicture, ...] = ()
    """Attached to the ticket in any iteration."""
    interventions: tuple[Intervention, ...]
    commands: tuple[GivenCommand, ...] = ()
    remedies: tuple[TriedRemedy, ...] = ()
    indicators: tuple[Indicator, ...] = ()
    """Current indicators of success."""
    costs: Costs
    escalation: OpenQuestion | None = None
    """What people are asked who got the run; None: nobody did, or somebody went on."""

    def counting(self, iteration: int) -> tuple[Report, ...]:
        """Return an iteration's reports, own and reused ones."""
        reused = self.reused(iteration)
        return tuple(one for one in self.reports if one.iteration == iteration or one.job in reused)

    def reused(self, iteration: int) -> tuple[int, ...]:
        """Return the jobs of earlier iterations whose reports count in this one."""
        return next((one.reuses for one in self.iterations if one.number == iteration), ())
