"""A run with a merge request in the emulated GitLab, people who write notes and comments, a worker that hears them."""

import json
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import gitlab
import httpx2
import pytest
from sqlalchemy import select

from pipelines.language import CommitSha, ProjectPath, RunId
from pipelines.language.catalogue import Catalogue
from receiver.hooks.delivery import Delivery, Interests, Source
from receiver.hooks.delivery_reader import read
from receiver.outbound.effects.desk import Desk
from receiver.store.deliveries.inbox import Incoming, accept
from receiver.store.postgres.database import Database
from receiver.store.postgres.retention import Retention
from receiver.store.run import runs
from receiver.store.run.fold import Reader, fold
from receiver.store.schema import CommandRow, EffectRow, RunRow
from receiver.worker.delivery_task import process
from receiver.worker.effect_task import Workshop, work_on
from receiver.worker.event_handler import Setting, handle
from receiver.workflow.events.event import Event
from receiver.workflow.events.merge_request_events import MergeRequestOpened
from receiver.workflow.run import Decision, RunStatus

CONTACTS = ProjectPath("payk12/contacts")


class Steered:
    """A run, and what people say about it."""

    def __init__(self, workshop: Workshop, world: Any, run: RunId) -> None:
        self.workshop = workshop
        self.world = world
        self.run = run
        self.iid = 0
        self._clients: dict[str, gitlab.Gitlab] = {}

    def close(self) -> None:
        for client in self._clients.values():
            client.session.close()

    def as_(self, who: str) -> Any:
        """Return the project as somebody sees it: a person of the scenario, or `bot`."""
        facts = self.world.facts
        token = facts["gitlab"]["token"] if who == "bot" else facts["people"][who]["gitlab_token"]
        client = self._clients.setdefault(who, gitlab.Gitlab(self.world.gitlab_url, private_token=token))
        return client.projects.get(CONTACTS, lazy=True)

    async def open(self, status: RunStatus = RunStatus.IN_REVIEW) -> None:
        """Give the run a merge request of its branch."""
        bot = self.as_("bot")
        branch = (await self.row()).branch
        actions = [{"action": "create", "file_path": "fixed.txt", "content": "x\n"}]
        message = "PL-479: Fix [skip ci]"
        bot.commits.create({"branch": branch, "start_branch": "main", "commit_message": message, "actions": actions})
        made = bot.mergerequests.create({"source_branch": branch, "target_branch": "main", "title": "PL-479: Fix"})
        self.iid = made.iid
        project_id = self.world.admin.projects.get(CONTACTS).id
        event = MergeRequestOpened(
            repository=CONTACTS,
            project_id=project_id,
            iid=made.iid,
            url=made.web_url,
            head_sha=CommitSha(bot.mergerequests.get(made.iid).sha),
            held_back=True,
        )
        self.project_id = project_id
        now = self.workshop.setting.clock()
        async with self.workshop.database.begin() as session:
            row = await runs.hold(session, self.run)
            reader = Reader(catalogue=self.workshop.setting.catalogue, bot=None, now=now)
            await fold(session, event, row, reader=reader)
            row.status, row.status_at, row.deadline = status, now, now + timedelta(days=14)

    def note(self, who: str, body: str, **more: Any) -> Any:
        """Write a note on the merge request and return it."""
        return self.as_(who).mergerequests.get(self.iid, lazy=True).notes.create({"body": body, **more})

    def hook(self, note: Any, /, **told: Any) -> dict[str, Any]:
        """Return the hook of a note."""
        attributes = {
            "id": note.id,
            "note": note.body,
            "noteable_type": "MergeRequest",
            "author_id": note.author["id"],
            "action": "create",
            "system": note.system,
            "internal": note.internal,
        }
        return {
            "object_kind": "note",
            "event_type": "note",
            "project": {"id": self.project_id, "path_with_namespace": CONTACTS},
            "object_attributes": attributes | told,
            "merge_request": {"iid": self.iid},
        }

    async def hear(self, note: Any, /, **told: Any) -> Decision:
        """Handle the hook of a note as the worker does."""
        return await self._told(Source.GITLAB, json.dumps(self.hook(note, **told)).encode())

    async def store(self, note: Any) -> int:
        """Take the hook of a note in as the web service does; return the delivery."""
        body = json.dumps(self.hook(note)).encode()
        at, headers = self.workshop.setting.clock(), {"webhook-id": secrets.token_hex(8)}
        delivery = Delivery.stored(source=Source.GITLAB, headers=headers, body=body, received_at=at)
        reading = read(delivery, interests=Interests.of(self.workshop.setting.catalogue))
        incoming = Incoming(
            source="gitlab",
            key=reading.delivery_key,
            ordering_key=reading.ordering_key,
            kind="Note Hook",
            headers=headers,
            body=body,
            received_at=at,
        )
        return (await accept(self.workshop.database, incoming)).id

    async def process(self, delivery: int) -> None:
        """Handle a stored delivery."""
        await process(self.workshop.database, delivery, setting=self.workshop.setting)

    async def hear_comment(self, comment: str) -> Decision:
        """Handle the hook of a comment on the ticket as the worker does."""
        about = self.world.as_person("mara", "GET", f"/comment/{comment}")
        body = {"webhookEvent": "comment_created", "timestamp": 1, "comment": about, "issue": {"key": "PL-479"}}
        return await self.jira_hook(json.dumps(body).encode())

    async def jira_hook(self, body: bytes) -> Decision:
        """Handle a hook of Jira as the worker does."""
        return await self._told(Source.JIRA, body)

    async def _told(self, source: Source, body: bytes) -> Decision:
        setting = self.workshop.setting
        delivery = Delivery.stored(source=source, headers={}, body=body, received_at=setting.clock())
        reading = read(delivery, interests=Interests.of(setting.catalogue, bot=setting.bot))
        return await self.tell(reading.event)

    async def tell(self, event: Event, *, run: RunId | None = None) -> Decision:
        """Let an event be handled."""
        async with self.workshop.database.begin() as session:
            return (await handle(session, event, setting=self.workshop.setting, run=run)).decision

    async def say(self, who: str, body: str, **more: Any) -> Decision:
        """Write a note, let its hook be handled, and perform what follows. Returns the decision on the hook."""
        decision = await self.hear(self.note(who, body, **more))
        await self.settle()
        return decision

    async def settle(self, *, but: tuple[str, ...] = ("StartPipeline",)) -> None:
        """Perform what is wanted until nothing is, but for some kinds."""
        for _ in range(20):
            async with self.workshop.database.begin() as session:
                pending = select(EffectRow.id).where(EffectRow.state == "pending", EffectRow.kind.not_in(but))
                wanted = list(await session.scalars(pending.order_by(EffectRow.id)))
            if not wanted:
                return
            for effect in wanted:
                await work_on(self.workshop, effect)
        raise AssertionError("there is always something left to do")

    async def row(self) -> RunRow:
        async with self.workshop.database.begin() as session:
            return await session.get_one(RunRow, self.run)

    async def effects(self, *kinds: str) -> list[EffectRow]:
        async with self.workshop.database.begin() as session:
            found = select(EffectRow).where(EffectRow.run_id == self.run).order_by(EffectRow.id)
            return [one for one in await session.scalars(found) if not kinds or one.kind in kinds]

    async def commands(self) -> list[CommandRow]:
        async with self.workshop.database.begin() as session:
            return list(await session.scalars(select(CommandRow).order_by(CommandRow.id)))

    def answers(self) -> list[str]:
        """Return our answers on the merge request, oldest first."""
        notes = self.as_("bot").mergerequests.get(self.iid, lazy=True).notes.list(get_all=True, sort="asc")
        return [note.body for note in notes if ";answer:" in note.body]

    def break_requests(self, url: str, path: str, status: int, *, times: int = 5, method: str = "GET") -> None:
        """Let a vendor answer requests to a path with an error."""
        switch = {"path": path, "status": status, "times": times, "method": method}
        httpx2.post(f"{url}/_sandbox/faults", json={"requests": [switch]}, timeout=60).raise_for_status()


@pytest.fixture
def setting(catalogue: Catalogue, desk: Desk) -> Setting:
    return Setting(
        catalogue=catalogue,
        clock=lambda: datetime.now(UTC),
        new_run=lambda: RunId("00000000000000cc"),
        bot=desk.repositories.bot,
    )


@pytest.fixture
def workshop(database: Database, desk: Desk, setting: Setting) -> Workshop:
    days = timedelta(days=30)
    return Workshop(
        database=database, desk=desk, setting=setting, retention=Retention(deliveries=days, transcripts=days)
    )


@pytest.fixture
async def steered(workshop: Workshop, world: Any, run: RunId) -> AsyncIterator[Steered]:
    """Return a run in review, with a merge request."""
    made = Steered(workshop, world, run)
    await made.open()
    yield made
    made.close()
