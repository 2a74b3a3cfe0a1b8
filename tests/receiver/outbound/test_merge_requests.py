from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx2
import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import delete, select

from pipelines.language import ProjectPath, RunId
from pipelines.language.change_set import EXECUTABLE, FileChange
from receiver.outbound.effects.desk import Desk
from receiver.outbound.effects.performers import perform
from receiver.outbound.errors import RefusedError
from receiver.store.run import runs
from receiver.store.run.fold import Reader, fold
from receiver.store.schema import BlobOwnerRow, PlanRow, ReportRow
from receiver.worker.event_handler import Setting, handle
from receiver.workflow.effects import Confirm, LinkTicket, OpenMergeRequest, UpdateMergeRequestNote
from receiver.workflow.events.merge_request_events import MergeRequestChanged, MergeRequestOpened
from tests.changes import file_change
from tests.plans import a_plan

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

CONTACTS = ProjectPath("payk12/contacts")
EFFECT = OpenMergeRequest(iteration=1, repository=CONTACTS)


def readme(world: Any) -> str:
    text: str = world.contacts.files.get("README.md", ref="main").decode().decode()
    return text


async def opened(desk: Desk, run: RunId) -> MergeRequestOpened:
    (event,) = (await perform(desk, run, EFFECT)).events
    assert isinstance(event, MergeRequestOpened)
    return event


async def branch_of(desk: Desk, run: RunId) -> str:
    async with desk.database.begin() as session:
        return (await runs.facts(session, run)).branch


async def test_the_accepted_patch_becomes_one_commit_and_one_merge_request_however_often(
    desk: Desk, run: RunId, submit: Any, world: Any
) -> None:
    text = readme(world)
    await submit(run, file_change("README.md", text, text + "\nFixed.\n"))
    first = await opened(desk, run)
    assert await opened(desk, run) == first
    branch = await branch_of(desk, run)
    commits = world.contacts.commits.list(ref_name=f"main..{branch}", get_all=True)
    assert [commit.id for commit in commits] == [first.head_sha]
    assert world.contacts.files.get("README.md", ref=branch).decode().decode() == text + "\nFixed.\n"
    (request,) = world.contacts.mergerequests.list(source_branch=branch, get_all=True)
    assert (request.iid, request.title, request.target_branch) == (first.iid, "PL-479: Fix", "main")
    assert request.author["username"] == "bug-fix-bot"


@pytest.fixture
def premium(world: Any) -> Iterator[None]:
    httpx2.put(f"{world.gitlab_url}/_sandbox/tier", json={"tier": "premium"}, timeout=60).raise_for_status()
    yield
    httpx2.put(f"{world.gitlab_url}/_sandbox/tier", json={"tier": "free"}, timeout=60).raise_for_status()


async def configure(desk: Desk, run: RunId, **changes: Any) -> None:
    """Change what the run's frozen catalogue says of the repository."""
    async with desk.database.begin() as session:
        row = await runs.hold(session, run)
        assert row.catalogue is not None
        repositories = row.catalogue["repositories"]
        row.catalogue = {**row.catalogue, "repositories": {CONTACTS: repositories[CONTACTS] | changes}}


async def test_reviewers_are_set_and_what_gitlab_did_not_take_is_remarked(
    desk: Desk, run: RunId, submit: Any, world: Any
) -> None:
    await configure(desk, run, reviewers=["mara", "tomas", "ghost"])
    await submit(run, file_change("README.md", readme(world), readme(world) + "\nFixed.\n"))
    done = await perform(desk, run, EFFECT)
    result, (event,) = done.result, done.events
    assert result is not None
    assert [one["username"] for one in world.contacts.mergerequests.get(result["iid"]).reviewers] == ["mara"]
    assert (result["reviewers"], event.has_reviewer) == (["mara"], True)
    assert done.remark == (
        "GitLab took one reviewer, as it does without a paid tier; these could review too: tomas. "
        "Not asked to review: 1 name that no member of the project has."
    )


async def test_that_nobody_was_asked_to_review_is_known(desk: Desk, run: RunId, submit: Any, world: Any) -> None:
    (owner,) = world.admin.users.list(username="mara")
    await submit(run, file_change("README.md", readme(world), readme(world) + "\nFixed.\n"))
    owner.block()
    try:
        (event,) = (await perform(desk, run, EFFECT)).events
    finally:
        owner.unblock()
    assert event.has_reviewer is False


@pytest.mark.usefixtures("premium")
async def test_reviewers_whom_people_chose_stay(desk: Desk, run: RunId, submit: Any, world: Any) -> None:
    await configure(desk, run, reviewers=["mara", "tomas"])
    await submit(run, file_change("README.md", readme(world), readme(world) + "\nFixed.\n"))
    event = await opened(desk, run)
    request = world.contacts.mergerequests.get(event.iid)
    assert [one["username"] for one in request.reviewers] == ["mara", "tomas"]
    (chosen,) = world.admin.users.list(username="dana")
    world.contacts.mergerequests.update(event.iid, {"reviewer_ids": [chosen.id]})
    await opened(desk, run)
    assert [one["username"] for one in world.contacts.mergerequests.get(event.iid).reviewers] == ["dana"]


async def test_what_people_should_look_at_stands_in_the_merge_request(
    desk: Desk, run: RunId, submit: Any, world: Any
) -> None:
    text = readme(world)
    await submit(run, file_change("LICENSE", None, "Ours.\n"), file_change("README.md", text, text + "\nFixed.\n"))
    event = await opened(desk, run)
    description = world.contacts.mergerequests.get(event.iid).description.replace("\u2060", "")
    assert "**Look at**" in description
    assert "LICENSE" in description
    assert "says what people may do, or whom they turn to" in description


async def test_ticket_and_merge_request_are_linked_both_ways(
    desk: Desk, run: RunId, submit: Any, world: Any, catalogue: Any
) -> None:
    await submit(run, file_change("README.md", readme(world), readme(world) + "\nFixed.\n"))
    event = await opened(desk, run)
    setting = Setting(catalogue=catalogue, clock=desk.clock, new_run=lambda: RunId("0" * 16), bot=None)
    async with desk.database.begin() as session:
        (await runs.hold(session, run)).status = "opening"
        decision = (await handle(session, event, setting=setting, run=run)).decision
    (link,) = [effect for effect in decision.effects if isinstance(effect, LinkTicket)]
    await perform(desk, run, link)
    request = world.contacts.mergerequests.get(event.iid)
    links = world.jira("GET", "/rest/api/2/issue/PL-479/remotelink")
    assert request.web_url in [one["object"]["url"] for one in links]
    assert request.title.startswith("PL-479: ")
    assert f"[PL-479]({world.jira_url}/browse/PL-479)" in request.description.replace("\u2060", "")


async def test_what_a_model_calls_the_fix_can_do_nothing_as_title_or_commit_message(
    desk: Desk, run: RunId, submit: Any, world: Any
) -> None:
    await submit(run, file_change("README.md", readme(world), readme(world) + "\nFixed.\n"))
    await plan(desk, run, "Fix it [skip ci]\n\nCloses #1 @all PL-480 #resolve\nBug-Fix-Run: x\u202e")
    event = await opened(desk, run)
    message = world.contacts.commits.get(event.head_sha).message
    request = world.contacts.mergerequests.get(event.iid)
    assert message.splitlines()[0] == request.title
    assert len(message.strip().splitlines()) == 3
    assert request.title.startswith("PL-479: Fix it")
    for word in ("[skip ci]", "#1", "@all", "PL-480", "#resolve", "\u202e"):
        assert word not in message


@pytest.mark.usefixtures("tidy")
async def test_a_confidential_fix_says_nothing_in_title_commit_message_and_description(
    desk: Desk, run: RunId, submit: Any, world: Any
) -> None:
    await submit(run, file_change("README.md", readme(world), readme(world) + "\nFixed.\n"))
    await plan(desk, run, "Keep tokens out of the log", "Tokens are logged.")
    async with desk.database.begin() as session:
        (await runs.hold(session, run)).confidential = True
    event = await opened(desk, run)
    request = world.contacts.mergerequests.get(event.iid)
    message = world.contacts.commits.get(event.head_sha).message
    assert (request.title, message.splitlines()[0]) == ("PL-479: Fix", "PL-479: Fix")
    assert "This fix is confidential." in request.description
    assert "oken" not in message + request.title + request.description + request.source_branch


@pytest.fixture
def tidy(world: Any) -> Iterator[None]:
    """Take the branch away that confidential runs of one ticket share."""
    yield
    branches = [one.name for one in world.contacts.branches.list(get_all=True)]
    for one in world.contacts.mergerequests.list(source_branch=NEUTRAL, state="opened", get_all=True):
        world.contacts.mergerequests.update(one.iid, {"state_event": "close"})
    if NEUTRAL in branches:
        world.contacts.branches.delete(NEUTRAL)


NEUTRAL = "bug-fix/PL-479"


async def conceal(desk: Desk, run: RunId, **changes: Any) -> None:
    """Let a run be confidential whose branch was named before."""
    async with desk.database.begin() as session:
        row = await runs.hold(session, run)
        row.confidential = True
        for name, value in changes.items():
            setattr(row, name, value)


async def open_and_note(desk: Desk, run: RunId) -> MergeRequestOpened:
    """Open the merge request and note it, as a worker does."""
    event = await opened(desk, run)
    async with desk.database.begin() as session:
        row = await runs.hold(session, run)
        reader = Reader(catalogue=desk.catalogue(), bot=None, now=datetime.now(UTC))
        await fold(session, event, row, reader=reader)
    return event


@pytest.mark.usefixtures("tidy")
async def test_a_confidential_fix_makes_no_branch_whose_name_tells_of_the_ticket(
    desk: Desk, run: RunId, submit: Any, world: Any
) -> None:
    await submit(run, file_change("README.md", readme(world), readme(world) + "\nFixed.\n"))
    telling = await branch_of(desk, run)
    await conceal(desk, run)
    first = await opened(desk, run)
    event = await open_and_note(desk, run)  # a crash came between push and note
    assert (event, event.branch) == (first, NEUTRAL)
    assert world.contacts.mergerequests.get(event.iid).source_branch == NEUTRAL
    assert telling not in [one.name for one in world.contacts.branches.list(get_all=True)]
    assert await branch_of(desk, run) == NEUTRAL
    assert await opened(desk, run) == event


@pytest.mark.usefixtures("tidy")
async def test_of_several_repositories_only_the_one_that_has_the_branch_keeps_it(
    desk: Desk, run: RunId, submit: Any, world: Any
) -> None:
    await submit(run, file_change("README.md", readme(world), readme(world) + "\nFixed.\n"))
    telling = await branch_of(desk, run)
    await conceal(desk, run, repositories=["payk12/contacts", "payk12/portal"])
    event = await open_and_note(desk, run)
    assert event.branch == NEUTRAL
    assert await branch_of(desk, run) == telling  # portal may have it; that is seen when portal's turn comes


async def test_a_branch_that_was_pushed_before_the_level_is_gone_on_with(
    desk: Desk, run: RunId, submit: Any, world: Any
) -> None:
    await submit(run, file_change("README.md", readme(world), readme(world) + "\nFixed.\n"))
    telling = await branch_of(desk, run)
    await opened(desk, run)  # and a crash before it was noted
    await conceal(desk, run)
    event = await open_and_note(desk, run)
    assert (event.branch, await branch_of(desk, run)) == (telling, telling)
    assert await opened(desk, run) == event


async def plan(desk: Desk, run: RunId, title: str, summary: str = "") -> None:
    """Let the run have an accepted plan of this title."""
    said = a_plan(title=title, summary=summary, root_cause="", location=None, repositories=[])
    async with desk.database.begin() as session:
        report = await session.scalar(select(ReportRow.id).limit(1))
        kept = msgspec.to_builtins(said)
        session.add(PlanRow(run_id=run, iteration=1, report_id=report, plan=kept, accepted_at=datetime.now(UTC)))


async def resubmit(desk: Desk, run: RunId, submit: Any, *files: FileChange) -> None:
    """Let the run have another accepted fix instead."""
    async with desk.database.begin() as session:
        await session.execute(delete(ReportRow))
    await submit(run, *files)


def commits_of(world: Any, branch: str) -> list[str]:
    """Return the commits of a branch beyond main, the oldest first."""
    found = world.contacts.commits.list(ref_name=f"main..{branch}", get_all=True)
    return [one.id for one in reversed(found)]


def text_of(world: Any, path: str, branch: str) -> str:
    text: str = world.contacts.files.get(path, ref=branch).decode().decode()
    return text


def commit_to(world: Any, branch: str, message: str, *actions: tuple[str, str, str], **more: Any) -> str:
    """Commit as a person; an action is its name, a path and a text."""
    listed = [{"action": name, "file_path": path, "content": text} for name, path, text in actions]
    made = world.contacts.commits.create({"branch": branch, "commit_message": message, "actions": listed, **more})
    return str(made.id)


class Meanwhile:
    """Does something at a point, once."""

    def __init__(self, point: str, act: Callable[[], object]) -> None:
        self._point = point
        self._act = act
        self.was_there = False

    def reach(self, point: str) -> None:
        if point == self._point and not self.was_there:
            self.was_there = True
            self._act()


async def test_another_fix_is_a_commit_on_top_while_the_merge_request_is_open(
    desk: Desk, run: RunId, submit: Any, world: Any
) -> None:
    text = readme(world)
    await submit(run, file_change("README.md", text, text + "\nFirst.\n"), file_change("first.txt", None, "x"))
    first = await opened(desk, run)
    await resubmit(desk, run, submit, file_change("second.sh", None, "y", mode=EXECUTABLE))
    second = await opened(desk, run)
    branch = await branch_of(desk, run)
    assert (second.iid, commits_of(world, branch)) == (first.iid, [first.head_sha, second.head_sha])
    trees = [world.contacts.repository_tree(ref=ref, get_all=True) for ref in ("main", branch)]
    before, after = ({(one["path"], one["mode"], one["id"]) for one in tree} for tree in trees)
    assert (before - after, [one[:2] for one in after - before]) == (set(), [("second.sh", "100755")])
    assert await opened(desk, run) == second  # a crash came before it was noted
    await resubmit(desk, run, submit, file_change("README.md", text, text + "\nFirst.\n"))
    third = await opened(desk, run)
    assert commits_of(world, branch) == [first.head_sha, second.head_sha, third.head_sha]
    assert text_of(world, "README.md", branch) == text + "\nFirst.\n"


async def test_a_branch_of_ours_without_a_merge_request_is_made_anew(
    desk: Desk, run: RunId, submit: Any, world: Any
) -> None:
    text = readme(world)
    await submit(run, file_change("README.md", text, text + "\nFirst.\n"))
    first = await opened(desk, run)
    world.contacts.mergerequests.update(first.iid, {"state_event": "close"})
    await resubmit(desk, run, submit, file_change("README.md", text, text + "\nSecond.\n"))
    second = await opened(desk, run)
    assert second.iid != first.iid
    assert commits_of(world, await branch_of(desk, run)) == [second.head_sha]


async def test_of_a_push_while_the_fix_is_committed_nothing_is_lost(
    desk: Desk, run: RunId, submit: Any, world: Any
) -> None:
    text = readme(world)
    await submit(run, file_change("README.md", text, text + "\nFirst.\n"))
    first = await opened(desk, run)
    await resubmit(desk, run, submit, file_change("README.md", text, text + "\nSecond.\n"))
    branch = await branch_of(desk, run)
    push = Meanwhile(
        "OpenMergeRequest:before_push", lambda: commit_to(world, branch, "Mine", ("create", "mine.txt", "mine"))
    )
    with pytest.raises(RefusedError, match=r"Somebody pushed \w{12} .* overwritten\. Our commit \w{12} is on top"):
        await opened(replace(desk, faults=push), run)
    before, theirs, ours = commits_of(world, branch)
    assert (before, push.was_there) == (first.head_sha, True)
    assert [world.contacts.commits.get(one).title for one in (theirs, ours)] == ["Mine", "PL-479: Fix"]
    assert (text_of(world, "mine.txt", branch), text_of(world, "README.md", branch)) == ("mine", text + "\nSecond.\n")
    with pytest.raises(RefusedError, match="not ours"):
        await opened(desk, run)
    assert commits_of(world, branch) == [before, theirs, ours]


async def test_a_file_that_somebody_changes_meanwhile_stays_as_they_left_it(
    desk: Desk, run: RunId, submit: Any, world: Any
) -> None:
    text = readme(world)
    await submit(run, file_change("README.md", text, text + "\nFirst.\n"))
    first = await opened(desk, run)
    await resubmit(desk, run, submit, file_change("README.md", text, text + "\nSecond.\n"))
    branch = await branch_of(desk, run)
    push = Meanwhile(
        "OpenMergeRequest:before_push", lambda: commit_to(world, branch, "Mine", ("update", "README.md", "mine"))
    )
    with pytest.raises(RefusedError, match=r"Somebody pushed \w{12} .* The fix was not committed\."):
        await opened(replace(desk, faults=push), run)
    assert len(commits_of(world, branch)) == 2
    assert commits_of(world, branch)[0] == first.head_sha
    assert text_of(world, "README.md", branch) == "mine"


async def test_a_branch_that_somebody_makes_meanwhile_is_left_alone(
    desk: Desk, run: RunId, submit: Any, world: Any
) -> None:
    text = readme(world)
    await submit(run, file_change("README.md", text, text + "\nFirst.\n"))
    branch = await branch_of(desk, run)
    push = Meanwhile(
        "OpenMergeRequest:before_push",
        lambda: commit_to(world, branch, "Mine", ("create", "mine.txt", "mine"), start_branch="main"),
    )
    with pytest.raises(RefusedError, match="already exists"):
        await opened(replace(desk, faults=push), run)
    (theirs,) = commits_of(world, branch)
    assert world.contacts.commits.get(theirs).title == "Mine"


async def test_an_open_merge_request_is_not_rewritten_for_a_newer_base(
    desk: Desk, run: RunId, submit: Any, world: Any
) -> None:
    """The fix goes on top where the branch has its files as the new base has them; else people decide."""
    text = readme(world)
    await submit(run, file_change("README.md", text, text + "\nFirst.\n"))
    first = await opened(desk, run)
    branch, moved = await branch_of(desk, run), f"moved-{run}.txt"
    await rebase(desk, run, commit_to(world, "main", "Move on", ("create", moved, "x")))
    await resubmit(desk, run, submit, file_change("README.md", text, text + "\nSecond.\n"))
    second = await opened(desk, run)
    assert commits_of(world, branch) == [first.head_sha, second.head_sha]
    assert text_of(world, "README.md", branch) == text + "\nSecond.\n"
    await resubmit(desk, run, submit, file_change(moved, "x", "y"))
    with pytest.raises(RefusedError, match="never rewritten"):
        await opened(desk, run)
    assert commits_of(world, branch) == [first.head_sha, second.head_sha]


async def rebase(desk: Desk, run: RunId, base: str) -> None:
    """Let the run's fix be made for another commit."""
    async with desk.database.begin() as session:
        (await runs.hold(session, run)).base_shas = {CONTACTS: base}


async def test_a_branch_that_somebody_committed_to_is_left_alone(
    desk: Desk, run: RunId, submit: Any, world: Any
) -> None:
    text = readme(world)
    await submit(run, file_change("README.md", text, text + "\nFirst.\n"))
    await opened(desk, run)
    branch = await branch_of(desk, run)
    world.contacts.commits.create(
        {
            "branch": branch,
            "commit_message": "Mine",
            "actions": [{"action": "create", "file_path": "mine.txt", "content": "mine"}],
        }
    )
    async with desk.database.begin() as session:
        await session.execute(delete(ReportRow))
    await submit(run, file_change("README.md", text, text + "\nSecond.\n"))
    with pytest.raises(RefusedError, match="not ours"):
        await opened(desk, run)
    assert world.contacts.files.get("mine.txt", ref=branch)


async def test_a_commit_of_ours_that_somebody_amended_is_left_alone(
    desk: Desk, run: RunId, submit: Any, world: Any
) -> None:
    text = readme(world)
    await submit(run, file_change("README.md", text, text + "\nFixed.\n"))
    event = await opened(desk, run)
    branch = await branch_of(desk, run)
    message = world.contacts.commits.get(event.head_sha).message
    amended = world.contacts.commits.create(
        {
            "branch": branch,
            "start_branch": "main",
            "force": True,
            "commit_message": message,
            "actions": [{"action": "update", "file_path": "README.md", "content": text + "\nFixed well.\n"}],
        }
    )
    with pytest.raises(RefusedError, match="not ours"):
        await opened(desk, run)
    assert world.contacts.branches.get(branch).commit["id"] == amended.id


async def test_a_commit_that_was_noted_is_ours_though_its_patch_is_not_kept(
    desk: Desk, run: RunId, submit: Any, world: Any
) -> None:
    text = readme(world)
    await submit(run, file_change("README.md", text, text + "\nFirst.\n"))
    event = await opened(desk, run)
    async with desk.database.begin() as session:
        row = await runs.hold(session, run)
        reader = Reader(catalogue=desk.catalogue(), bot=None, now=datetime.now(UTC))
        await fold(session, event, row, reader=reader)
        await session.execute(delete(ReportRow))
        await session.execute(delete(BlobOwnerRow))
    await submit(run, file_change("README.md", text, text + "\nSecond.\n"))
    assert (await opened(desk, run)).iid == event.iid


async def test_a_merge_request_that_somebody_else_opened_from_our_branch_is_left_alone(
    desk: Desk, run: RunId, submit: Any, world: Any
) -> None:
    text = readme(world)
    await submit(run, file_change("README.md", text, text + "\nFixed.\n"))
    event = await opened(desk, run)
    ours = world.contacts.mergerequests.get(event.iid)
    ours.state_event = "close"
    ours.save()
    branch = await branch_of(desk, run)
    theirs = world.contacts.mergerequests.create({"source_branch": branch, "target_branch": "main", "title": "Mine"})
    with pytest.raises(RefusedError, match="Somebody else opened"):
        await opened(desk, run)
    assert world.contacts.mergerequests.get(theirs.iid).title == "Mine"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"tested": b"another patch"}, "not the tested one"),
        ({"passed": False}, "does not pass with the patch"),
    ],
)
async def test_a_patch_that_is_not_what_was_promised_is_not_committed(
    desk: Desk, run: RunId, submit: Any, world: Any, change: dict[str, Any], sentence: str
) -> None:
    text = readme(world)
    await submit(run, file_change("README.md", text, text + "\nFixed.\n"), **change)
    with pytest.raises(RefusedError, match=sentence):
        await opened(desk, run)


async def test_a_patch_of_ci_files_is_not_committed(desk: Desk, run: RunId, submit: Any) -> None:
    await submit(run, file_change(".gitlab-ci.yml", None, "x: 1\n"))
    with pytest.raises(RefusedError, match=r"belongs to git"):
        await opened(desk, run)


async def test_a_patch_that_adds_a_secret_is_not_committed(desk: Desk, run: RunId, submit: Any, world: Any) -> None:
    text = readme(world)
    await submit(run, file_change("README.md", text, text + "token = 'glpat-" + "x9K2mPq7RtVw3ZyB4nLd'\n"))
    with pytest.raises(RefusedError, match="looks like a secret"):
        await opened(desk, run)


async def test_a_patch_that_does_not_fit_its_base_is_not_committed(desk: Desk, run: RunId, submit: Any) -> None:
    await submit(run, file_change("README.md", "nothing\nlike\nit\n", "nothing\nlike\nthat\n"))
    with pytest.raises(RefusedError, match="does not fit"):
        await opened(desk, run)


async def test_without_an_accepted_test_nothing_is_opened(desk: Desk, run: RunId) -> None:
    with pytest.raises(RefusedError, match="no accepted testing report"):
        await opened(desk, run)


async def test_the_status_note_is_edited_in_place_and_made_anew_when_deleted(
    desk: Desk, run: RunId, submit: Any, world: Any
) -> None:
    text = readme(world)
    await submit(run, file_change("README.md", text, text + "\nFixed.\n"))
    event = await opened(desk, run)
    async with desk.database.begin() as session:
        row = await runs.hold(session, run)
        catalogue = desk.catalogue()
        reader = Reader(catalogue=catalogue, bot=None, now=datetime.now(UTC))
        await fold(session, event, row, reader=reader)
    effect = UpdateMergeRequestNote(repository=CONTACTS)
    notes = world.contacts.mergerequests.get(event.iid, lazy=True).notes
    first = (await perform(desk, run, effect)).result
    assert (await perform(desk, run, effect)).result == first
    (ours,) = [note for note in notes.list(get_all=True) if not note.system]
    notes.delete(ours.id)
    await perform(desk, run, effect)
    (again,) = [note for note in notes.list(get_all=True) if not note.system]
    assert again.id != ours.id


@pytest.mark.usefixtures("tidy")
async def test_a_hook_that_tells_of_an_end_counts_only_when_gitlab_says_so_too(
    desk: Desk, run: RunId, submit: Any, world: Any
) -> None:
    text = readme(world)
    await submit(run, file_change("README.md", text, text + "\nFixed.\n"))
    made = await opened(desk, run)
    hook = MergeRequestChanged(
        project_id=made.project_id,
        project=CONTACTS,
        iid=made.iid,
        action="close",
        state="closed",
        source_branch=await branch_of(desk, run),
        head_sha=made.head_sha,
        actor_id=42,
        actor="mara",
        at=datetime(2026, 11, 30, tzinfo=UTC),
    )
    forged = await perform(desk, run, Confirm(told=hook))
    assert (forged.events, forged.result) == ((), {"state": "opened", "is_so": False})
    world.contacts.mergerequests.update(made.iid, {"state_event": "close"})
    assert (await perform(desk, run, Confirm(told=hook))).events == (hook,)
