"""Merging over real HTTP: once when approved, never over another head, whatever GitLab answers."""

import asyncio
from typing import Any

import gitlab
import psycopg
import pytest
from msgspec.structs import replace

from receiver.outbound.effects.performers import perform
from receiver.outbound.errors import UnavailableError
from receiver.outbound.gitlab.commits_api import Action
from receiver.store.run import runs
from receiver.workflow.effects import RebaseMergeRequest
from receiver.workflow.events.merge_request_events import MergeRequestChanged
from tests.receiver.dying import DieAt, Died
from tests.receiver.merging.conftest import CONTACTS

pytestmark = [pytest.mark.integration, pytest.mark.anyio]


class Acts:
    """Lets somebody do something at a point."""

    def __init__(self, point: str, act: Any) -> None:
        self.point, self.act = point, act

    def reach(self, point: str) -> None:
        if point == self.point:
            self.act()


async def answer(waiting: Any, desk: Any = None) -> tuple[str, str]:
    """Look until GitLab knows, and return what was answered and why."""
    for _ in range(10):
        try:
            done = await waiting.look(desk)
        except UnavailableError:
            await asyncio.sleep(0)
            continue
        return done.result["answer"], done.result.get("why", "")
    raise AssertionError("GitLab did not come to know")


async def test_what_is_approved_and_green_is_merged_once_however_often_it_is_looked_at(waiting: Any) -> None:
    waiting.green()
    assert (await answer(waiting))[0] == "waits"
    waiting.approve()
    assert (await answer(waiting))[0] == "merged"
    assert (await answer(waiting))[0] == "merged"
    there, row = waiting.there, await waiting.row()
    assert (there.state, there.merge_user["username"], waiting.merges) == ("merged", "bug-fix-bot", 1)
    assert (row.state, row.merge_answer, row.merge_head_sha) == ("merged", "merged", waiting.opened.head_sha)
    assert (row.merge_approved_by, row.merge_commit_sha) == (["mara"], there.merge_commit_sha)


@pytest.mark.parametrize("point", ["MergeWhenReady:before_merge", "MergeWhenReady:after_merge"])
async def test_a_crash_around_the_merge_merges_once_and_tells_it(waiting: Any, point: str) -> None:
    waiting.green()
    waiting.approve()
    with pytest.raises(Died):
        await answer(waiting, replace(waiting.desk, faults=DieAt(point)))
    assert waiting.there.state == ("merged" if point.endswith("after_merge") else "opened")
    assert (await answer(waiting))[0] == "merged"
    row = await waiting.row()
    assert (row.merge_answer, row.merge_approved_by, row.state, waiting.merges) == ("merged", ["mara"], "merged", 1)


async def test_a_head_that_moves_while_it_is_merged_is_not_merged(waiting: Any) -> None:
    waiting.green()
    waiting.approve()

    def push() -> None:
        action = {"action": "create", "file_path": "mine.txt", "content": "mine"}
        commit = {"branch": waiting.there.source_branch, "commit_message": "Mine", "actions": [action]}
        waiting.mara.projects.get(CONTACTS).commits.create(commit)

    desk = replace(waiting.desk, faults=Acts("MergeWhenReady:before_merge", push))
    answered, why = await answer(waiting, desk)
    assert (answered, "not what was tested" in why) == ("people", True)
    assert waiting.there.state == "opened"
    waiting.seen_by_mara.unapprove()
    waiting.approve()
    waiting.green()
    assert (await answer(waiting))[0] == "people"


@pytest.mark.parametrize("changes", ["status = 'paused'", "status = 'cancelled'", "iteration = 2"])
async def test_a_run_that_is_stopped_while_it_is_looked_at_merges_nothing(
    waiting: Any, postgres: str, changes: str
) -> None:
    waiting.green()
    waiting.approve()

    def stop() -> None:
        with psycopg.connect(postgres.replace("+psycopg", "")) as connection:
            connection.execute(f"UPDATE runs SET {changes} WHERE id = %s", [waiting.run])  # noqa: S608 - of this test

    desk = replace(waiting.desk, faults=Acts("MergeWhenReady:before_merge", stop))
    assert (await answer(waiting, desk))[0] == "none"
    assert waiting.there.state == "opened"


async def test_an_approval_that_is_older_than_the_change_does_not_count(waiting: Any) -> None:
    waiting.approve()
    made = await asyncio.to_thread(
        waiting.desk.commits.add,
        waiting.opened.project_id,
        branch=waiting.opened.branch,
        message="Another try",
        actions=(Action(action="create", path="other.txt", content=b"x"),),
    )
    await waiting.note(replace(waiting.opened, head_sha=made.sha))
    waiting.green()
    answered, why = await answer(waiting)
    assert (answered, "before the last change" in why) == ("waits", True)


async def test_an_approval_holds_over_a_commit_that_changes_nothing(waiting: Any) -> None:
    waiting.approve()
    made = await asyncio.to_thread(
        waiting.desk.commits.add,
        waiting.opened.project_id,
        branch=waiting.opened.branch,
        message="Nothing",
        actions=(),
    )
    await waiting.note(replace(waiting.opened, head_sha=made.sha))
    waiting.green()
    assert (await answer(waiting))[0] == "merged"


async def test_our_own_approval_merges_nothing(waiting: Any, world: Any) -> None:
    waiting.green()
    with gitlab.Gitlab(world.gitlab_url, private_token=world.facts["gitlab"]["token"]) as bot:
        bot.projects.get(CONTACTS).mergerequests.get(waiting.opened.iid).approve()
    answered, why = await answer(waiting)
    assert (answered, "our own accounts" in why, waiting.there.state) == ("waits", True, "opened")


async def test_without_a_pipeline_of_the_head_nothing_is_merged(waiting: Any) -> None:
    waiting.green()
    waiting.world.contacts.pipelines.list(ref=waiting.opened.branch, get_all=True)[0].delete()
    waiting.approve()
    answered, why = await answer(waiting)
    assert (answered, "no pipeline" in why) == ("waits", True)


async def test_an_open_thread_blocks_until_it_is_resolved(waiting: Any) -> None:
    waiting.green()
    waiting.approve()
    thread = waiting.seen_by_mara.discussions.create({"body": "Why?"})
    answered, why = await answer(waiting)
    assert (answered, "thread" in why) == ("blocked", True)
    thread.resolved = True
    thread.save()
    assert (await answer(waiting))[0] == "merged"


async def test_a_bot_that_may_not_merge_says_so(waiting: Any) -> None:
    member = next(one for one in waiting.world.contacts.members.list(get_all=True) if one.username == "bug-fix-bot")
    member.access_level = 30
    member.save()
    try:
        waiting.green()
        waiting.approve()
        answered, why = await answer(waiting)
        assert (answered, "may not merge into `main`" in why) == ("blocked", True)
    finally:
        member.access_level = 40
        member.save()


async def test_a_merge_that_fails_in_gitlab_is_told_with_its_reason_and_made_at_the_next_look(waiting: Any) -> None:
    waiting.green()
    waiting.approve()
    reason = "Something went wrong during merge pre-receive hook."
    waiting.control("PUT", "merge_requests/failure", project=CONTACTS, iid=waiting.opened.iid, error=reason)
    answered, why = await answer(waiting)
    assert (answered, "422" in why, reason in why) == ("blocked", True, True)
    assert (await answer(waiting))[0] == "merged"


@pytest.mark.parametrize("status", ["requested_changes", "locked_paths", "of_a_later_version"])
async def test_what_gitlab_says_against_it_blocks(waiting: Any, status: str) -> None:
    waiting.green()
    waiting.approve()
    waiting.control("PUT", "merge_requests/status", project=CONTACTS, iid=waiting.opened.iid, status=status)
    assert (await answer(waiting))[0] == "blocked"
    assert waiting.there.state == "opened"


async def test_where_policy_says_manual_by_now_nothing_is_merged(waiting: Any) -> None:
    waiting.green()
    waiting.approve()
    now = waiting.desk.catalogue()
    manual = replace(now, policy=replace(now.policy, merge=type(now.policy.merge).MANUAL))
    desk = replace(waiting.desk, catalogue=lambda: manual)
    assert (await answer(waiting, desk))[0] == "people"


async def test_a_branch_that_has_to_be_rebased_is_rebased_once_and_wants_a_new_approval(waiting: Any) -> None:
    waiting.set_up(merge_method="ff")
    waiting.green()
    waiting.approve()
    waiting.target_moves(f"moved-{waiting.run}.txt")
    assert (await answer(waiting))[0] == "rebase"
    before = (await waiting.row()).rebased_from
    assert before == waiting.opened.head_sha
    wanted = RebaseMergeRequest(iteration=1, repository=CONTACTS, head_sha=before)
    for asked in (True, False):
        found = await perform(waiting.desk, waiting.run, wanted)
        assert found.result == {"asked": asked}
    assert waiting.there.sha != before
    waiting.green()
    answered, why = await answer(waiting)
    assert (answered, "before the last change" in why) == ("waits", True)
    waiting.seen_by_mara.unapprove()
    waiting.approve()
    waiting.target_moves(f"again-{waiting.run}.txt")
    answered, why = await answer(waiting)
    assert (answered, "asked once" in why) == ("blocked", True)
    waiting.set_up(merge_method="merge")
    assert (await answer(waiting))[0] == "merged"


async def test_a_conflict_is_told(waiting: Any) -> None:
    waiting.green()
    waiting.approve()
    waiting.target_moves(f"fixed-{waiting.run}.txt", "other\n")
    assert (await answer(waiting))[0] == "conflict"


async def test_where_the_project_has_merge_trains_it_comes_in_by_one(waiting: Any) -> None:
    waiting.control("PUT", "tier", tier="premium")
    waiting.set_up(merge_pipelines_enabled=True, merge_trains_enabled=True)
    try:
        waiting.green()
        waiting.approve()
        answered, _ = await answer(waiting)
        assert answered == "boarded"
        for _ in range(2000):
            if waiting.there.state == "merged":
                break
            answered, why = await answer(waiting)
            assert answered in {"waits", "merged"}, why
            await asyncio.sleep(0.02)
        done = await waiting.look()
        row = await waiting.row()
        assert (done.result["answer"], row.state, row.merge_approved_by) == ("merged", "merged", ["mara"])
    finally:
        waiting.set_up(merge_pipelines_enabled=False, merge_trains_enabled=False)


async def test_a_merge_by_people_is_told_as_theirs(waiting: Any) -> None:
    waiting.green()
    waiting.seen_by_mara.merge()
    (told,) = (await waiting.look()).events
    assert isinstance(told, MergeRequestChanged)
    assert (told.actor, told.state) == ("mara", "merged")
    async with waiting.desk.database.begin() as session:
        assert (await runs.find(session, waiting.run)).id == waiting.run
