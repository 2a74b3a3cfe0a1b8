"""Plan → the child pipeline as a value: which job, for which repository, after which others. Pure.

Takes nothing from the plan's texts: only its outcome and project paths that the catalogue knows.

When reproduction says no, its job exits 4, an allowed failure, so GitLab starts the jobs after it. Those ask the
receiver, find that nothing was reproduced, and end with 4 as well: a pipeline that passed with warnings, the patch
kept, nothing opened.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import StrEnum
from typing import Final

from msgspec import Struct

from pipelines.catalogue.plan_policy import is_carried_out
from pipelines.generation.jobs import ScriptJob, TriggerJob
from pipelines.language import Approval, IssueKey, Phase, PipelineKey, Plan, PlanOutcome, ProjectPath, RunId
from pipelines.language.catalogue import Catalogue
from pipelines.language.policy import ReviewMode
from pipelines.language.repository import Stack
from pipelines.language.wire import RepositoryPhase

MAX_NEEDS: Final = 50
"""GitLab's `ci_needs_size_limit`; a job that would need more waits for the earlier stages instead."""


class GraphError(Exception):
    """No child pipeline can be made of this plan; the sentence says why and what to do."""


class PhaseStep(Struct, frozen=True, kw_only=True):
    """A phase in the child pipeline: one job for each repository."""

    phase: Phase
    uses: tuple[Phase, ...] = ()
    """Phases of the same repository that it waits for and whose artifacts it gets."""
    waits_for_all: Phase | None = None
    """A phase that must be over in every repository: linked merge requests are opened together or not at all."""


STEPS: Final = (
    PhaseStep(phase=Phase.PREPARE),
    PhaseStep(phase=Phase.REPRODUCTION),
    PhaseStep(phase=Phase.IMPLEMENTATION),
    PhaseStep(phase=Phase.TESTING, uses=(Phase.PREPARE, Phase.REPRODUCTION, Phase.IMPLEMENTATION)),
    PhaseStep(
        phase=Phase.MERGE_REQUEST,
        uses=(Phase.IMPLEMENTATION, Phase.TESTING),
        waits_for_all=Phase.TESTING,
    ),
)
"""In the order of the stages. The first of them are done elsewhere where the parent pipeline prepares, or an attempt
reuses what an earlier one made."""

REVIEWED: Final = (
    *STEPS[:-1],
    PhaseStep(phase=Phase.REVIEW, uses=(Phase.IMPLEMENTATION, Phase.TESTING)),
    PhaseStep(
        phase=Phase.MERGE_REQUEST,
        uses=(Phase.IMPLEMENTATION, Phase.TESTING, Phase.REVIEW),
        waits_for_all=Phase.REVIEW,
    ),
)
"""The same with a review of the tested patch."""


def steps(review: ReviewMode) -> tuple[PhaseStep, ...]:
    """Return the phases of a child pipeline, in the order of the stages."""
    return STEPS if review is ReviewMode.OFF else REVIEWED


class Ending(StrEnum):
    """Why a pipeline has no phases of a fix: what its only job is called, and nothing more than that.

    Everybody who sees the automation project reads it, so a security concern has no name of its own.
    """

    NEEDS_INFORMATION = "needs_information"
    AWAITING_APPROVAL = "awaiting_approval"
    NOT_A_BUG = "not_a_bug"
    DUPLICATE = "duplicate"
    TOO_LARGE = "too_large"
    FEATURE_REQUEST = "feature_request"
    INFRASTRUCTURE = "infrastructure"
    HANDED_OVER = "handed_over"


ENDINGS: Final[dict[PlanOutcome, Ending]] = {
    PlanOutcome.NEEDS_INFORMATION: Ending.NEEDS_INFORMATION,
    PlanOutcome.NOT_A_BUG: Ending.NOT_A_BUG,
    PlanOutcome.DUPLICATE: Ending.DUPLICATE,
    PlanOutcome.TOO_LARGE: Ending.TOO_LARGE,
    PlanOutcome.FEATURE_REQUEST: Ending.FEATURE_REQUEST,
    PlanOutcome.INFRASTRUCTURE: Ending.INFRASTRUCTURE,
    PlanOutcome.SECURITY_CONCERN: Ending.HANDED_OVER,
}
"""Of plans that are not carried out."""


class Origin(Struct, frozen=True, kw_only=True):
    """What a generated pipeline belongs to, and where its jobs report."""

    run: RunId
    pipeline: PipelineKey
    issue_key: IssueKey
    receiver: str
    """URL at which jobs reach the receiver."""


class ChildPipeline(Struct, frozen=True, kw_only=True):
    """What `generate` makes."""

    origin: Origin
    confidential: bool
    """What its jobs leave is for maintainers of the automation project only."""
    ending: Ending | None
    """None: the fix is worked on."""
    stacks: dict[ProjectPath, Stack]
    """How the jobs of each repository run, in the plan's order."""
    stages: tuple[str, ...]
    jobs: tuple[ScriptJob | TriggerJob, ...]
    """Empty when there is an ending; the rendered file never is."""


def job_name(phase: Phase, repository: ProjectPath) -> str:
    """Return the name of a repository's job: `testing: payk12/contacts`."""
    return f"{phase.value}: {repository}"


def build(
    plan: Plan,
    *,
    catalogue: Catalogue,
    origin: Origin,
    approval: Approval = Approval.NOT_NEEDED,
    confidential: bool = False,
    done: Collection[RepositoryPhase] = (),
) -> ChildPipeline:
    """Return the child pipeline of a plan, without jobs for what is `done`.

    Raises `GraphError` for a plan that the receiver would not have accepted.
    """
    _check(origin.run, r"[0-9a-f]{16}", "run id")
    _check(origin.issue_key, r"[A-Z][A-Z0-9_]*-[0-9]+", "issue key")
    _check(origin.receiver, r"https?://[A-Za-z0-9.:/\[\]_~-]+", "receiver's URL")
    ending = _ending(plan, catalogue, approval)
    if ending is not None and confidential:
        ending = Ending.HANDED_OVER
    repositories = _repositories(plan, catalogue) if ending is None else ()
    wanted = tuple(
        (step, path)
        for step in steps(catalogue.policy.review)
        for path in repositories
        if RepositoryPhase(phase=step.phase, repository=path) not in done
    )
    names = frozenset(job_name(step.phase, path) for step, path in wanted)
    return ChildPipeline(
        origin=origin,
        confidential=confidential,
        ending=ending,
        stacks={path: catalogue.repositories[path].stack for path in repositories},
        stages=tuple(dict.fromkeys(step.phase for step, _ in wanted)),
        jobs=tuple(_job(step, path, repositories, names) for step, path in wanted),
    )


def _ending(plan: Plan, catalogue: Catalogue, approval: Approval) -> Ending | None:
    if not is_carried_out(plan, catalogue.policy):
        return ENDINGS[plan.outcome]
    return Ending.AWAITING_APPROVAL if approval is Approval.AWAITED else None


def _check(value: str, pattern: str, what: str) -> None:
    if not re.fullmatch(pattern, value):
        raise GraphError(f"The {what} is not one; was this job started by the receiver?")


def _repositories(plan: Plan, catalogue: Catalogue) -> tuple[ProjectPath, ...]:
    paths = tuple(dict.fromkeys(entry.repository for entry in plan.repositories))
    if not paths:
        raise GraphError("The plan says fix and names no repository; run the analysis again.")
    unknown = [path for path in paths if path not in catalogue.repositories]
    if unknown:
        raise GraphError(f"The plan names {len(unknown)} repositories that bug-fix.yml does not; add them there.")
    return paths


def _job(
    step: PhaseStep, repository: ProjectPath, repositories: tuple[ProjectPath, ...], names: frozenset[str]
) -> ScriptJob:
    used = tuple(name for phase in step.uses if (name := job_name(phase, repository)) in names)
    # Every job naming every other would grow with the square of the repositories; a stage says the same in no words.
    joins = step.waits_for_all is not None and len(repositories) > 1
    return ScriptJob(
        name=job_name(step.phase, repository),
        stage=step.phase,
        template=step.phase,
        scope=repository,
        needs=None if joins or len(used) > MAX_NEEDS else used,
        artifacts_from=used,
    )
