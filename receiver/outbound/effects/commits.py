"""Commit the accepted patch to the run's branch: checked against what was promised, and never over others' work."""

from __future__ import annotations

import asyncio
import re
from enum import StrEnum
from typing import Final, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from pipelines.language import (
    CommitSha,
    MergeRequestResult,
    Phase,
    PhaseReport,
    ReproductionResult,
    RunId,
    TestingResult,
)
from pipelines.language.catalogue import TargetPipeline
from pipelines.language.change_set import ChangeSet, ChangeSetError
from pipelines.language.wire import sha256
from pipelines.proof.red_green import judge
from receiver.outbound.effects import patch_check
from receiver.outbound.effects.commit_actions import actions_of, holds
from receiver.outbound.effects.desk import Desk
from receiver.outbound.errors import RefusedError
from receiver.outbound.gitlab.commits_api import Head
from receiver.outbound.gitlab.repositories_api import Project
from receiver.store.jobs import blobs
from receiver.store.run import merge_requests, settled_reports
from receiver.store.run.runs import RunFacts
from receiver.workflow.effects import OpenMergeRequest
from receiver.workflow.start import branch_name


class AcceptedFix(Struct, frozen=True, kw_only=True):
    """A change set that may be committed: submitted, tested, and the same bytes in both."""

    change: ChangeSet
    remarks: tuple[str, ...] = ()
    """What people are asked to look at, a sentence each."""
    sha256: str
    """Of the change set as it was handed in."""
    base: CommitSha
    test: bytes
    """The reproduction test that was red and green, for people to read; empty when it is not kept any more."""


async def accepted(desk: Desk, facts: RunFacts, effect: OpenMergeRequest) -> AcceptedFix:
    """Return the fix, if everything that was promised about it holds. Raises RefusedError that says what does not."""
    async with desk.database.begin() as session:
        reproduced, tested, submitted = [
            await settled_reports.accepted(
                session, facts.id, iteration=effect.iteration, phase=phase, repository=effect.repository
            )
            for phase in (Phase.REPRODUCTION, Phase.TESTING, Phase.MERGE_REQUEST)
        ]
        submission = _result(submitted, MergeRequestResult)
        test = _result(tested, TestingResult)
        data = None if submission is None else await blobs.read(session, submission.patch_sha256, run=facts.id)
        shown = None if test is None else await blobs.read(session, test.test_sha256, run=facts.id)
    base = facts.base_shas.get(effect.repository)
    policy = facts.catalogue
    if submission is None or test is None or policy is None or base is None:
        raise RefusedError(f"{effect.repository} has no accepted testing report and submission.")
    repository = policy.repositories.get(effect.repository)
    if repository is None:
        raise RefusedError(f"{effect.repository} is not in the catalogue that the run was started with.")
    if data is None:
        raise RefusedError("The submitted change is not kept; it was never handed in, or its time is over.")
    if sha256(data) != submission.patch_sha256:
        raise RefusedError("The patch is not the one that was submitted.")
    if submission.base_sha != base:
        raise RefusedError("The patch was made for another commit.")
    for gap in judge(_result(reproduced, ReproductionResult), test, submission).gaps:
        raise RefusedError(f"The accepted reports do not show a fix: {gap}.")
    fix = await asyncio.to_thread(patch_check.checked, desk, data, base, repository=repository, policy=policy.policy)
    return AcceptedFix(
        change=fix.change, remarks=fix.remarks, sha256=submission.patch_sha256, base=base, test=shown or b""
    )


T = TypeVar("T")


def _result(found: tuple[int, PhaseReport] | None, kind: type[T]) -> T | None:
    return found[1].result if found is not None and isinstance(found[1].result, kind) else None


SKIP: Final = "[skip ci]"
"""In a commit's message, it lets GitLab make no pipeline of a push: neither a branch's nor a merge request's."""


class CommitPipeline(StrEnum):
    """Whether the repository's own CI may run a commit."""

    RUNS = "runs"
    WAITS = "waits"


def wanted(facts: RunFacts) -> CommitPipeline:
    """Return what the run's policy says about a commit that nobody has seen yet."""
    policy = facts.catalogue.policy.target_pipeline if facts.catalogue else TargetPipeline.SKIP_UNTIL_APPROVED
    return CommitPipeline.WAITS if policy is TargetPipeline.SKIP_UNTIL_APPROVED else CommitPipeline.RUNS


async def on_branch(desk: Desk, facts: RunFacts, project: Project) -> RunFacts:
    """Return the run's facts with the branch that its fix gets in a project.

    A confidential run makes no branch whose name tells of the ticket. One that is there already, with its merge request
    or left by a crash between push and note, is gone on with: another beside it would take nothing back.
    """
    async with desk.database.begin() as session:
        rows = await merge_requests.of_run(session, facts.id)
    used = next((one.source_branch for one in rows if one.project_id == project.id), None)
    if used is not None:
        return replace(facts, branch=used)
    neutral = branch_name(facts.issue_key, "", facts.audience)
    if facts.audience.is_public or facts.branch == neutral:
        return facts
    head = await asyncio.to_thread(desk.commits.head, project.id, facts.branch)
    return facts if head is not None else replace(facts, branch=neutral)


_TRAILER = re.compile(r"^Bug-Fix-Run: (\S+) ([0-9a-f]{64})\s*\Z", re.MULTILINE)
"""At the end of our commits' messages; nothing before it is ours to trust."""


def trailer(run: str, change_sha256: str) -> str:
    """Return the line by which our own commits are known."""
    return f"Bug-Fix-Run: {run} {change_sha256}"


class Committed(Struct, frozen=True, kw_only=True):
    """The head of the run's branch."""

    sha: CommitSha
    held_back: bool
    """The repository's own CI leaves it alone."""


async def commit(
    desk: Desk, facts: RunFacts, project: Project, fix: AcceptedFix, *, subject: str, pipeline: CommitPipeline
) -> Committed:
    """Make the branch hold the base and the change; a branch that does already is left alone.

    A commit that may run is never replaced by one that waits: somebody approved it.
    """
    head = await asyncio.to_thread(desk.commits.head, project.id, facts.branch)
    if head is not None and not await _is_ours(desk, facts, project, head):
        raise RefusedError(
            f"Branch {facts.branch} of {project.path} ends in a commit that is not ours; it is left alone. "
            "Merge or delete the branch, then set the label again."
        )
    line = trailer(facts.id, fix.sha256)
    is_there = head is not None and line in head.message and head.parents == (fix.base,)
    if head is not None and is_there and (pipeline is CommitPipeline.WAITS or SKIP not in head.message):
        return Committed(sha=head.sha, held_back=SKIP in head.message)
    mark = f"{SKIP}\n\n" if pipeline is CommitPipeline.WAITS else ""
    sha = await asyncio.to_thread(_push, desk, facts, project, fix, message=f"{subject}\n\n{mark}{line}\n")
    return Committed(sha=sha, held_back=bool(mark))


async def _is_ours(desk: Desk, facts: RunFacts, project: Project, head: Head) -> bool:
    """Say whether a commit may be replaced: we noted it, or it is a change of ours to the byte.

    The second is what a crash between commit and note leaves behind. A person who amends our commit keeps its message
    and parent, so these prove nothing.
    """
    named = _TRAILER.search(head.message)
    async with desk.database.begin() as session:
        if head.sha in await merge_requests.heads(session, project.id, branch=facts.branch):
            return True
        data = None if named is None else await blobs.read(session, named[2], run=RunId(named[1]))
    if data is None or len(head.parents) != 1:
        return False
    (base,) = head.parents
    try:
        change = await asyncio.to_thread(patch_check.handed_in, desk.commits, project.id, data, base=base)
    except ChangeSetError:
        return False
    if change.base_sha != base:
        return False
    return await asyncio.to_thread(holds, desk.commits, project.id, change, sha=head.sha)


def is_just(desk: Desk, project: Project, fix: AcceptedFix, head: Head) -> bool:
    """Say whether a commit is the fix upon its base and nothing else: any other of that kind has the same tree."""
    return head.parents == (fix.base,) and holds(desk.commits, project.id, fix.change, sha=head.sha)


def _push(desk: Desk, facts: RunFacts, project: Project, fix: AcceptedFix, *, message: str) -> CommitSha:
    actions = actions_of(fix.change)
    desk.faults.reach("OpenMergeRequest:before_push")
    made = desk.commits.commit(project.id, branch=facts.branch, start_sha=fix.base, message=message, actions=actions)
    desk.faults.reach("OpenMergeRequest:after_push")
    if not holds(desk.commits, project.id, fix.change, sha=made):
        raise RefusedError(
            f"Commit {made[:12]} on {facts.branch} of {project.path} is not what was tested, so no merge request is "
            "opened for it. Delete the branch; what GitLab did to the files has to be found out."
        )
    return made
