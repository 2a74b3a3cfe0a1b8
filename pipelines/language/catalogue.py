"""bug-fix.yml, the catalogue: repositories, stacks, agents, policy. Data only; `pipelines.catalogue.file` reads it.

Frozen per run: the receiver stores it when the run starts and jobs get it in their RunSpec.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct, field

from pipelines.language import Framework, Limits, ProjectPath
from pipelines.language.remedy import Healing


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


class Commands(Struct, frozen=True, kw_only=True):
    """Shell commands of a repository, each run in its root; one that is not named is not run."""

    install: str | None = None
    """Fetches what the repository needs; run once in each job."""
    test: str | None = None
    """The unit tests; leaves a JUnit or TRX report."""
    integration: str | None = None
    """The integration tests; leaves a JUnit or TRX report."""
    lint: str | None = None
    """Linters and type checks; its exit code counts."""
    coverage: str | None = None
    """The unit tests with a Cobertura report; where it leaves a report of its tests too, `test` is not run as well."""
    format: str | None = None
    """The formatter, with what else mends lint by itself; run on a fix whose lint fails. See docs/healing.md."""
    generate: str | None = None
    """Makes the generated files that are committed; run on a fix for which one is missing or stale."""
    snapshots: str | None = None
    """The tests, taking new snapshots of what the fix changed; run where stale ones fail."""


class Serve(Struct, frozen=True, kw_only=True):
    """How to start the application for the reproduction."""

    run: str
    """Shell command that starts it and stays in the foreground; it listens at `$PORT`."""
    ready: str
    """URL that answers 2xx when the application is up."""
    with_: tuple[str, ...] = field(name="with", default=())
    """Keys of repositories that are started before it, at their base commits; `legacy-api` is at `$LEGACY_API_URL`."""


class Video(StrEnum):
    """Whether a reproduction is filmed."""

    NEVER = "never"
    ALWAYS = "always"


class Reproduction(Struct, frozen=True, kw_only=True):
    """How the bug is shown."""

    framework: Framework = Framework.PYTEST
    video: Video = Video.NEVER


class Stack(Struct, frozen=True, kw_only=True):
    """A preset resolved with the repository's overrides: how its jobs run."""

    preset: str
    image: str
    tags: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    cache_paths: tuple[str, ...] = ()
    timeout: str = "1h"
    variables: dict[str, str] = field(default_factory=dict)
    commands: Commands = field(default_factory=Commands)
    junit: tuple[str, ...] = ()
    """Where the test commands leave their reports, JUnit or TRX: paths or globs."""
    coverage_report: str | None = None
    """Where the coverage command leaves Cobertura reports: a path or a glob."""


class AllowedSecret(Struct, frozen=True, kw_only=True):
    """Something that looks like a secret and may be in a fix: all that is said here must hold."""

    reason: str
    """Why it gives nothing away, for people: at least a few words."""
    paths: tuple[str, ...] = ("**",)
    """Globs of the files that may hold it."""
    rule: str | None = None
    """The rule that finds it, as the refusal names it; left out: any."""
    sha256: (
        Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="a SHA-256 of 64 lower-case hexadecimal digits")]
        | None
    ) = None
    """Of the value itself, without quotes; left out: any value."""


class Repository(Struct, frozen=True, kw_only=True):
    """A repository that fixes can touch."""

    key: str
    project: ProjectPath
    agent: str
    stack: Stack
    serve: Serve | None = None
    reproduction: Reproduction = Reproduction()
    paths_allowed: tuple[str, ...] = ("**",)
    """Globs that a patch may touch."""
    paths_handwritten: tuple[str, ...] = ()
    """Globs of files that people write, though a folder's name or a mark says that a tool does."""
    secrets_allowed: tuple[AllowedSecret, ...] = ()
    """What looks like a secret and may be in a fix."""
    reviewers: tuple[str, ...] = ()
    """GitLab usernames of who is asked to review a fix here, before those whom CODEOWNERS names."""


class AgentTool(StrEnum):
    """What an agent works with. A phase permits some of them, a profile some of those."""

    READ = "read"
    GLOB = "glob"
    GREP = "grep"
    BASH = "bash"
    WRITE = "write"
    EDIT = "edit"


def can_write(tools: Sequence[AgentTool]) -> bool:
    """Return whether an agent with these tools can change files at all."""
    return bool({AgentTool.WRITE, AgentTool.EDIT} & set(tools))


class Agent(Struct, frozen=True, kw_only=True):
    """An agent profile."""

    name: str
    model: str
    limits: Limits = Limits()
    prompt: str = ""
    """Name of its template; empty: its own name."""
    profile: str = ""
    """The template's text, where it is the team's; empty: it comes with the job client."""
    tools: tuple[AgentTool, ...] = tuple(AgentTool)
    stacks: tuple[str, ...] = ()
    """Presets of the repositories that it implements in; empty: all."""


class Start(Struct, frozen=True, kw_only=True):
    """What starts a run."""

    label: str = "bug-fix"
    """The ticket's label; with `-hold` behind it, it is the one that pauses a run, and
    with `-escalated` the one that a run gets which people have to go on with."""
    allowed: tuple[str, ...] = ()
    """`account:ID` or `group:NAME`; nobody else may start a run."""

    @property
    def hold_label(self) -> str:
        """Return the ticket's label that pauses a run."""
        return f"{self.label}-hold"

    @property
    def hand_over_label(self) -> str:
        """Return the ticket's label that says that people have to go on."""
        return f"{self.label}-escalated"


class Transitions(Struct, frozen=True, kw_only=True):
    """Names of the Jira statuses that a ticket is moved to; without one it is left as it is."""

    started: str | None = None
    """When work begins."""
    review: str | None = None
    """When merge requests wait for review."""
    merged: str | None = None
    """When all of them are merged."""


class Confidential(Struct, frozen=True, kw_only=True):
    """Who in Jira reads what is confidential: one of the two."""

    role: str | None = None
    """A project role."""
    group: str | None = None
    """A group."""


class Jira(Struct, frozen=True, kw_only=True):
    """The Jira side."""

    project: str
    """The project's key."""
    start: Start
    transitions: Transitions = Transitions()
    confidential: Confidential | None = None
    """Who reads the details of security concerns and of tickets with a security level, in a restricted comment; without
    it they are in the run's story only."""


Grant = Annotated[
    str,
    Meta(
        pattern=r"^(gitlab:(guest|reporter|developer|maintainer|owner)|jira:(start|reporter|user)|(account|group):\S(.*\S)?)$",
        description="`gitlab:LEVEL`, `jira:start`, `jira:reporter`, `jira:user`, `account:ID` or `group:NAME`",
        examples=["gitlab:developer", "group:payk12-developers"],
    ),
]


class CommandGrants(Struct, frozen=True, kw_only=True):
    """Who may say a command, by its word; without an entry those whom docs/steering.md names.

    `gitlab:LEVEL` is a member of the merge request's project with at least that access level. `jira:start` is who may
    start runs, `jira:reporter` who reported the ticket, `jira:user` everybody who is no customer; accounts and groups
    are Jira's. An empty list: nobody.
    """

    start: tuple[Grant, ...] | None = None
    """Who may begin a bug fix."""
    retry: tuple[Grant, ...] | None = None
    """Who may have another attempt made."""
    revise: tuple[Grant, ...] | None = None
    """Who may have the fix made anew."""
    escalate: tuple[Grant, ...] | None = None
    """Who may hand a bug fix to people."""
    cancel: tuple[Grant, ...] | None = None
    """Who may stop one for good."""
    approve: tuple[Grant, ...] | None = None
    """Who may approve a plan."""
    reject: tuple[Grant, ...] | None = None
    """Who may have another plan made."""
    ci: tuple[Grant, ...] | None = None
    """Who may start the repository's own pipeline."""
    pause: tuple[Grant, ...] | None = None
    """Who may stop one for now."""
    resume: tuple[Grant, ...] | None = None
    """Who may let it go on."""
    budget: tuple[Grant, ...] | None = None
    """Who may let it cost more, up to `policy.budget_usd.most`."""
    status: tuple[Grant, ...] | None = None
    """Who may ask where it is."""
    cost: tuple[Grant, ...] | None = None
    """Who may ask what it cost."""
    explain: tuple[Grant, ...] | None = None
    """Who may ask what was decided."""
    help: tuple[Grant, ...] | None = None
    """Who may ask for the list."""


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


class Deploy(Struct, frozen=True, kw_only=True):
    """In which order people merge and deploy the fixes of a run."""

    order: tuple[tuple[str, ...], ...] = ()
    """Waves of repository keys; those of one wave go together."""


class Catalogue(Struct, frozen=True, kw_only=True):
    """All of bug-fix.yml with presets resolved."""

    automation_project: ProjectPath
    automation_ref: str
    automation_image: str = "python:3.11"
    """For jobs that belong to no repository."""
    jira: Jira
    policy: Policy
    agents: dict[str, Agent]
    """By name; `default` is always there."""
    repositories: dict[ProjectPath, Repository]
    """By GitLab project path."""
    commands: CommandGrants = CommandGrants()
    """Who may say which command."""
    deploy: Deploy = Deploy()
    healing: Healing = Healing()
    """What is done about failures that are known."""
    sha256: str = ""
    """Of the file that it was read from: the version frozen with a run."""
