"""The gateway when things go down around it: Postgres restarts, the server stops, a gateway dies, too many call."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from msgspec import json
from sqlalchemy import make_url

from pipelines.language import Phase
from receiver import limits
from receiver.gateway.exchange import Request
from receiver.gateway.forward import Gateway, Terms
from receiver.gateway.policy import Allowed, Refused, inspect
from receiver.store.jobs import sessions
from receiver.store.money import ledger
from receiver.store.postgres.database import Database

pytestmark = pytest.mark.integration

Body = Callable[..., dict[str, Any]]


class Call:
    """What a test passes to a gateway without HTTP before it."""

    def __init__(self, job: sessions.JobSession, body: dict[str, Any]) -> None:
        self.request = Request(body=json.encode(body), version="2023-06-01")
        allowed = Allowed(phase=Phase.ANALYSIS, models=frozenset({"claude-sonnet-5-5"}))
        self.call = inspect(self.request.body, allowed=allowed, betas=())
        self.terms = Terms(
            session=job, agent=None, purpose="work", prompt_version=None, run_budget=Decimal(6), day_budget=Decimal(60)
        )

    async def through(self, gateway: Gateway) -> Any:
        return await gateway.message(self.request, call=self.call, terms=self.terms)


@pytest.fixture
async def call(desk: Any, database: Database, vendor: Any, request_body: Body) -> Call:
    await asyncio.to_thread(desk.run)
    token = await asyncio.to_thread(desk.session, Phase.ANALYSIS)
    async with database.begin() as session:
        job = await sessions.find(session, token, now=vendor.now)
    assert job is not None
    return Call(job, request_body())


@pytest.fixture
async def gateway_of(database: Database, vendor: Any) -> AsyncIterator[Callable[..., Gateway]]:
    made: list[Gateway] = []

    def make(**more: Any) -> Gateway:
        made.append(
            Gateway(database, base_url=vendor.url, api_key="sk-ant-of-the-tests", clock=lambda: vendor.now, **more)
        )
        return made[-1]

    yield make
    await asyncio.to_thread(vendor.post, "release")
    for gateway in made:
        await gateway.close()


@pytest.mark.anyio
async def test_one_call_too_many_is_told_to_come_back(call: Call, gateway_of: Any, vendor: Any) -> None:
    gateway = gateway_of(most_at_once=1)
    vendor.post("hold")
    first = asyncio.create_task(call.through(gateway))
    await asyncio.to_thread(vendor.wait_held, 1)
    for refused in (call.through(gateway), gateway.count_tokens(call.request)):
        with pytest.raises(Refused, match="running already") as refusal:
            await refused
        assert (refusal.value.status, refusal.value.retry_after_s) == (429, 2)
    vendor.post("release")
    assert (await first).status == 200
    assert (await call.through(gateway)).status == 200


@pytest.mark.anyio
async def test_a_gateway_that_stops_takes_nothing_more_and_ends_what_runs(
    call: Call, gateway_of: Any, vendor: Any, desk: Any
) -> None:
    gateway = gateway_of()
    vendor.post("hold")
    running = asyncio.create_task(call.through(gateway))
    await asyncio.to_thread(vendor.wait_held, 1)
    stopping = asyncio.create_task(gateway.close())
    await asyncio.sleep(0)
    with pytest.raises(Refused, match="stopping") as refusal:
        await call.through(gateway)
    assert (refusal.value.status, stopping.done()) == (503, False)
    vendor.post("release")
    await stopping
    assert (await running).status == 200
    assert desk.rows("SELECT state FROM usage") == [("settled",)]


@pytest.mark.anyio
async def test_a_caller_that_is_cancelled_does_not_hide_what_was_spent(
    call: Call, gateway_of: Any, vendor: Any, desk: Any
) -> None:
    gateway = gateway_of()
    vendor.post("hold")
    caller = asyncio.create_task(call.through(gateway))
    await asyncio.to_thread(vendor.wait_held, 1)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    vendor.post("release")
    await gateway.close()
    assert desk.rows("SELECT state, cost_usd FROM usage") == [("settled", vendor.cost())]


class Outage:
    """A database that refuses connections, as Postgres does while it restarts."""

    def __init__(self, address: str) -> None:
        url = make_url(address).set(drivername="postgresql")
        self.name = url.database
        self.server = url.set(database="postgres").render_as_string(hide_password=False)

    def begin(self) -> None:
        self._run(f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS false")
        self._run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.name}'")  # noqa: S608 - the name of a test's database

    def end(self) -> None:
        self._run(f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS true")

    def _run(self, statement: str) -> None:
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(statement.encode())


def test_a_call_survives_a_restart_of_postgres_and_is_settled(
    door: Any, vendor: Any, desk: Any, request_body: Body
) -> None:
    outage, token = Outage(desk.address), door.session()
    vendor.post("hold")
    with ThreadPoolExecutor(1) as pool, door.http(token) as client:
        answer = pool.submit(client.post, "/v1/messages", json=request_body())
        vendor.wait_held(1)
        outage.begin()
        try:
            vendor.post("release")
            assert not answer.done()
            refused = client.post("/v1/messages", json=request_body())
            assert (refused.status_code, refused.json()["error"]["type"]) == (503, "api_error")
            assert "retry-after" in refused.headers
        finally:
            outage.end()
        assert answer.result().status_code == 200
    (row,) = door.settled(1)
    assert (row["state"], row["cost_usd"]) == ("settled", vendor.cost())


@pytest.mark.anyio
async def test_a_database_that_stays_away_keeps_no_answer_back_and_the_sweep_holds_the_call(
    call: Call, gateway_of: Any, vendor: Any, desk: Any, database: Database
) -> None:
    gateway, outage = gateway_of(patience_s=0.5), Outage(desk.address)
    vendor.post("hold")
    running = asyncio.create_task(call.through(gateway))
    await asyncio.to_thread(vendor.wait_held, 1)
    await asyncio.to_thread(outage.begin)
    try:
        vendor.post("release")
        assert (await running).status == 200
    finally:
        await asyncio.to_thread(outage.end)
    assert desk.rows("SELECT state FROM usage") == [("reserved",)]
    later = vendor.now + limits.CALL_ABANDONED + timedelta(seconds=1)
    async with database.begin() as session:
        assert await ledger.hold_abandoned(session, before=later - limits.CALL_ABANDONED, at=later) == 1
    assert desk.rows("SELECT state, cost_usd FROM usage") == [("unknown", None)]


@pytest.mark.anyio
async def test_a_call_that_still_runs_is_not_taken_for_abandoned_and_settles_even_so(
    call: Call, gateway_of: Any, vendor: Any, desk: Any, database: Database
) -> None:
    gateway = gateway_of()
    vendor.post("hold")
    running = asyncio.create_task(call.through(gateway))
    await asyncio.to_thread(vendor.wait_held, 1)
    async with database.begin() as session:
        assert await ledger.hold_abandoned(session, before=vendor.now - limits.CALL_ABANDONED, at=vendor.now) == 0
        assert await ledger.hold_abandoned(session, before=vendor.now + limits.CALL_ABANDONED, at=vendor.now) == 1
    vendor.post("release")
    await running
    assert desk.rows("SELECT state, cost_usd, error FROM usage") == [("settled", vendor.cost(), None)]


def test_no_secret_and_no_prompt_is_ever_logged(
    door: Any, vendor: Any, request_body: Body, capfd: pytest.CaptureFixture[str]
) -> None:
    prompt = f"Phase: analysis\nIssue: PL-479\nIteration: 1\n\n{secrets.token_hex(8)}"
    body = request_body(messages=[{"role": "user", "content": prompt}])
    token = door.session()
    vendor.post("faults", kind=500)
    vendor.post("faults", kind="cut", skip=1)
    with door.http(token) as client:
        codes = [client.post("/v1/messages", json=body).status_code for _ in range(3)]
        codes.append(client.post("/v1/messages", json={**body, "model": prompt}).status_code)
        codes.append(client.post("/v1/nothing", json=body).status_code)
    assert sorted(codes) == [200, 403, 404, 500, 502]
    door.settled(3)
    logged = "".join(capfd.readouterr())
    assert "gateway.settled" in logged
    assert "gateway.unsettled" in logged
    assert not [secret for secret in ("sk-ant-of-the-tests", token, prompt[-16:], "glpat-") if secret in logged]


def test_many_jobs_that_leave_their_streams_are_all_settled(door: Any, vendor: Any, request_body: Body) -> None:
    token = door.session()

    def leave(_: int) -> None:
        with (
            door.http(token) as client,
            client.stream("POST", "/v1/messages", json=request_body(stream=True)) as answer,
        ):
            assert answer.status_code == 200

    for number in range(16):  # a job may leave as many as it likes, not all at once
        leave(number)
        door.settled(number + 1)
    rows = door.settled(16)
    assert {row["state"] for row in rows} == {"settled"}
    assert door.cost() == vendor.cost()
