"""The draft of partial work over real HTTP and git: held back from all CI, found again, made ready by a later fix."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from pipelines import language
from pipelines.language import (
    FixSubmission,
    ImplementationResult,
    MergeRequestResult,
    Phase,
    ProjectPath,
    ReproductionResult,
    RunId,
)
from pipelines.language.change_set import write_change_set
from pipelines.language.wire import sha256
from receiver.outbound.effects.commits import SKIP
from receiver.outbound.effects.desk import Desk
from receiver.outbound.effects.performers import perform
from receiver.outbound.errors import RefusedError
from receiver.store.jobs import blobs
from receiver.store.run import iterations, runs
from receiver.store.run.fold import Reader, fold
from receiver.workflow.effects import OpenDraft, OpenMergeRequest
from receiver.workflow.events.merge_request_events import MergeRequestOpened
from receiver.workflow.run import Attempt, Cause, RunStatus
from tests.changes import change_set, file_change
from tests.receiver.dying import DieAt, Died
from tests.reports import a_report, stored

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

CONTACTS = ProjectPath("payk12/contacts")
TEST = b"def test_it():\n    ...\n"


async def keep(desk: Desk, run: RunId, text: str, *, iteration: int, path: str, is_whole: bool = False) -> None:
    """Store a reproduction and a change of an iteration; `is_whole`: it was tested and submitted as well."""
    now = datetime.now(UTC)
    async with desk.database.begin() as session:
        row = await runs.hold(session, run)
        base = row.base_shas[CONTACTS]
        data = write_change_set(change_set(file_change(path, None, text), base=base))
        for blob in (data, TEST):
            await blobs.keep(session, blob, run=run, now=now, retention_days=30)
        if iteration > 1:
            await iterations.begin(session, row, Attempt(number=iteration, cause=Cause.RETRIED), now=now)
        digest, red = sha256(data), sha256(TEST)
        results: dict[Phase, Any] = {
            Phase.REPRODUCTION: ReproductionResult(
                base_sha=base, reproduced=True, test_path="t.py", test_sha256=red, failure="", symptom="", steps=()
            ),
            Phase.IMPLEMENTATION: ImplementationResult(
                base_sha=base,
                patch_sha256=digest,
                files=(path,),
                insertions=1,
                deletions=0,
                fix=FixSubmission(summary="", files=[], risk="", rollback=""),
            ),
        }
        if is_whole:
            results[Phase.TESTING] = language.TestingResult(
                base_sha=base,
                patch_sha256=digest,
                test_sha256=red,
                reproduction_before_failed=True,
                reproduction_after_passed=True,
                suite=None,
                new_failures=(),
            )
            results[Phase.MERGE_REQUEST] = MergeRequestResult(base_sha=base, patch_sha256=digest)
        for job, (phase, result) in enumerate(results.items(), start=10 * iteration):
            session.add(stored(a_report(run, phase, result, iteration=iteration), job=job, at=now))


async def opened(desk: Desk, run: RunId, effect: OpenDraft | OpenMergeRequest) -> MergeRequestOpened:
    done = await perform(desk, run, effect)
    (event,) = done.events
    assert isinstance(event, MergeRequestOpened)
    async with desk.database.begin() as session:
        row = await runs.hold(session, run)
        await fold(session, event, row, reader=Reader(catalogue=desk.catalogue(), bot=None, now=datetime.now(UTC)))
    return event


async def test_partial_work_becomes_a_draft_that_no_ci_runs_and_the_next_fix_makes_it_ready(
    desk: Desk, run: RunId, world: Any
) -> None:
    path = f"partial_{run}.py"
    await keep(desk, run, "half\n", iteration=1, path=path)
    async with desk.database.begin() as session:
        (await runs.hold(session, run)).status = RunStatus.ESCALATED
    draft = OpenDraft(iteration=1, repository=CONTACTS)
    event = await opened(desk, run, draft)
    there = world.contacts.mergerequests.get(event.iid)
    assert (there.draft, there.title.startswith("Draft: "), event.held_back) == (True, True, True)
    assert SKIP in world.contacts.commits.get(event.head_sha).message
    assert there.description.startswith("**Partial work, which fails.**")
    assert "def test_it" in there.description
    assert (await opened(desk, run, draft)).head_sha == event.head_sha, "performed again, it makes nothing"

    await keep(desk, run, "whole\n", iteration=2, path=path, is_whole=True)
    async with desk.database.begin() as session:
        (await runs.hold(session, run)).status = RunStatus.OPENING
    fixed = await opened(desk, run, OpenMergeRequest(iteration=2, repository=CONTACTS))
    there = world.contacts.mergerequests.get(event.iid)
    assert (fixed.iid, there.draft) == (event.iid, False)
    assert "Partial work" not in there.description
    assert world.contacts.commits.get(fixed.head_sha).parent_ids == [event.head_sha], "nothing was forced"
    assert world.contacts.files.get(path, ref=there.source_branch).decode() == b"whole\n"


POINTS = [f"OpenMergeRequest:{when}_{what}" for what in ("push", "post") for when in ("before", "after")]


@pytest.mark.parametrize("point", POINTS)
async def test_a_worker_that_dies_around_it_leaves_one_draft_with_one_commit(
    desk: Desk, run: RunId, world: Any, point: str
) -> None:
    path = f"partial_{run}.py"
    await keep(desk, run, "half\n", iteration=1, path=path)
    draft = OpenDraft(iteration=1, repository=CONTACTS)
    with pytest.raises(Died):
        await perform(replace(desk, faults=DieAt(point)), run, draft)
    event = await opened(desk, run, draft)
    there = world.contacts.mergerequests.get(event.iid)
    open_ones = world.contacts.mergerequests.list(source_branch=there.source_branch, state="opened", get_all=True)
    assert ([one.iid for one in open_ones], len(list(there.commits()))) == ([event.iid], 1)


async def test_partial_work_that_breaks_a_rule_of_patches_is_committed_nowhere(
    desk: Desk, run: RunId, world: Any
) -> None:
    await keep(desk, run, "x: {script: [env]}\n", iteration=1, path=".gitlab-ci.yml")
    branches = {one.name for one in world.contacts.branches.list(get_all=True)}
    with pytest.raises(RefusedError, match="gitlab-ci"):
        await perform(desk, run, OpenDraft(iteration=1, repository=CONTACTS))
    assert {one.name for one in world.contacts.branches.list(get_all=True)} == branches


async def test_there_is_no_draft_of_what_was_not_handed_in(desk: Desk, run: RunId) -> None:
    with pytest.raises(RefusedError, match="no change of this attempt"):
        await perform(desk, run, OpenDraft(iteration=1, repository=CONTACTS))
