"""GitLab, Jira and a worker between which hooks get lost: real emulators on the worker's clock, API calls counted."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import gitlab
import httpx2
import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import select

from pipelines.catalogue.file import read as read_catalogue
from pipelines.language import AnalysisResult, Phase, PipelineKind, PlanOutcome, RunId
from pipelines.language.policy import Concurrency
from receiver.hooks import Delivery, Interests, Source, read
from receiver.notes import StatusNotes
from receiver.outbound.effects.desk import Desk
from receiver.outbound.faults import NoFaults
from receiver.outbound.gitlab.commits_api import Commits
from receiver.outbound.gitlab.connection import Connection
from receiver.outbound.gitlab.hooks_api import Hooks
from receiver.outbound.gitlab.merging_api import MergeRequestMerging
from receiver.outbound.gitlab.pipelines_api import Pipelines
from receiver.outbound.gitlab.repositories_api import Repositories
from receiver.outbound.jira.jira_client import JiraClient
from receiver.store.deliveries import inbox
from receiver.store.deliveries.inbox import Incoming
from receiver.store.effects import note_locations
from receiver.store.postgres.database import Database
from receiver.store.postgres.retention import Retention
from receiver.store.run import iterations, runs
from receiver.store.schema import (
    DecisionRow,
    EffectRow,
    InterventionRow,
    MergeRequestEventRow,
    MergeRequestRow,
    PlanRow,
    RunRow,
)
from receiver.worker.delivery_task import process
from receiver.worker.effect_task import Workshop, work_on
from receiver.worker.event_handler import Setting
from receiver.worker.loop import SEARCHES
from receiver.worker.searches import search
from receiver.worker.sweep import sweep
from receiver.workflow.run import Attempt, Cause, RunStatus
from sandbox import scenario_format as scenarios
from sandbox.ci.engine.orders import RunnerSettings
from sandbox.ci.instance.instance import Ci
from sandbox.emulators import gitlab_application
from sandbox.emulators.assembly import AUTOMATION
from sandbox.gitlab.model import Access
from sandbox.gitlab.seed import Person, seed
from sandbox.gitlab.state import State
from sandbox.http import Application, Body, Request, Response, Route, Router
from sandbox.http.asgi_server import bind, in_thread
from sandbox.jira import app as jira_app
from sandbox.jira import seed as jira_seed
from sandbox.jira.hooks import Webhook
from tests.plans import a_plan
from tests.receiver.worker.conftest import Clock
from tests.reports import a_report, stored

STEP = timedelta(seconds=30)
SCENARIO = scenarios.load(scenarios.find("pl-479"))
MARA, DANA = (SCENARIO.users[name].account_id for name in ("mara", "dana"))
CONTACTS = "payk12/contacts"


class Vendors:
    """GitLab and Jira in threads of this process, and the hooks that they sent."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.clock = Clock(datetime(2026, 11, 23, 9, 0, tzinfo=UTC))
        self.hooks: list[tuple[Source, Request]] = []
        router = Router("receiver")
        router.include(self, (Route("POST", "/hooks/:vendor", Vendors.take, body=Body.FREE),))
        listener, receiver = bind()
        self.receiver = receiver
        stack.enter_context(in_thread(Application(router), listener))
        gate, self.gitlab_url = bind()
        self.state = State(url=self.gitlab_url, root=folder / "gitlab", clock=self.clock)
        people = {name: Person(name=user.name, access=Access.MAINTAINER) for name, user in SCENARIO.users.items()}
        self.secrets = asyncio.run(
            seed(
                self.state,
                people=people,
                repositories=SCENARIO.repositories,
                catalogue=SCENARIO.catalogue,
                automation=AUTOMATION,
                receiver=receiver,
            )
        )
        ci = Ci(self.state, RunnerSettings(root=folder / "ci", path="/usr/bin:/bin"))
        ci.engine.holds.add("*")
        stack.enter_context(in_thread(gitlab_application.create(self.state, ci=ci), gate))
        socket, self.jira_url = bind()
        tokens = dict.fromkeys([jira_seed.BOT.username, *SCENARIO.users])
        self.site = jira_seed.site(
            SCENARIO, url=self.jira_url, tokens={name: f"{name}-token" for name in tokens}, now=self.clock
        )
        webhook = Webhook(url=f"{receiver}/hooks/jira", secret="secret")
        stack.enter_context(in_thread(jira_app.create(self.site, webhooks=[webhook], retry_delays_s=()), socket))
        self.deliverers: list[Any] = [self.state.deliver.__self__, self.site.listeners[0].__self__]  # type: ignore[attr-defined]  # methods

    def take(self, request: Request) -> Response:
        self.hooks.append((Source(request.params["vendor"]), request))
        return Response(status=202)

    def lose(self, dropped: int, failed: int) -> None:
        """Of a hundred hooks from now on, drop so many without a trace and let so many fail."""
        chosen = random.Random(7)  # noqa: S311  # not for secrets
        weights = [100 - dropped - failed, dropped, failed]
        for url in (self.gitlab_url, self.jira_url):
            self.treat(url, chosen.choices(["send", "drop", "fail"], weights=weights, k=500))

    def treat(self, url: str, treatments: Sequence[str]) -> None:
        """Let this become of a vendor's hooks from now on, one after the other."""
        httpx2.delete(f"{url}/_sandbox/faults", timeout=60).raise_for_status()
        body = {"hooks": [{"treatment": one} for one in treatments]}
        httpx2.post(f"{url}/_sandbox/faults", json=body, timeout=60).raise_for_status()

    def sent(self) -> list[tuple[Source, Request]]:
        """Return the hooks that came since the last call, once none is on its way."""
        deadline = time.monotonic() + 60
        while not all(one.idle for one in self.deliverers):
            assert time.monotonic() < deadline, "hooks are still on their way"
            time.sleep(0.005)
        found, self.hooks = self.hooks, []
        return found

    def gitlab(self, who: str = "") -> Any:
        token = self.secrets.user_tokens[who] if who else self.secrets.token
        return gitlab.Gitlab(self.gitlab_url, private_token=token).projects.get(CONTACTS, lazy=True)

    def jira(self, who: str, method: str, path: str, body: object) -> Any:
        login = (self.site.people[who].email, f"{who}-token")
        answer = httpx2.request(method, f"{self.jira_url}/rest/api/2/{path}", json=body, auth=login, timeout=60)
        return answer.raise_for_status().json() if answer.content else None

    def ticket(self, *labels: str) -> str:
        fields = {
            "project": {"key": "PL"},
            "summary": "Saving a contact with an apostrophe answers 500",
            "labels": list(labels),
            "issuetype": {"name": "Bug"},
        }
        return str(self.jira("dana", "POST", "issue", {"fields": fields})["key"])


@pytest.fixture(scope="module")
def vendors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vendors]:
    with ExitStack() as stack:
        yield Vendors(tmp_path_factory.mktemp("vendors"), stack)


class Service:
    """A worker on a clock that the test moves, and the calls that it makes."""

    def __init__(self, database: Database, vendors: Vendors) -> None:
        self.vendors, self.clock, self.database = vendors, vendors.clock, database
        catalogue = read_catalogue(SCENARIO.catalogue, source="bug-fix.yml")
        catalogue = replace(
            catalogue, policy=replace(catalogue.policy, concurrency=Concurrency(all=50, project=50, person=50))
        )
        writer = Connection(vendors.gitlab_url, vendors.secrets.token)
        starter = Connection(vendors.gitlab_url, vendors.secrets.starter_token)
        maintainer = Connection(vendors.gitlab_url, vendors.secrets.user_tokens["mara"])
        self.hooks = Hooks(maintainer)
        """What a test that wants it gives to the workshop."""
        self.desk = Desk(
            database=database,
            starters={PipelineKind.FIX: Pipelines(starter)},
            reader=Pipelines(writer),
            repositories=Repositories(writer),
            commits=Commits(writer),
            merging=MergeRequestMerging(writer),
            jira=JiraClient(vendors.jira_url, user=jira_seed.BOT.email, token=f"{jira_seed.BOT.username}-token"),
            notes=StatusNotes(catalogue=lambda: catalogue, public_url="http://127.0.0.1:9", clock=self.clock),
            catalogue=lambda: catalogue,
            public_url=vendors.receiver,
            evidence_retention_days=90,
            faults=NoFaults(),
            clock=self.clock,
        )
        numbers = iter(range(1, 1000))
        setting = Setting(
            catalogue=catalogue, clock=self.clock, new_run=lambda: RunId(f"{next(numbers):016x}"), bot=None
        )
        days = timedelta(days=30)
        self.workshop = Workshop(
            database=database,
            desk=self.desk,
            setting=replace(setting, bot=writer.user_id()),
            retention=Retention(deliveries=days, transcripts=days),
        )
        self.calls: Counter[str] = Counter()
        sessions = {
            "gitlab": writer.api.session,
            "hooks": maintainer.api.session,
            "jira": self.desk.jira._api._session,
        }
        for vendor, session in sessions.items():
            session.hooks["response"].append(lambda *_, vendor=vendor, **__: self.calls.update([vendor]))
        self.close = (writer.close, starter.close, maintainer.close, self.desk.jira.close)

    async def pass_(self, duration: timedelta, *, step: timedelta = STEP) -> None:
        """Let time pass: hooks are handled, sweeps made, effects performed."""
        until = self.clock.now + duration
        while self.clock.now < until:
            await self.hear()
            await self.perform()
            await sweep(self.workshop)
            for row in SEARCHES:
                await search(self.workshop, row)
            await self.perform()
            self.clock.pass_(step)

    async def hear(self) -> None:
        interests = Interests.of(self.workshop.setting.catalogue, bot=self.workshop.setting.bot)
        for source, request in self.vendors.sent():
            now = self.clock()
            delivery = Delivery.stored(source=source, headers=request.headers, body=request.body, received_at=now)
            reading = read(delivery, interests=interests)
            accepted = await inbox.accept(
                self.database,
                Incoming(
                    source=source,
                    key=reading.delivery_key,
                    ordering_key=reading.ordering_key,
                    kind=reading.kind,
                    headers=delivery.headers,
                    body=request.body,
                    received_at=now,
                ),
            )
            await process(self.database, accepted.id, setting=self.workshop.setting)

    async def perform(self) -> None:
        for _ in range(20):
            async with self.database.begin() as session:
                due = select(EffectRow.id).where(EffectRow.state == "pending", EffectRow.due_at <= self.clock.now)
                wanted = list(await session.scalars(due.order_by(EffectRow.id)))
            if not wanted:
                return
            for effect in wanted:
                await work_on(self.workshop, effect)
        raise AssertionError("there is always something left to do")

    # The load

    async def run(self, issue: str, status: RunStatus) -> RunId:
        """Return a run that came so far."""
        run, now = self.workshop.setting.new_run(), self.clock()
        ticket = await asyncio.to_thread(self.desk.jira.issue, issue)
        async with self.database.begin() as session:
            row = await runs.create(session, run, issue_key=issue, status=status, actor=MARA, name="Mara", now=now)
            row.ticket = msgspec.to_builtins(ticket.ticket)
            row.issue_id, row.repositories, row.branch = ticket.ticket.id, [CONTACTS], f"bug-fix/{issue}"
            row.catalogue = msgspec.to_builtins(self.workshop.setting.catalogue)
            row.base_shas = {CONTACTS: "a" * 40}
            row.deadline = now + timedelta(days=14)
            await iterations.begin(session, row, Attempt(number=1, cause=Cause.ADMITTED), now=now)
        return run

    async def waiting(self, status: RunStatus, target: str) -> RunId:
        issue = self.vendors.ticket("bug-fix")
        run = await self.run(issue, status)
        outcome = PlanOutcome.FIX if target == "plan:1" else PlanOutcome.NEEDS_INFORMATION
        plan, now = a_plan(outcome=outcome, reason="It is small.", requirements=["It works"]), self.clock()
        shown = await asyncio.to_thread(self.desk.jira.add_comment, issue, "What is to be said.")
        async with self.database.begin() as session:
            report = stored(a_report(run, Phase.ANALYSIS, AnalysisResult(plan=plan)), job=int(run, 16), at=now)
            session.add(report)
            await session.flush()
            kept = msgspec.to_builtins(plan)
            session.add(PlanRow(run_id=run, iteration=1, report_id=report.id, plan=kept, accepted_at=now))
            await session.flush()
            await iterations.wait_for_people(session, await runs.hold(session, run), now=now)
            await note_locations.keep(session, run, target, note_id=shown, sha256="0" * 64, now=now)
        return run

    async def requested(self, status: RunStatus) -> tuple[RunId, Any]:
        """Return a run and its merge request, as a person sees it."""
        issue = self.vendors.ticket("bug-fix")
        run, project = await self.run(issue, status), self.vendors.gitlab()
        branch = f"bug-fix/{issue}"
        change = {"action": "create", "file_path": f"{issue}.md", "content": "Fixed.\n"}
        commit = {"branch": branch, "start_branch": "main", "commit_message": "Fix it", "actions": [change]}
        sha = project.commits.create(commit).id
        made = project.mergerequests.create({"source_branch": branch, "target_branch": "main", "title": issue})
        async with self.database.begin() as session:
            session.add(
                MergeRequestRow(
                    run_id=run,
                    repository=CONTACTS,
                    project_id=made.project_id,
                    iid=made.iid,
                    url=made.web_url,
                    source_branch=branch,
                    state="opened",
                    head_sha=sha,
                    seen_head_sha=sha,
                    opened_at=self.clock(),
                )
            )
        return run, self.vendors.gitlab("mara").mergerequests.get(made.iid)

    async def newest(self, issue: str) -> RunRow:
        async with self.database.begin() as session:
            (row,) = await session.scalars(select(RunRow).where(RunRow.issue_key == issue))
            return row

    async def statuses(self) -> dict[str, tuple[str, int]]:
        async with self.database.begin() as session:
            return {row.id: (row.status, row.iteration) for row in await session.scalars(select(RunRow))}

    async def said(self, run: RunId) -> tuple[int, int, int]:
        """Return how many notes, approvals and commits of people a run's merge request is known to have."""
        async with self.database.begin() as session:
            notes = select(DecisionRow.event["note"].astext).where(
                DecisionRow.run_id == run, DecisionRow.event_kind == "NotePosted"
            )
            approvals = (
                select(MergeRequestEventRow.actor)
                .join(MergeRequestRow, MergeRequestRow.id == MergeRequestEventRow.merge_request_id)
                .where(MergeRequestRow.run_id == run, MergeRequestEventRow.action == "approved")
            )
            commits = select(InterventionRow.detail).where(
                InterventionRow.run_id == run, InterventionRow.kind == "commit"
            )
            found = [await session.scalars(one) for one in (notes, approvals, commits)]
            return tuple(len(set(one)) for one in found)  # type: ignore[return-value]  # of three

    def cancel(self, pipeline: int) -> None:
        api = gitlab.Gitlab(self.vendors.gitlab_url, private_token=self.vendors.secrets.user_tokens["mara"])
        api.projects.get("payk12/bug-fix", lazy=True).pipelines.get(pipeline, lazy=True).cancel()


@pytest.fixture
async def service(database: Database, vendors: Vendors) -> Any:
    vendors.lose(0, 0)
    for issue in vendors.site.issues.values():  # those of an earlier test
        issue.labels = ()
    vendors.sent()
    made = Service(database, vendors)
    yield made
    for close in made.close:
        close()
