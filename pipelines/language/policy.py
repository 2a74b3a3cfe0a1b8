"""What may happen without a person: `policy` of bug-fix.yml. Data only."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct


class PlanApproval(StrEnum):
    """Which plans wait for a person before code is written."""

    NEVER = "never"
    COMPLEX = "complex"
    ALWAYS = "always"


class Readiness(StrEnum):
    """What becomes of a ticket that says too little for an analysis."""

    ASK = "ask"
    """Its reporter is asked before a model reads it."""
    OFF = "off"


class SecurityFixes(StrEnum):
    """What becomes of a ticket that analysis calls a security concern."""

    HAND_OVER = "hand_over"
    ALLOW = "allow"


class TargetPipeline(StrEnum):
    """Whether pushing a fix runs it in the repository's own CI."""

    RUN = "run"
    SKIP_UNTIL_APPROVED = "skip_until_approved"
    """The commit says `[skip ci]` until somebody who may approves the merge request; then it is made anew without."""


class Budget(Struct, frozen=True, kw_only=True):
    """Money, in US dollars."""

    run: Decimal = Decimal("6.00")
    """For one ticket, all iterations together."""
    day: Decimal = Decimal("60.00")
    """For all tickets of a day, UTC."""
    most: Decimal | None = None
    """For one ticket, however often people raise it by `/bug-fix budget +N`; left out: three times `run`."""


class Concurrency(Struct, frozen=True, kw_only=True):
    """How many runs may have a pipeline at work at once; others wait in a queue that goes round between people."""

    all: int = 4
    """In all."""
    project: int = 4
    """For tickets of one Jira project; differs from `all` where receivers of several projects share a database."""
    person: int = 2
    """For one account that set labels, so that others find room. Where one account sets the labels of everybody (Jira
    Automation, a service account), write the value of `all`."""


class ReviewMode(StrEnum):
    """Whether an agent that can't write reads a tested patch, and what becomes of what it finds."""

    OFF = "off"
    ADVISE = "advise"
    """Findings stand in the merge request."""
    ONCE = "once"
    """Findings that must be fixed go back to the implementer, once for a run; later ones stand in the merge request."""


class PatchRule(StrEnum):
    """What becomes of a patch that does something."""

    REFUSE = "refuse"
    ALLOW = "allow"


class ProofPolicy(StrEnum):
    """What becomes of a fix on whose code tests of the base commit fail or do not build."""

    STANDARD = "standard"
    """They are named to the reviewer, the risk is high, and only people merge."""
    STRICT = "strict"
    """The fix is refused."""


class MergePolicy(StrEnum):
    """Who merges a fix."""

    MANUAL = "manual"
    """People."""
    WHEN_APPROVED = "when_approved"
    """The workflow, once enough people approve the head and the repository's own pipeline is green for it."""


class Policy(Struct, frozen=True, kw_only=True):
    """What may happen without a person."""

    iterations: int = 3
    """How many attempts a run has: with the last one, findings of a review stand in the merge request."""
    budget_usd: Budget = Budget()
    concurrency: Concurrency = Concurrency()
    plan_approval: PlanApproval = PlanApproval.NEVER
    """Which plans wait for a person before code is written: somebody of `jira.start.allowed` answers
    `/bug-fix approve` on the ticket."""
    readiness: Readiness = Readiness.ASK
    """What becomes of a ticket without a symptom, without what was expected, or that names nothing of this file: it is
    asked about before a model reads it and costs nothing, or an analysis begins all the same."""
    security_fixes: SecurityFixes = SecurityFixes.HAND_OVER
    """What becomes of security concerns: people get them, or a plan that names repositories is carried out like any
    other, with neutral texts."""
    target_pipeline: TargetPipeline = TargetPipeline.SKIP_UNTIL_APPROVED
    """When the repository's own CI runs a fix: not before the merge request is approved, or as soon as it is pushed."""
    merge: MergePolicy = MergePolicy.MANUAL
    """Who merges a fix: people, or the workflow as soon as it is approved."""
    approvals: Annotated[int, Meta(description="people, 1 to 10")] = 1
    """How many people have to approve a fix before the workflow merges it; GitLab's own rules can want more."""
    max_patch_lines: int = 2_000
    """Added and removed lines of one patch."""
    max_patch_files: int = 60
    """Files that one patch may touch."""
    coverage_tolerance_pp: Annotated[Decimal, Meta(description="percentage points, 0 to 100")] = Decimal("0.5")
    """How far coverage may fall. A patch that leaves no line more without a test is never held to it."""
    changed_coverage_min: Annotated[int, Meta(description="percent, 0 to 100")] = 1
    """How many of the lines that a patch changes, and that can be run, tests must run; 1: any, 0: it is only told."""
    test_configuration: PatchRule = PatchRule.REFUSE
    """Patches that change how tests and checks are run: their configuration, hooks and scripts."""
    proof: ProofPolicy = ProofPolicy.STANDARD
    """What becomes of a fix on whose code tests of the base commit fail or do not build."""
    proof_minutes: Annotated[int, Meta(description="minutes, 0 to 240")] = 10
    """How long testing takes changed files back, one at a time, to see whether the fix needs each of them; 0: never."""
    remind_after: Annotated[int, Meta(description="days, 0 to 90")] = 3
    """After how long people are reminded, once, of a run that was handed over to them; 0: never."""
    close_after: Annotated[int, Meta(description="days, 0 to 365")] = 14
    """After how long without an answer to the reminder a run that was handed over is closed; 0: never."""
    review: ReviewMode = ReviewMode.OFF
    """Review by `code-reviewer` before a merge request: findings stand in it, or go back once to the implementer."""
