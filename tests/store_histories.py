"""The real store, told histories: each begins where a run of some status stands, and is taken back at its end."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, Final, Self

from msgspec.structs import replace
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import PlanOutcome, RunId
from pipelines.language.policy import PlanApproval, ReviewMode
from receiver.store.postgres.database import Database
from receiver.worker.event_handler import Setting
from receiver.workflow.events.event import Event
from receiver.workflow.events.pipeline_events import JobId
from receiver.workflow.run import Decision
from tests.event_strategies import world_of
from tests.receiver.workflow.conftest import NOW, World
from tests.told_run import ToldRun, opening, running

STAGES: Final = (
    *("nothing", "admitting", "running", "opening", "in_review", "needs_information", "awaiting_approval"),
    *("paused", "cancelled"),
)
"""Where a history begins; the number of each stage's ticket and run is its place."""

FIRST_NEW_RUN: Final = 50

_SNAPSHOT: Final = text("""
SELECT jsonb_build_object(
  'runs', (SELECT jsonb_object_agg(id, jsonb_build_object('issue', issue_key, 'status', status, 'iteration', iteration,
     'deadline', deadline IS NOT NULL, 'confidential', confidential, 'told', coalesce(reason, '') <> '')) FROM runs),
  'uncancelled', (SELECT jsonb_agg(jsonb_build_array(run_id, id, status)) FROM pipelines AS p
     WHERE parent_id IS NULL AND NOT EXISTS (SELECT FROM effects AS e WHERE e.run_id = p.run_id
       AND e.kind = 'CancelPipeline' AND e.payload ->> 'pipeline' = p.id::text)),
  'scopes', (SELECT jsonb_object_agg(id, to_jsonb(repositories)) FROM runs),
  'tickets', (SELECT jsonb_object_agg(id, jsonb_build_array(ticket, base_shas, catalogue_sha256)) FROM runs),
  'pipelines', (SELECT jsonb_object_agg(id, jsonb_build_object('run', run_id, 'iteration', iteration,
     'parent', parent_id, 'status', status)) FROM pipelines),
  'jobs', (SELECT jsonb_object_agg(id, jsonb_build_object('run', run_id, 'status', status,
     'said', jsonb_build_array(allow_failure, failure_reason, agent))) FROM jobs),
  'reports', (SELECT jsonb_object_agg(job_id, state) FROM reports),
  'merge_requests', (SELECT jsonb_object_agg(run_id || ' ' || repository, jsonb_build_object('iid', iid,
     'state', state, 'confirmed', head_sha <> '')) FROM merge_requests),
  'happened', (SELECT jsonb_agg(jsonb_build_array(run_id, repository, action, actor_id, e.head_sha, at)
     ORDER BY run_id, repository, at, action, e.head_sha)
     FROM merge_request_events e JOIN merge_requests m ON m.id = merge_request_id),
  'commits', (SELECT jsonb_agg(detail ORDER BY detail) FROM interventions WHERE kind = 'commit'),
  'comments', (SELECT jsonb_agg(comment_id || ' ' || command ORDER BY comment_id, command) FROM comment_commands),
  'commands', (SELECT jsonb_agg(jsonb_build_array(venue, place, message, word) ORDER BY venue, place, message)
     FROM commands),
  'effects', (SELECT jsonb_agg(jsonb_build_array(id, run_id, kind) ORDER BY id) FROM effects WHERE id > :last))
""")

KNOWLEDGE: Final = (
    *("scopes", "tickets", "pipelines", "jobs", "reports", "merge_requests", "happened", "commits", "comments"),
    "commands",
)
"""Parts of a snapshot that hold what is known, and nothing of what was decided."""

Snapshot = dict[str, Any]


class Histories:
    """A store on a loop of its own, and the history that is being told."""

    def __init__(self, url: str) -> None:
        self.runner = asyncio.Runner()
        self.database = self.runner.run(self._open(url))
        self.last_effect = 0
        self.worlds = {name: self._world(number) for number, name in enumerate(STAGES, start=1)}
        for name, world in self.worlds.items():
            self.begin(name)
            self.next_runs = [world.run_id]
            for event in _begun(name, world):
                self.tell(event, world.run_id)
            self.runner.run(self._commit())

    def _world(self, number: int) -> World:
        world = world_of(number, issue=f"PL-{number}", now=NOW)
        world.policy(review=ReviewMode.ONCE)
        if STAGES[number - 1] == "awaiting_approval":
            world.policy(plan_approval=PlanApproval.ALWAYS)
        return world

    async def _open(self, url: str) -> Database:
        return Database(url, pool_size=1)

    async def _commit(self) -> None:
        await self.session.commit()
        await self.session.close()

    def begin(self, stage: str) -> World:
        """Begin a history where a run of this stage stands."""
        self.session = AsyncSession(self.database.engine, expire_on_commit=False)
        self.now, self.ids, self.next_runs = NOW, FIRST_NEW_RUN, []
        world = self.worlds[stage]
        setting = Setting(catalogue=world.catalogue, clock=lambda: self.now, new_run=self._new_run, bot=7)
        self.told = ToldRun(self.session, setting)
        return world

    def _new_run(self) -> RunId:
        if self.next_runs:
            return self.next_runs.pop()
        self.ids += 1
        return RunId(f"{self.ids:016x}")

    def tell(self, event: Event, run: RunId) -> Decision:
        """Let an event be handled that is of this run, unless a vendor sends it."""
        self.now += timedelta(seconds=1)  # no two runs of a ticket begin at the same time
        return self.runner.run(self.told.tell(event, run=run))[0]

    def snapshot(self) -> Snapshot:
        """Return what stands in the tables; of effects the new ones."""
        return self.runner.run(self._snapshot())

    async def _snapshot(self) -> Snapshot:
        await self.session.flush()
        found: Snapshot = (await self.session.execute(_SNAPSHOT, {"last": self.last_effect})).scalar_one()
        found = {name: value or ([] if name in {"effects", "uncancelled"} else {}) for name, value in found.items()}
        self.last_effect = max([self.last_effect, *(number for number, _, _ in found["effects"])])
        return found

    def take_back(self) -> None:
        """End a history as if nothing of it had been."""
        self.runner.run(self._take_back())

    async def _take_back(self) -> None:
        await self.session.rollback()
        await self.session.close()

    def pass_(self, hours: float) -> None:
        """Let time pass."""
        self.now += timedelta(hours=hours)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.runner.run(self.database.close())
        self.runner.close()


def _begun(stage: str, world: World) -> tuple[Event, ...]:
    analysed = (world.pipeline("success"), world.settled())
    question = replace(world.planned(PlanOutcome.NEEDS_INFORMATION), job=JobId(world.parent + 10))
    events: dict[str, tuple[Event, ...]] = {
        "nothing": (),
        "admitting": (world.labelled(),),
        "running": running(world),
        "opening": (*running(world), *opening(world)),
        "in_review": (*running(world), *opening(world), world.opened()),
        "needs_information": (*running(world), question, *analysed),
        "awaiting_approval": (*running(world), opening(world)[0], *analysed),
        "paused": (*running(world), world.note_read("pause", note=world.parent)),
        "cancelled": (*running(world), world.note_read("cancel", note=world.parent)),
    }
    return events[stage]
