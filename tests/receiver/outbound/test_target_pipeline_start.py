import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import gitlab
import pytest
from msgspec.structs import replace
from sqlalchemy import delete, select

from pipelines.language import CommitSha, ProjectPath, RunId
from pipelines.language.change_set import FileChange
from receiver.outbound.effects.commits import SKIP
from receiver.outbound.effects.desk import Desk
from receiver.outbound.effects.performers import perform
from receiver.outbound.gitlab.commits_api import Action
from receiver.store.run import polled_merge_requests, runs
from receiver.store.run.fold import Reader, fold
from receiver.store.run.standing_approvals import Approval
from receiver.store.schema import BlobOwnerRow, MergeRequestEventRow, TargetPipelineRow
from receiver.workflow.effects import OpenMergeRequest, PollGitLab, StartTargetPipeline
from receiver.workflow.events.merge_request_events import (
    MergeRequestChanged,
    MergeRequestOpened,
    TargetPipelineReleased,
)
from tests.changes import file_change

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

CONTACTS = ProjectPath("payk12/contacts")


class Died(Exception):  # noqa: N818  # what a crash would be, were it one
    """Raised where the process would have ended."""


class DieAt:
    """Breaks off at a point."""

    def __init__(self, point: str) -> None:
        self.point = point

    def reach(self, point: str) -> None:
        if point == self.point:
            raise Died


@pytest.fixture
def people(world: Any) -> Iterator[Any]:
    """Return a function that gives a project as a person sees it."""
    opened = []

    def sees(username: str) -> Any:
        (user,) = world.admin.users.list(username=username)
        known = {"mara": world.facts["gitlab"]["person_token"], "bug-fix-bot": world.facts["gitlab"]["token"]}
        client = gitlab.Gitlab(world.gitlab_url, private_token=known[username])
        opened.append(client)
        return user, client.projects.get(CONTACTS)

    yield sees
    for client in opened:
        client.session.close()


@pytest.fixture
async def held(desk: Desk, run: RunId, submit: Any, patch: FileChange) -> MergeRequestOpened:
    """Return a merge request whose own pipeline waits for approval."""
    async with desk.database.begin() as session:
        row = await runs.hold(session, run)
        assert row.catalogue is not None
        policy = row.catalogue["policy"] | {"target_pipeline": "skip_until_approved"}
        row.catalogue = {**row.catalogue, "policy": policy}
    await submit(run, patch)
    done = await perform(desk, run, OpenMergeRequest(iteration=1, repository=CONTACTS))
    (event,) = done.events
    assert isinstance(event, MergeRequestOpened)
    assert event.held_back
    await note(desk, run, event)
    return event


@pytest.fixture
def patch(world: Any) -> FileChange:
    config = world.contacts.files.get(".gitlab-ci.yml", ref="main").decode().decode()
    assert "script" in config
    return file_change("fixed.txt", None, "x\n")


async def note(desk: Desk, run: RunId, event: Any) -> None:
    async with desk.database.begin() as session:
        row = await runs.hold(session, run)
        reader = Reader(catalogue=desk.catalogue(), bot=None, now=datetime.now(UTC))
        await fold(session, event, row, reader=reader)


def effect(event: MergeRequestOpened, user: Any, **changes: Any) -> StartTargetPipeline:
    wanted = StartTargetPipeline(iteration=1, repository=CONTACTS, head_sha=event.head_sha, approved_by=user.id)
    return replace(wanted, **changes)


async def branch_of(desk: Desk, run: RunId) -> str:
    async with desk.database.begin() as session:
        return (await runs.facts(session, run)).branch


async def own_pipelines(desk: Desk, run: RunId, world: Any, *, at_least: int = 1) -> list[str]:
    found = until(world, await branch_of(desk, run), at_least)
    return ["skipped" if one.status == "skipped" else "ran" for one in reversed(found)]


def until(world: Any, branch: str, at_least: int) -> list[Any]:
    """Return the branch's pipelines, once there are so many: GitLab makes them after it has answered a push."""
    deadline = time.monotonic() + 60
    while len(found := world.contacts.pipelines.list(ref=branch, source="push", get_all=True)) < at_least:
        assert time.monotonic() < deadline, f"{len(found)} of {at_least} pipelines came"
        time.sleep(0.02)
    return list(found)


async def test_a_fix_is_pushed_without_a_pipeline_and_runs_once_it_is_approved(
    desk: Desk, run: RunId, held: MergeRequestOpened, people: Any, world: Any
) -> None:
    assert await own_pipelines(desk, run, world) == ["skipped"]
    mara, project = people("mara")
    project.mergerequests.get(held.iid).approve()
    done = await perform(desk, run, effect(held, mara))
    assert done.result is not None
    assert done.result["started"] is True
    (event,) = done.events
    assert isinstance(event, MergeRequestOpened)
    commit = world.contacts.commits.get(event.head_sha)
    before = world.contacts.commits.get(held.head_sha)
    assert SKIP in before.message
    assert SKIP not in commit.message
    assert (commit.parent_ids, commit.diff(get_all=True)) == ([before.id], [])
    assert SKIP not in world.contacts.mergerequests.get(held.iid).title
    assert await own_pipelines(desk, run, world, at_least=2) == ["skipped", "ran"]
    await note(desk, run, event)
    again = await perform(desk, run, effect(held, mara))
    released = (TargetPipelineReleased(repository=CONTACTS),)
    assert (again.events, await own_pipelines(desk, run, world, at_least=2)) == (released, ["skipped", "ran"])


@pytest.mark.parametrize("point", ["OpenMergeRequest:before_push", "OpenMergeRequest:after_push"])
async def test_a_crash_around_the_push_starts_it_once(
    desk: Desk, run: RunId, held: MergeRequestOpened, people: Any, world: Any, point: str
) -> None:
    mara, project = people("mara")
    project.mergerequests.get(held.iid).approve()
    with pytest.raises(Died):
        await perform(replace(desk, faults=DieAt(point)), run, effect(held, mara))
    done = await perform(desk, run, effect(held, mara))
    assert done.result is not None
    assert done.result["started"] is True
    assert await own_pipelines(desk, run, world, at_least=2) == ["skipped", "ran"]


async def test_a_commit_that_may_run_is_not_held_back_again(
    desk: Desk, run: RunId, held: MergeRequestOpened, people: Any
) -> None:
    mara, project = people("mara")
    project.mergerequests.get(held.iid).approve()
    (event,) = (await perform(desk, run, effect(held, mara))).events
    await note(desk, run, event)
    (again,) = (await perform(desk, run, OpenMergeRequest(iteration=1, repository=CONTACTS))).events
    assert again == replace(event, iteration=1, has_reviewer=True, same_as=None)


async def test_the_commit_without_the_mark_inherits_the_approvals_that_stood(
    desk: Desk, run: RunId, held: MergeRequestOpened, people: Any
) -> None:
    mara, project = people("mara")
    project.mergerequests.get(held.iid).approve()
    (told,) = await approvals(desk, run)
    assert told.head_sha == held.head_sha
    (event,) = (await perform(desk, run, effect(held, mara))).events
    assert isinstance(event, MergeRequestOpened)
    assert event.same_as == held.head_sha
    await note(desk, run, event)
    await note(desk, run, event)  # told twice, noted once
    async with desk.database.begin() as session:
        standing = (await polled_merge_requests.known(session, run)).approvals
        noted = await session.scalars(select(MergeRequestEventRow.head_sha).where(MergeRequestEventRow.actor == "mara"))
        assert sorted(noted) == sorted([held.head_sha, event.head_sha])
    assert standing == {(held.project_id, held.iid): {mara.id: Approval(name="mara", head_sha=event.head_sha)}}
    assert await approvals(desk, run) == []


async def test_a_commit_that_holds_anything_else_inherits_nothing(
    desk: Desk, run: RunId, held: MergeRequestOpened, people: Any
) -> None:
    mara, project = people("mara")
    project.mergerequests.get(held.iid).approve()
    await approvals(desk, run)
    await note(desk, run, replace(held, head_sha="e" * 40))
    async with desk.database.begin() as session:
        standing = (await polled_merge_requests.known(session, run)).approvals
    assert standing == {(held.project_id, held.iid): {mara.id: Approval(name="mara", head_sha=held.head_sha)}}


async def refused(desk: Desk, run: RunId, wanted: StartTargetPipeline, world: Any) -> str:
    done = await perform(desk, run, wanted)
    assert (done.events, await own_pipelines(desk, run, world)) == ((), ["skipped"])
    assert done.result is not None
    assert done.result["started"] is False
    return done.remark


async def test_an_approval_that_nobody_gave_starts_nothing(
    desk: Desk, run: RunId, held: MergeRequestOpened, people: Any, world: Any
) -> None:
    mara, project = people("mara")
    assert "taken back" in await refused(desk, run, effect(held, mara), world)
    project.mergerequests.get(held.iid).approve()
    project.mergerequests.get(held.iid).unapprove()
    assert "taken back" in await refused(desk, run, effect(held, mara), world)


async def test_our_own_approval_starts_nothing(
    desk: Desk, run: RunId, held: MergeRequestOpened, people: Any, world: Any
) -> None:
    bot, project = people("bug-fix-bot")
    project.mergerequests.get(held.iid).approve()
    assert "our own account" in await refused(desk, run, effect(held, bot), world)


async def test_the_approval_of_somebody_who_is_no_developer_any_more_starts_nothing(
    desk: Desk, run: RunId, held: MergeRequestOpened, people: Any, world: Any
) -> None:
    mara, project = people("mara")
    project.mergerequests.get(held.iid).approve()
    member = world.contacts.members.get(mara.id)
    level, member.access_level = member.access_level, 20
    member.save()
    try:
        assert "no developer" in await refused(desk, run, effect(held, mara), world)
    finally:
        member.access_level = level
        member.save()


async def test_the_approval_of_somebody_who_was_blocked_since_starts_nothing(
    desk: Desk, run: RunId, held: MergeRequestOpened, people: Any, world: Any
) -> None:
    mara, project = people("mara")
    project.mergerequests.get(held.iid).approve()
    mara.block()
    try:
        assert "no developer" in await refused(desk, run, effect(held, mara), world)
    finally:
        mara.unblock()


async def test_an_approval_of_another_commit_starts_nothing(
    desk: Desk, run: RunId, held: MergeRequestOpened, people: Any, world: Any
) -> None:
    mara, project = people("mara")
    project.mergerequests.get(held.iid).approve()
    assert "another commit" in await refused(desk, run, effect(held, mara, head_sha="f" * 40), world)


async def test_a_closed_merge_request_starts_nothing(
    desk: Desk, run: RunId, held: MergeRequestOpened, people: Any, world: Any
) -> None:
    mara, project = people("mara")
    project.mergerequests.get(held.iid).approve()
    world.contacts.mergerequests.update(held.iid, {"state_event": "close"})
    assert "it is closed" in await refused(desk, run, effect(held, mara), world)


async def test_an_approval_whose_hook_was_lost_is_told_once_and_so_is_one_that_was_taken_back(
    desk: Desk, run: RunId, held: MergeRequestOpened, people: Any
) -> None:
    mara, project = people("mara")
    project.mergerequests.get(held.iid).approve()
    (told,) = await approvals(desk, run)
    assert (told.actor_id, told.actor, told.head_sha, told.iid) == (mara.id, "mara", held.head_sha, held.iid)
    assert await approvals(desk, run) == []
    project.mergerequests.get(held.iid).unapprove()
    assert await approvals(desk, run) == [replace(told, action="unapproved")]
    assert await approvals(desk, run) == []
    project.mergerequests.get(held.iid).approve()
    assert await approvals(desk, run) == [told]


async def test_a_run_knows_who_approved_the_head_while_its_own_pipeline_waits(
    desk: Desk, run: RunId, held: MergeRequestOpened, people: Any
) -> None:
    assert await approved_by(desk, run) == ()
    mara, project = people("mara")
    project.mergerequests.get(held.iid).approve()
    await approvals(desk, run)
    assert await approved_by(desk, run) == (mara.id,)
    project.mergerequests.get(held.iid).unapprove()
    await approvals(desk, run)
    assert await approved_by(desk, run) == ()
    project.mergerequests.get(held.iid).approve()
    await approvals(desk, run)
    for event in (await perform(desk, run, effect(held, mara))).events:
        await note(desk, run, event)
    assert await approved_by(desk, run) == ()  # it waits no more


async def approved_by(desk: Desk, run: RunId) -> tuple[int, ...]:
    async with desk.database.begin() as session:
        (known,) = (await runs.load(session, await runs.hold(session, run))).merge_requests
    return known.approved_by


async def test_an_approval_that_is_older_than_the_commit_is_of_no_commit_and_starts_nothing(
    desk: Desk, run: RunId, held: MergeRequestOpened, people: Any, world: Any
) -> None:
    mara, project = people("mara")
    project.mergerequests.get(held.iid).approve()
    made = await asyncio.to_thread(
        desk.commits.add,
        held.project_id,
        branch=await branch_of(desk, run),
        message=f"Another patch\n\n{SKIP}",
        actions=(Action(action="create", path="other.txt", content=b"x"),),
    )
    pushed = CommitSha(made.sha)
    await note(desk, run, replace(held, head_sha=pushed))
    (told,) = await approvals(desk, run)
    assert (told.actor_id, told.head_sha) == (mara.id, "")
    for head in (told.head_sha, pushed):  # as it is told, and as a forged hook tells it
        done = await perform(desk, run, effect(held, mara, head_sha=head))
        assert (done.events, "older than its commit" in done.remark) == ((), True)
    assert await own_pipelines(desk, run, world, at_least=2) == ["skipped", "skipped"]
    assert await approvals(desk, run) == []
    project.mergerequests.get(held.iid).unapprove()
    project.mergerequests.get(held.iid).approve()
    (again,) = await approvals(desk, run)
    assert (again.actor_id, again.head_sha) == (mara.id, pushed)


async def approvals(desk: Desk, run: RunId) -> list[MergeRequestChanged]:
    """Poll, note what is told, and return the approvals, given and taken back."""
    events = (await perform(desk, run, PollGitLab(iteration=1))).events
    for event in events:
        await note(desk, run, event)
    return [one for one in events if isinstance(one, MergeRequestChanged) and one.action.endswith("approved")]


async def test_it_runs_though_the_patch_is_no_longer_kept(
    desk: Desk, run: RunId, held: MergeRequestOpened, people: Any
) -> None:
    mara, project = people("mara")
    project.mergerequests.get(held.iid).approve()
    async with desk.database.begin() as session:
        await session.execute(delete(BlobOwnerRow))
    (event,) = (await perform(desk, run, effect(held, mara))).events
    assert (event.head_sha != held.head_sha, event.held_back) == (True, False)


async def test_a_persons_commit_is_not_released_by_us(
    desk: Desk, run: RunId, held: MergeRequestOpened, people: Any, world: Any
) -> None:
    mara, project = people("mara")
    made = push(project, await branch_of(desk, run), f"Mine {SKIP}")
    project.mergerequests.get(held.iid).approve()
    done = await perform(desk, run, effect(held, mara, head_sha=made))
    assert (done.events, "not ours" in done.remark) == ((), True)
    assert world.contacts.branches.get(await branch_of(desk, run)).commit["id"] == made


async def test_of_a_push_while_it_is_released_nothing_is_lost(
    desk: Desk, run: RunId, held: MergeRequestOpened, people: Any, world: Any
) -> None:
    """Our commit is on top of it and not noted as a head of ours: the two were not tested."""
    mara, project = people("mara")
    project.mergerequests.get(held.iid).approve()
    branch = await branch_of(desk, run)

    class Pushes:
        theirs = ""

        def reach(self, point: str) -> None:
            if point == "OpenMergeRequest:before_push":
                self.theirs = push(project, branch, "Mine")

    faults = Pushes()
    done = await perform(replace(desk, faults=faults), run, effect(held, mara))
    assert done.events == (TargetPipelineReleased(repository=CONTACTS),)
    assert f"Somebody pushed {faults.theirs[:12]}" in done.remark
    head = world.contacts.branches.get(branch).commit
    assert head["parent_ids"] == [faults.theirs]
    assert world.contacts.commits.get(faults.theirs).parent_ids == [held.head_sha]


def push(project: Any, branch: str, message: str) -> str:
    """Commit a file as a person."""
    action = {"action": "create", "file_path": "mine.txt", "content": "mine"}
    return str(project.commits.create({"branch": branch, "commit_message": message, "actions": [action]}).id)


async def test_what_the_repositorys_own_ci_says_is_asked_for_when_its_hook_was_lost(
    desk: Desk, run: RunId, held: MergeRequestOpened, world: Any
) -> None:
    until(world, await branch_of(desk, run), 1)
    (told,) = (await perform(desk, run, PollGitLab(iteration=1))).events
    await note(desk, run, told)
    async with desk.database.begin() as session:
        (row,) = await session.scalars(select(TargetPipelineRow))
        assert (row.sha, row.status, row.source) == (held.head_sha, "skipped", "push")
    assert (await perform(desk, run, PollGitLab(iteration=1))).events == ()
