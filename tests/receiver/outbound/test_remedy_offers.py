"""Remedies on a merge request, over real HTTP and git: shown on its head, never dead, taken or left by people."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import gitlab
import httpx2
import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import select

from pipelines import language
from pipelines.language import (
    FixSubmission,
    ImplementationResult,
    MergeRequestResult,
    Phase,
    ProjectPath,
    ReportOutcome,
    ReproductionResult,
    RunId,
)
from pipelines.language.change_set import write_change_set
from pipelines.language.policy import MergePolicy
from pipelines.language.remedy import Action
from pipelines.language.wire import sha256
from receiver.outbound.effects.commits import SKIP
from receiver.outbound.effects.desk import Desk, Performed
from receiver.outbound.effects.performers import perform
from receiver.outbound.errors import RefusedError, UnavailableError
from receiver.store.jobs import blobs
from receiver.store.run import iterations, remedies, runs
from receiver.store.run.fold import Reader, fold
from receiver.store.schema import AppliedRemedyRow
from receiver.workflow.effects import (
    AnswerRemedy,
    Effect,
    MergeWhenReady,
    OpenMergeRequest,
    RemedyAnswer,
    ShowRemedies,
)
from receiver.workflow.events.merge_request_events import MergeRequestOpened
from receiver.workflow.remedy_state import RemedyState
from receiver.workflow.run import Attempt, Cause, Prescription, RunStatus
from tests.changes import change_set, file_change
from tests.receiver.dying import DieAt, Died
from tests.reports import a_report, stored

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

CONTACTS = ProjectPath("payk12/contacts")
S = RemedyState
HEAD = "".join(f"# line {i}\n" for i in range(1, 11))
WRONG = f"{HEAD}def one(a: int = None): ...\n{HEAD}def two(b: int = None): ...\n{HEAD}"
MENDED = WRONG.replace("int = None", "int | None = None")


class Offered:
    """A merge request that offers a remedy with two suggestions, and people who do something about it."""

    def __init__(self, desk: Desk, run: RunId, world: Any, path: str) -> None:
        self.desk, self.run, self.world, self.path = desk, run, world, path
        self.iid = 0
        self.mara = gitlab.Gitlab(world.gitlab_url, private_token=world.facts["gitlab"]["person_token"])

    @property
    def there(self) -> Any:
        return self.world.contacts.mergerequests.get(self.iid)

    @property
    def text(self) -> str:
        return str(self.world.contacts.files.get(self.path, ref=self.there.source_branch).decode().decode())

    async def perform(self, effect: Effect) -> Performed:
        done = await perform(self.desk, self.run, effect)
        for event in done.events:
            async with self.desk.database.begin() as session:
                row = await runs.hold(session, self.run)
                reader = Reader(catalogue=self.desk.catalogue(), bot=None, now=datetime.now(UTC))
                await fold(session, event, row, reader=reader)
        return done

    async def look(self) -> None:
        """Look at what is offered, as often as GitLab asks for another moment."""
        for _ in range(200):
            try:
                await self.perform(ShowRemedies(repository=CONTACTS))
            except UnavailableError:
                await asyncio.sleep(0.01)
            else:
                return
        raise AssertionError("GitLab did not reload the diff")

    async def answer(self, answer: RemedyAnswer, reason: str = "") -> None:
        effect = AnswerRemedy(iteration=2, repository=CONTACTS, answer=answer, who="Mara", reason=reason)
        done = await self.perform(effect)
        assert done.then == (ShowRemedies(repository=CONTACTS),)
        await self.look()

    async def state(self) -> str:
        async with self.desk.database.begin() as session:
            found = await session.scalar(select(AppliedRemedyRow.state).where(AppliedRemedyRow.run_id == self.run))
        return str(found)

    def threads(self) -> list[dict[str, Any]]:
        """Return the first note of each thread that offers something."""
        found = self.there.discussions.list(get_all=True)
        notes = [one.attributes["notes"][0] | {"thread": one.id} for one in found]
        return [note for note in notes if "bug-fix:remedy" in note["body"]]

    def open(self) -> list[dict[str, Any]]:
        return [note for note in self.threads() if not note["resolved"]]

    def dead(self) -> list[dict[str, Any]]:
        """Return what is offered as if it could be taken, and can't."""
        return [note for note in self.open() if not all(one["appliable"] for one in note.get("suggestions", ()))]

    def apply(self, note: dict[str, Any]) -> None:
        self.mara.http_put(f"/suggestions/{note['suggestions'][0]['id']}/apply", post_data={})

    def resolve(self, note: dict[str, Any]) -> None:
        request = self.mara.projects.get(CONTACTS).mergerequests.get(self.iid)
        request.discussions.update(note["thread"], {"resolved": True})

    def push(self, text: str, path: str = "", action: str = "update") -> None:
        change = {"action": action, "file_path": path or self.path, "content": text}
        data = {"branch": self.there.source_branch, "commit_message": "Push", "actions": [change]}
        self.mara.projects.get(CONTACTS).commits.create(data)


async def _stored(desk: Desk, run: RunId, path: str, action: Action, outcome: ReportOutcome) -> None:
    now = datetime.now(UTC)
    async with desk.database.begin() as session:
        row = await runs.hold(session, run)
        base = row.base_shas[CONTACTS]
        plain, mended = (
            write_change_set(change_set(file_change(path, None, text), base=base)) for text in (WRONG, MENDED)
        )
        for data in (plain, mended):
            await blobs.keep(session, data, run=run, now=now, retention_days=30)
        nullable = Prescription(
            repository=CONTACTS, remedy="nullable-annotation", tier=1, confidence=Decimal("0.98"), action=action
        )
        session.add(stored(a_report(run, Phase.IMPLEMENTATION, _fix(base, plain, path)), job=3, at=now))
        second = Attempt(number=2, cause=Cause.HEALED, remedies=(nullable,))
        await iterations.begin(session, row, second, now=now)
        made = a_report(run, Phase.IMPLEMENTATION, _fix(base, mended, path), iteration=2, outcome=outcome)
        await remedies.verified(session, made, row, now=now)
        results = (
            ReproductionResult(
                base_sha=base, reproduced=True, test_path="t.py", test_sha256="0" * 64, failure="", symptom="", steps=()
            ),
            language.TestingResult(
                base_sha=base,
                patch_sha256=sha256(mended),
                test_sha256="0" * 64,
                reproduction_before_failed=True,
                reproduction_after_passed=True,
                suite=None,
                new_failures=(),
            ),
            MergeRequestResult(base_sha=base, patch_sha256=sha256(mended)),
        )
        phases = (Phase.REPRODUCTION, Phase.TESTING, Phase.MERGE_REQUEST)
        reports = [made, *(a_report(run, p, r, iteration=2) for p, r in zip(phases, results, strict=True))]
        for job, report in enumerate(reports, start=6):
            session.add(stored(report, job=job, at=now))


def _fix(base: str, data: bytes, path: str) -> ImplementationResult:
    fix = FixSubmission(summary="", files=[], risk="", rollback="")
    return ImplementationResult(
        base_sha=base, patch_sha256=sha256(data), files=(path,), insertions=1, deletions=0, fix=fix
    )


@pytest.fixture
def action() -> Action:
    return Action.SUGGEST


@pytest.fixture
async def offered(desk: Desk, run: RunId, world: Any, action: Action) -> Any:
    found = Offered(desk, run, world, f"remedy_{run}.py")
    await _stored(desk, run, found.path, action, ReportOutcome.SUCCEEDED)
    done = await found.perform(OpenMergeRequest(iteration=2, repository=CONTACTS))
    (opened,) = done.events
    assert isinstance(opened, MergeRequestOpened)
    found.iid = opened.iid
    await found.look()
    yield found
    httpx2.post(f"{world.gitlab_url}/_sandbox/background/release", json={"step": "diff_reload"}, timeout=60)
    found.mara.session.close()


async def test_the_fix_is_committed_without_it_in_a_draft_that_no_pipeline_runs(offered: Offered) -> None:
    assert offered.text == WRONG
    assert offered.there.title.startswith("Draft: PL-479: ")
    assert SKIP in offered.world.contacts.commits.get(offered.there.sha).message
    one, two = offered.open()
    assert [note["suggestions"][0]["to_content"] for note in (one, two)] == [
        "def one(a: int | None = None): ...\n",
        "def two(b: int | None = None): ...\n",
    ]
    assert await offered.state() == S.SHOWN


async def test_looked_at_again_nothing_is_posted_twice(offered: Offered) -> None:
    before = offered.threads()
    await offered.look()
    assert offered.threads() == before


async def test_applied_by_a_person_it_is_accepted_and_the_branch_holds_what_was_tested(offered: Offered) -> None:
    for note in offered.open():
        offered.apply(note)
    await offered.look()
    assert (offered.text, await offered.state(), offered.open()) == (MENDED, S.ACCEPTED, [])


PUSHES = {
    "another file": ("x\n", "other", "create"),
    "lines above": (f"# new\n# new\n{WRONG}", "", "update"),
    "a line beside": (WRONG.replace("# line 10\ndef one", "# ten\ndef one"), "", "update"),
    "one of the lines, by it": (WRONG.replace("a: int = None", "a: int | None = None"), "", "update"),
    "one of the lines, otherwise": (WRONG.replace("a: int = None", "a: int"), "", "update"),
    "all lines": ("pass\n", "", "update"),
}


@pytest.mark.parametrize("push", PUSHES)
async def test_pushes_while_suggestions_are_open_leave_none_dead(offered: Offered, push: str) -> None:
    text, path, act = PUSHES[push]
    offered.push(text, f"{path}_{offered.run}" if path else "", act)
    await offered.look()
    assert offered.dead() == []
    left = len(offered.open())
    assert left == {"one of the lines, by it": 1, "one of the lines, otherwise": 1, "all lines": 0}.get(push, 2)
    for note in offered.open():
        offered.apply(note)
        await offered.look()
        assert offered.dead() == []
    assert offered.open() == []


async def test_a_line_that_is_changed_and_changed_back_is_suggested_anew(offered: Offered) -> None:
    offered.push(WRONG.replace("a: int = None", "a: int"))
    await offered.look()
    offered.push(WRONG)
    await offered.look()
    assert (len(offered.open()), offered.dead()) == (2, [])


async def test_until_gitlab_has_reloaded_the_diff_nothing_is_touched(offered: Offered) -> None:
    hold = f"{offered.world.gitlab_url}/_sandbox/background/hold"
    httpx2.post(hold, json={"step": "diff_reload"}, timeout=60).raise_for_status()
    before = offered.threads()
    offered.push("pass\n")
    with pytest.raises(UnavailableError, match="has not reloaded the diff"):
        await offered.perform(ShowRemedies(repository=CONTACTS))
    assert [note["id"] for note in offered.threads()] == [note["id"] for note in before]


async def test_a_thread_that_a_person_resolves_unapplied_dismisses_it_for_good(offered: Offered) -> None:
    for note in offered.open():
        offered.resolve(note)
    await offered.look()
    offered.push(f"# new\n{WRONG}")
    await offered.look()
    assert (len(offered.threads()), offered.open(), await offered.state()) == (2, [], S.REJECTED)


async def test_approved_by_a_command_it_becomes_a_commit_on_the_head(offered: Offered) -> None:
    offered.push(f"# new\n{WRONG}")
    await offered.look()
    await offered.answer(RemedyAnswer.ACCEPT)
    assert (offered.text, await offered.state(), offered.open()) == (f"# new\n{MENDED}", S.ACCEPTED, [])
    await offered.perform(AnswerRemedy(iteration=2, repository=CONTACTS, answer=RemedyAnswer.ACCEPT, who="Mara"))
    assert offered.text == f"# new\n{MENDED}", "said again, nothing is committed twice"


@pytest.mark.parametrize("point", ["AnswerRemedy:before_push", "AnswerRemedy:after_push"])
async def test_a_worker_that_dies_around_the_commit_leaves_one(offered: Offered, point: str) -> None:
    taken = AnswerRemedy(iteration=2, repository=CONTACTS, answer=RemedyAnswer.ACCEPT, who="Mara")
    before = offered.there.sha
    with pytest.raises(Died):
        await perform(replace(offered.desk, faults=DieAt(point)), offered.run, taken)
    await offered.answer(RemedyAnswer.ACCEPT)
    head = offered.world.contacts.commits.get(offered.there.sha)
    assert (offered.text, head.parent_ids, await offered.state()) == (MENDED, [before], S.ACCEPTED)


async def test_a_worker_that_dies_before_a_suggestion_leaves_each_once(offered: Offered) -> None:
    offered.push(WRONG.replace("a: int = None", "a: int"))
    await offered.look()
    offered.push(WRONG)
    dying = replace(offered.desk, faults=DieAt("ShowRemedies:before_post"))
    assert await _outcome(dying, offered.run) is Died
    await offered.look()
    assert (len(offered.open()), offered.dead()) == (2, [])


async def _outcome(desk: Desk, run: RunId) -> type[Exception] | None:
    """Return what showing remedies ends with, once GitLab has reloaded the diff."""
    for _ in range(200):
        try:
            await perform(desk, run, ShowRemedies(repository=CONTACTS))
        except UnavailableError:
            await asyncio.sleep(0.01)
        except Died:
            return Died
        else:
            return None
    raise AssertionError("GitLab did not reload the diff")


async def test_rejected_by_a_command_its_threads_are_resolved(offered: Offered) -> None:
    await offered.answer(RemedyAnswer.REJECT, "We want no None here.")
    assert (offered.text, await offered.state(), offered.open()) == (WRONG, S.REJECTED, [])


async def test_what_was_accepted_and_taken_back_is_reverted_and_not_offered_again(offered: Offered) -> None:
    await offered.answer(RemedyAnswer.ACCEPT)
    offered.push(WRONG)
    await offered.look()
    assert (await offered.state(), offered.open()) == (S.REVERTED, [])


async def test_over_lines_that_were_changed_it_is_not_taken(offered: Offered) -> None:
    offered.push(WRONG.replace("a: int = None", "a: int"))
    await offered.look()
    with pytest.raises(RefusedError, match="were changed since"):
        await offered.answer(RemedyAnswer.ACCEPT)


async def test_never_on_a_default_or_protected_branch(offered: Offered) -> None:
    project = offered.world.admin.projects.get(CONTACTS)
    project.protectedbranches.create({"name": offered.there.source_branch})
    before = offered.text
    for effect in (
        ShowRemedies(repository=CONTACTS),
        AnswerRemedy(iteration=2, repository=CONTACTS, answer=RemedyAnswer.ACCEPT, who="Mara"),
    ):
        with pytest.raises(RefusedError, match="is a default or protected branch"):
            await offered.perform(effect)
    assert offered.text == before


@pytest.mark.parametrize("action", [Action.PROPOSE])
async def test_a_proposal_is_a_folded_patch_that_a_command_applies(offered: Offered) -> None:
    (note,) = offered.open()
    assert "<details>" in note["body"]
    assert "+def one(a: int | None = None): ..." in note["body"]
    assert "/bug-fix approve remedy 1" in note["body"]
    await offered.answer(RemedyAnswer.ACCEPT)
    assert (offered.text, offered.open(), await offered.state()) == (MENDED, [], S.ACCEPTED)


@pytest.mark.parametrize("action", [Action.PROPOSE])
async def test_a_proposal_whose_thread_is_resolved_is_dismissed(offered: Offered) -> None:
    offered.resolve(offered.open()[0])
    await offered.look()
    assert (len(offered.threads()), await offered.state()) == (1, S.REJECTED)


@pytest.mark.parametrize("action", [Action.DRAFT])
async def test_a_draft_holds_the_change_and_offers_nothing_beside_it(offered: Offered) -> None:
    assert (offered.text, offered.threads()) == (MENDED, [])
    assert offered.there.draft
    assert await offered.state() == S.SHOWN


@pytest.mark.parametrize("wrong", [Action.SUGGEST, Action.PROPOSE])
async def test_one_that_verified_red_never_reaches_people(desk: Desk, run: RunId, world: Any, wrong: Action) -> None:
    found = Offered(desk, run, world, f"red_{run}.py")
    await _stored(desk, run, found.path, wrong, ReportOutcome.REJECTED)
    assert await found.state() == S.RED
    async with desk.database.begin() as session:
        row = await runs.hold(session, run)
        for state in ("opened", "merged"):
            await remedies.shown(session, row, CONTACTS, state=state, now=datetime.now(UTC))
    await found.perform(ShowRemedies(repository=CONTACTS))
    with pytest.raises(RefusedError, match="not offered any more"):
        await found.answer(RemedyAnswer.ACCEPT)
    assert await found.state() == S.RED
    found.mara.session.close()


@pytest.mark.parametrize(
    ("action", "answer", "why"),
    [
        (Action.SUGGEST, "people", "is not what was tested here"),
        (Action.PROPOSE, "people", "is not what was tested here"),
        (Action.DRAFT, "blocked", "Our bot may not merge"),  # it was tested; what hinders comes next
    ],
)
async def test_what_was_tested_with_a_remedy_that_is_only_offered_is_merged_by_people(
    offered: Offered, answer: str, why: str
) -> None:
    now = offered.desk.catalogue()
    merging = replace(now, policy=replace(now.policy, merge=MergePolicy.WHEN_APPROVED))
    async with offered.desk.database.begin() as session:
        row = await runs.hold(session, offered.run)
        row.status, row.catalogue = RunStatus.IN_REVIEW, msgspec.to_builtins(merging)
    desk = replace(offered.desk, catalogue=lambda: merging)
    result = (await perform(desk, offered.run, MergeWhenReady(iteration=2, repository=CONTACTS))).result
    assert result is not None
    assert (result["answer"], why in result["why"]) == (answer, True)
