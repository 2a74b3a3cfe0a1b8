"""Every kind of event about one run, drawn at random: in any order, late, twice, and about things that it never had."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from hypothesis import strategies as st
from msgspec.structs import replace

from pipelines.language import CommitSha, Finding, Phase, PlanOutcome, ReportOutcome, RunId, Severity
from receiver.workflow.commands import command_grammar
from receiver.workflow.effect_table import EFFECTS
from receiver.workflow.events.event import Event
from receiver.workflow.events.merge_request_events import (
    MergeAnswer,
    MergeJudged,
    PicturesAttached,
    TargetPipelineReleased,
)
from receiver.workflow.events.message_events import CommandTyped, IssueCommented, NotePosted
from receiver.workflow.events.outcome_events import OutcomeSeen, RevertMerged, Vote
from receiver.workflow.events.pipeline_events import JobId, PipelineChanged, PipelineId, ReportAccepted, ReportDiscarded
from receiver.workflow.events.run_events import DeadlinePassed, EffectGaveUp, NotInteresting
from receiver.workflow.events.ticket_events import LabelChange, StartRequested, TicketRefused
from receiver.workflow.lifecycle import STATUSES
from receiver.workflow.person import AccountId, Person, Right
from receiver.workflow.run import RunStatus
from tests.receiver.workflow.conftest import World

ITERATIONS: Final = 3
SAID: Final = (
    *("start", "retry", "retry analysis", "retry -- look again", "revise -- simpler", "escalate", "cancel", "reject"),
    *("ci", "pause", "pause", "resume", "resume", "budget +2", "status", "deploy", "reboot"),
)
"""Commands, some of them more often than others."""
STATES: Final = {"open": "opened", "reopen": "opened", "close": "closed", "merge": "merged"}
ACTIONS: Final = ("open", "close", "reopen", "merge", "update", "approved", "unapproved")


def world_of(number: int, *, issue: str, now: datetime) -> World:
    """Return what the run with this number is told: with pipelines, jobs and a merge request of its own."""
    world = World()
    world.run_id = RunId(f"{number:016x}")
    world.issue = issue  # type: ignore[assignment]  # a key is a string
    world.parent, world.child = PipelineId(number * 1000), PipelineId(number * 1000 + 1)
    world.iid, world.now = number, now
    world.branch = world_branch(world)
    return world


def world_branch(world: World) -> str:
    """Return the branch that a run of this ticket gets."""
    return f"bug-fix/{world.issue}-contact-creation-fails-for-names-with"


def parents(world: World) -> list[int]:
    """Return the parent pipeline of each iteration."""
    return [world.parent + 10 * n for n in range(ITERATIONS)]


def pipelines(world: World) -> st.SearchStrategy[Event]:
    """Draw hooks of parents, their children, one that nobody started and one whose parent nobody knows."""
    ours = [(one, None) for one in parents(world)] + [(one + 1, one) for one in parents(world)]
    known = st.sampled_from([*ours, (world.parent + 900, None), (world.parent + 901, world.parent + 900)])
    statuses = st.sampled_from([*STATUSES, "a_status_of_2031"])
    return st.builds(lambda of, status: world.pipeline(status, pipeline=of[0], parent=of[1]), known, statuses)


def starts(world: World) -> st.SearchStrategy[Event]:
    """Draw answers to having started a pipeline, of a second one for the same iteration as well."""
    number = st.integers(0, ITERATIONS - 1)
    second = st.sampled_from([0, 0, 0, 5])
    return st.builds(
        lambda n, other: world.started(pipeline=parents(world)[n] + other, iteration=n + 1), number, second
    )


def jobs(world: World) -> st.SearchStrategy[Event]:
    """Draw hooks of jobs of parent and child, each with a retry under a higher number."""
    known = [("analysis", 0, 1), ("reproduction: payk12/contacts", 1, 3), ("testing: payk12/contacts", 1, 5)]

    def job(which: tuple[str, int, int], again: int, iteration: int, status: str) -> Event:
        name, below, number = which
        failed = status == "failed"
        return world.job(
            name,
            status,
            job=world.parent + 100 * iteration + number + again,
            pipeline=parents(world)[iteration] + below,
            allow_failure=failed and name.startswith("reproduction"),
            failure_reason="script_failure" if failed else "unknown_failure",
        )

    iterations = st.integers(0, ITERATIONS - 1)
    return st.builds(job, st.sampled_from(known), st.integers(0, 1), iterations, st.sampled_from(sorted(STATUSES)))


def reports(world: World) -> st.SearchStrategy[Event]:
    """Draw reports as GitLab settled them: each job has one report, and GitLab settles it one way."""
    numbers = st.integers(0, len(settled(world, 1)) - 1)

    def report(number: int, iteration: int) -> Event:
        return settled(world, iteration)[number]

    return st.builds(report, numbers, st.integers(1, ITERATIONS))


def settled(world: World, iteration: int) -> list[ReportAccepted | ReportDiscarded]:
    """Return the settled reports of an iteration's jobs: several of a phase are retries."""
    finding = Finding(file="a.py", line=1, severity=Severity.MUST_FIX, claim="Wrong.", suggestion="Right.")
    found: list[ReportAccepted | ReportDiscarded] = [
        world.planned(),
        world.planned(PlanOutcome.NEEDS_INFORMATION),
        world.planned(PlanOutcome.SECURITY_CONCERN),
        world.planned(PlanOutcome.NOT_A_BUG),
        world.discarded(Phase.ANALYSIS, ReportOutcome.FAILED, "No turns left."),
        world.accepted(Phase.REPRODUCTION),
        world.accepted(Phase.REPRODUCTION, ReportOutcome.NOT_REPRODUCED, reason="It works."),
        world.accepted(Phase.IMPLEMENTATION),
        world.accepted(Phase.TESTING),
        world.discarded(Phase.TESTING, ReportOutcome.REJECTED, "Two tests fail."),
        world.accepted(Phase.MERGE_REQUEST),
        world.accepted(Phase.REVIEW),
        world.accepted(Phase.REVIEW, findings=(finding,)),
    ]
    first = world.parent + 100 * iteration + 50
    return [
        replace(one, job=JobId(first + number), report=replace(one.report, iteration=iteration))
        for number, one in enumerate(found)
    ]


def merge_requests(world: World) -> st.SearchStrategy[Event]:
    """Draw hooks of the run's merge request and of another one on its branch; no two are of the same time."""

    def changed(action: str, hour: int, head: str, iid: int) -> Event:
        event = world.merge_request(action, STATES.get(action, "opened"), iid=iid)
        at = world.now - timedelta(hours=6 - hour) + timedelta(minutes=ACTIONS.index(action))  # no time to come
        return replace(event, at=at, head_sha=head * 40, source_project_id=event.project_id)

    iids = st.sampled_from([world.iid, world.iid, world.iid, world.iid + 500])
    heads = st.sampled_from(["a", "a", "f"])
    hooks = st.builds(changed, st.sampled_from(ACTIONS), st.integers(0, 5), heads, iids)
    return st.one_of(hooks, hooks, st.just(world.opened()))


def people(world: World) -> st.SearchStrategy[Event]:
    """Draw what people say and do on the ticket, and what reading it gave."""
    comments = st.sampled_from([f"{world.parent}{n}" for n in range(3)])
    may = st.lists(st.sampled_from(Right), max_size=2, unique=True)
    who = st.one_of(may.map(lambda rights: world.person(*rights)), st.just(world.person(unknown_because="403.")))

    def comment_read(comment: str, author: Person, command: str | None, plan: int) -> Event:
        return replace(world.read(command, author=author, plan=plan), comment=comment)

    words = st.sampled_from([None, "approve", *SAID])
    read = st.builds(comment_read, comments, who, words, st.integers(1, ITERATIONS))
    return st.one_of(
        st.just(world.labelled()),
        st.just(StartRequested(issue_key=world.issue, actor_name="op")),
        st.just(world.admitted()),
        st.builds(lambda n: world.refreshed(iteration=n), st.integers(1, ITERATIONS)),
        st.just(TicketRefused(reason="Mara may not start runs.", actor=AccountId("5b10ac"))),
        st.sampled_from(["", "Board"]).map(world.restricted),
        comments.map(lambda one: IssueCommented(issue_key=world.issue, comment=one, actor=AccountId("5b10ac"))),
        st.sampled_from(LabelChange).map(world.label),
        st.builds(lambda change, rights: world.label_checked(change, *rights), st.sampled_from(LabelChange), may),
        read,
    )


def steering(world: World) -> st.SearchStrategy[Event]:
    """Draw notes on the merge request that were read, and commands at a terminal: each with an id of its own."""

    def note(number: int, said: str, level: int, is_open: bool) -> Event:  # noqa: FBT001  # drawn
        read = world.note_read(said, level=level, note=10 * world.parent + number, is_open=is_open)
        return replace(read, head_sha="a" * 40)

    def typed(number: int, said: str) -> Event:
        return CommandTyped(
            run=world.run_id,
            issue_key=world.issue,
            command=command_grammar.parse(f" {said}"),
            actor_name="op",
            request=f"{world.parent}-{number}",
        )

    said, numbers = st.sampled_from(SAID), st.integers(0, 20)
    notes = st.builds(note, numbers, said, st.sampled_from([0, 30, 40]), st.sampled_from([True, True, True, False]))
    return st.one_of(notes, notes, st.builds(typed, numbers, said))


def ours(world: World) -> st.SearchStrategy[Event]:
    """Draw what the receiver notices itself, and what means nothing."""
    note = NotePosted(
        project_id=2, project=world.repository, iid=world.iid, note=5, action="create", system=False, author_id=3
    )
    return st.one_of(
        st.integers(1, ITERATIONS).map(world.settled),
        st.sampled_from(sorted(EFFECTS.rules)).map(lambda kind: EffectGaveUp(effect=kind, reason="GitLab said 403.")),
        st.sampled_from(RunStatus).map(lambda status: DeadlinePassed(status=status)),
        st.sampled_from([note, NotInteresting(reason="A tag was pushed.")]),
        st.sampled_from(MergeAnswer).map(
            lambda answer: MergeJudged(
                repository=world.repository,
                iid=world.iid,
                answer=answer,
                sentence="So it is.",
                head_sha=CommitSha("a" * 40),
            )
        ),
        st.just(RevertMerged(project_id=2, iid=world.iid, by_iid=900)),
        st.sampled_from([None, world.now]).map(
            lambda at: OutcomeSeen(repository=world.repository, reverted_at=at, votes=(Vote(user="mara", is_up=True),))
        ),
        st.just(TargetPipelineReleased(repository=world.repository)),
        st.just(PicturesAttached(iteration=1, repository=world.repository, files=("before.png",))),
    )


def told_in_any_order(world: World, *, is_opened: bool) -> st.SearchStrategy[Event]:
    """Draw what is known of one attempt in the same way whatever comes first.

    What a hook says of a merge request before the plan names its repository is left to polling.
    """

    def is_of_the_attempt(event: Event) -> bool:
        match event:
            case PipelineChanged():
                return event.parent in {None, world.parent}
            case ReportAccepted() | ReportDiscarded():  # a review can begin another attempt
                return event.report.iteration == 1 and event.report.phase is not Phase.REVIEW
            case _:
                return True

    kinds = [pipelines(world), jobs(world), reports(world), *([merge_requests(world)] if is_opened else [])]
    return st.one_of(kinds).filter(is_of_the_attempt)
