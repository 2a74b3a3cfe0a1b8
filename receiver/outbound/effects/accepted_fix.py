"""The fix that may be committed: what the accepted reports say of it, checked against what was promised."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from msgspec import Struct

from pipelines.language import (
    CommitSha,
    MergeRequestResult,
    Phase,
    PhaseReport,
    ProjectPath,
    ReproductionResult,
    TestingResult,
)
from pipelines.language.change_set import ChangeSet
from pipelines.language.wire import sha256
from pipelines.proof.red_green import judge
from receiver.outbound.effects import patch_check
from receiver.outbound.effects.desk import Desk
from receiver.outbound.errors import RefusedError
from receiver.store.jobs import blobs
from receiver.store.run import offered_remedies, remedies, settled_reports
from receiver.store.run.runs import RunFacts
from receiver.workflow.remedy_state import DRAFTED, OFFERED


class AcceptedFix(Struct, frozen=True, kw_only=True):
    """A change set that may be committed: submitted, tested, and the same bytes in both."""

    change: ChangeSet
    remarks: tuple[str, ...] = ()
    """What people are asked to look at, a sentence each."""
    sha256: str
    """Of the change set as it was handed in."""
    base: CommitSha
    is_draft: bool = False
    """A remedy goes with it that people judge first: nothing runs and nothing merges it before."""
    test: bytes
    """The reproduction test that was red and green, for people to read; empty when it is not kept any more."""


async def partial(desk: Desk, facts: RunFacts, path: ProjectPath, *, iteration: int) -> AcceptedFix:
    """Return the change that turned the reproduction green and failed otherwise, if its patch breaks no rule.

    Raises RefusedError.
    """
    async with desk.database.begin() as session:
        data = await offered_remedies.change_of(session, facts.id, iteration, path)
        reproduced = await settled_reports.accepted(
            session, facts.id, iteration=iteration, phase=Phase.REPRODUCTION, repository=path
        )
        red = _result(reproduced, ReproductionResult)
        digest = None if red is None else red.test_sha256
        test = None if digest is None else await blobs.read(session, digest, run=facts.id)
    base, policy = facts.base_shas.get(path), facts.catalogue
    repository = None if policy is None else policy.repositories.get(path)
    if policy is None or repository is None or base is None or data is None:
        raise RefusedError(f"{path} has no change of this attempt that is kept.")
    fix = await asyncio.to_thread(patch_check.checked, desk, data, base, repository=repository, policy=policy.policy)
    return AcceptedFix(
        change=fix.change, remarks=fix.remarks, sha256=sha256(data), base=base, test=test or b"", is_draft=True
    )


async def accepted(desk: Desk, facts: RunFacts, path: ProjectPath, *, iteration: int) -> AcceptedFix:
    """Return the fix, if everything that was promised about it holds. Raises RefusedError that says what does not."""
    async with desk.database.begin() as session:
        reproduced, tested, submitted = [
            await settled_reports.accepted(session, facts.id, iteration=iteration, phase=phase, repository=path)
            for phase in (Phase.REPRODUCTION, Phase.TESTING, Phase.MERGE_REQUEST)
        ]
        submission = _result(submitted, MergeRequestResult)
        test = _result(tested, TestingResult)
        remedy = await remedies.of_job(session, facts.id, iteration=iteration, repository=path)
        plain = None if remedy is None else await offered_remedies.change_of(session, facts.id, remedy.mends, path)
        data = None if submission is None else await blobs.read(session, submission.patch_sha256, run=facts.id)
        shown = None if test is None else await blobs.read(session, test.test_sha256, run=facts.id)
    base = facts.base_shas.get(path)
    policy = facts.catalogue
    if submission is None or test is None or policy is None or base is None:
        raise RefusedError(f"{path} has no accepted testing report and submission.")
    repository = policy.repositories.get(path)
    if repository is None:
        raise RefusedError(f"{path} is not in the catalogue that the run was started with.")
    if data is None:
        raise RefusedError("The submitted change is not kept; it was never handed in, or its time is over.")
    if sha256(data) != submission.patch_sha256:
        raise RefusedError("The patch is not the one that was submitted.")
    if submission.base_sha != base:
        raise RefusedError("The patch was made for another commit.")
    for gap in judge(_result(reproduced, ReproductionResult), test, submission).gaps:
        raise RefusedError(f"The accepted reports do not show a fix: {gap}.")
    fix = await asyncio.to_thread(patch_check.checked, desk, data, base, repository=repository, policy=policy.policy)
    if remedy is not None and remedy.action in OFFERED:  # what was tested holds the remedy, which people take or leave
        if plain is None:
            raise RefusedError("The change that the remedy mends is not kept any more.")
        data = plain
        fix = await asyncio.to_thread(
            patch_check.checked, desk, data, base, repository=repository, policy=policy.policy
        )
    return AcceptedFix(
        change=fix.change,
        remarks=fix.remarks,
        sha256=sha256(data),
        base=base,
        test=shown or b"",
        is_draft=remedy is not None and remedy.action in DRAFTED,
    )


T = TypeVar("T")


def _result(found: tuple[int, PhaseReport] | None, kind: type[T]) -> T | None:
    return found[1].result if found is not None and isinstance(found[1].result, kind) else None
