"""Emulators of its own, since merging moves the target branch, and a merge request that waits for approval."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import gitlab
import httpx2
import pytest

from pipelines.catalogue.file import read
from pipelines.language import ProjectPath, RunId
from pipelines.language.catalogue import Catalogue
from pipelines.language.policy import MergePolicy
from receiver.outbound.effects.desk import Desk, Performed
from receiver.outbound.effects.performers import perform
from receiver.store.run import merge_requests, runs
from receiver.store.run.fold import Reader, fold
from receiver.store.schema import MergeRequestRow
from receiver.workflow.effects import MergeWhenReady, OpenMergeRequest
from receiver.workflow.events.merge_request_events import MergeRequestOpened
from receiver.workflow.run import RunStatus
from tests.changes import file_change
from tests.receiver.conftest import CATALOGUE, World, serving

CONTACTS = ProjectPath("payk12/contacts")
MAINTAINER = 40


@pytest.fixture(scope="module")
def served_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give emulators in which our bot may merge, and the repository's own pipeline takes no time."""
    with serving() as world:
        member = next(one for one in world.contacts.members.list(get_all=True) if one.username == "bug-fix-bot")
        member.access_level = MAINTAINER
        member.save()
        action = {
            "action": "update",
            "file_path": ".gitlab-ci.yml",
            "content": "check: {script: 'true', rules: [{when: on_success}]}\n",
        }
        world.contacts.commits.create({"branch": "main", "commit_message": "Be quick", "actions": [action]})
        world.catalogue = tmp_path_factory.mktemp("catalogue") / "bug-fix.yml"
        text = CATALOGUE.read_text(encoding="utf-8")
        world.catalogue.write_text(text.replace("policy:\n", "policy:\n  merge: when_approved\n"), encoding="utf-8")
        yield world


@pytest.fixture
def catalogue(served_world: World) -> Catalogue:
    found = read(served_world.catalogue.read_text(encoding="utf-8"), source=CATALOGUE.name)
    assert found.policy.merge is MergePolicy.WHEN_APPROVED
    return found


class Waiting:
    """A merge request of a run, and people who do something about it."""

    def __init__(self, desk: Desk, run: RunId, world: Any, opened: MergeRequestOpened, mara: Any) -> None:
        self.desk, self.run, self.world, self.opened, self.mara = desk, run, world, opened, mara

    @property
    def there(self) -> Any:
        """Return it as GitLab has it now."""
        return self.world.contacts.mergerequests.get(self.opened.iid)

    @property
    def seen_by_mara(self) -> Any:
        return self.mara.projects.get(CONTACTS).mergerequests.get(self.opened.iid)

    def approve(self) -> None:
        self.seen_by_mara.approve()

    def green(self, status: str = "success") -> None:
        """Wait until the head has its own pipeline, and that ended so."""
        deadline = time.monotonic() + 60
        while not self._is(status):
            assert time.monotonic() < deadline, "the pipeline did not end"
            time.sleep(0.02)

    def _is(self, status: str) -> bool:
        there = self.there
        shown = there.head_pipeline
        return shown is not None and (shown["sha"], shown["status"]) == (there.sha, status)

    def control(self, method: str, path: str, **body: object) -> None:
        url = f"{self.world.gitlab_url}/_sandbox/{path}"
        httpx2.request(method, url, json=body, timeout=60).raise_for_status()

    def set_up(self, **settings: object) -> None:
        project = self.world.admin.projects.get(CONTACTS)
        for name, value in settings.items():
            setattr(project, name, value)
        project.save()

    def target_moves(self, name: str, content: str = "x\n") -> None:
        action = {"action": "create", "file_path": name, "content": content}
        self.world.contacts.commits.create({"branch": "main", "commit_message": "Go on", "actions": [action]})

    async def note(self, event: Any) -> None:
        """Keep what an event tells."""
        async with self.desk.database.begin() as session:
            row = await runs.hold(session, self.run)
            await fold(session, event, row, reader=Reader(catalogue=self.desk.catalogue(), bot=None, now=_now()))

    async def look(self, desk: Desk | None = None) -> Performed:
        """Look whether it can be merged, and keep what is told; GitLab may have to be asked again in a moment."""
        done = await perform(desk or self.desk, self.run, MergeWhenReady(iteration=1, repository=CONTACTS))
        for event in done.events:
            await self.note(event)
        return done

    async def row(self) -> MergeRequestRow:
        async with self.desk.database.begin() as session:
            (row,) = await merge_requests.of_run(session, self.run)
            return row

    @property
    def merges(self) -> int:
        """Return how many merge commits brought it into the target."""
        found = self.world.contacts.commits.list(ref_name="main", get_all=True)
        return sum(self.opened.head_sha in one.parent_ids for one in found)


def _now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def waiting(desk: Desk, run: RunId, world: Any, submit: Callable[..., Any]) -> Any:
    await submit(run, file_change(f"fixed-{run}.txt", None, "x\n"))
    done = await perform(desk, run, OpenMergeRequest(iteration=1, repository=CONTACTS))
    (opened,) = done.events
    assert isinstance(opened, MergeRequestOpened)
    client = gitlab.Gitlab(world.gitlab_url, private_token=world.facts["gitlab"]["person_token"])
    found = Waiting(desk, run, world, opened, client)
    await found.note(opened)
    async with desk.database.begin() as session:
        row = await runs.hold(session, run)
        row.status = RunStatus.IN_REVIEW
    yield found
    client.session.close()
    found.control("PUT", "tier", tier="free")
    found.set_up(merge_method="merge", only_allow_merge_if_pipeline_succeeds=False)
