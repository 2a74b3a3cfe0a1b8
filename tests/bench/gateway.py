"""Measure 5: what the gateway adds to a model call: the same call to the Anthropic emulator directly and through it."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import psycopg

from pipelines.agents.tools import definitions
from pipelines.language import Phase, RunId
from pipelines.language.pipeline_key import fix
from receiver.store.jobs import sessions
from receiver.store.postgres.database import Database
from sandbox.demo.processes import DemoError
from sandbox.demo.world import World
from tests.bench import hooks
from tests.bench.figures import Bound, Measured, Target, differences, over_rounds
from tests.bench.plan import Plan, Tell
from tests.bench.worlds import connect, opened, vendors

CONTEXT_BYTES = 60_000
"""Of the system prompt: a small repository's context."""
WARM_UP = 5


def measure(plan: Plan, tell: Tell) -> Measured:
    """Call in pairs, in turns the one or the other first."""
    with opened() as world, connect(world) as connection:
        world.start_worker()
        hooks.begin_a_run(world, connection)
        token = asyncio.run(_session(world, connection))
        world.kill_worker()  # nothing else goes on; the job waits for ever
        calls = {stream: _Pairs(world, token, stream=stream) for stream in (False, True)}
        for pairs in calls.values():
            pairs.round(WARM_UP)
            pairs.direct.clear()
            pairs.through.clear()
        for number in range(plan.rounds):
            for pairs in calls.values():
                pairs.round(plan.pairs)
            whole = sorted(differences(calls[False].through[-1], calls[False].direct[-1]))
            tell(f"round {number + 1}: the gateway adds {whole[len(whole) // 2]:.1f} ms (median of {plan.pairs} pairs)")
    whole_, streamed = calls[False], calls[True]
    added = [differences(*pair) for pair in zip(whole_.through, whole_.direct, strict=True)]
    first = [differences(*pair) for pair in zip(streamed.through, streamed.direct, strict=True)]
    return Measured(
        figures=(
            over_rounds(
                "added to a call, p50", unit="ms", samples=added, share=0.5, target=Target(bound=Bound.BELOW, value=10)
            ),
            over_rounds("added to a call, p99", unit="ms", samples=added, share=0.99),
            over_rounds("added to a stream's first byte, p50", unit="ms", samples=first, share=0.5),
            over_rounds("a call, direct, p50", unit="ms", samples=whole_.direct, share=0.5),
            over_rounds("a call through the gateway, p50", unit="ms", samples=whole_.through, share=0.5),
        ),
        facts={
            "request": f"{len(whole_.body) / 1000:.0f} kB: system prompt, our nine tools, first message",
            "pairs": f"{plan.rounds * plan.pairs}, one at a time, on connections that are kept",
        },
    )


class _Pairs:
    """The same call both ways."""

    def __init__(self, world: World, token: str, *, stream: bool) -> None:
        anthropic = vendors(world).anthropic
        kept = {"anthropic-version": "2023-06-01", "content-type": "application/json"}
        self.body = _request(world, stream=stream)
        self._direct = httpx2.Client(
            base_url=anthropic["url"], headers={**kept, "x-api-key": anthropic["api_key"]}, timeout=60
        )
        self._through = httpx2.Client(
            base_url=f"{world.receiver_url}/gateway", headers={**kept, "authorization": f"Bearer {token}"}, timeout=60
        )
        self._call: Callable[[httpx2.Client], float] = self._first_byte if stream else self._whole
        self.direct: list[list[float]] = []
        self.through: list[list[float]] = []

    def round(self, pairs: int) -> None:
        """Make so many pairs of calls."""
        direct, through = [], []
        for number in range(pairs):
            if number % 2:
                through.append(self._call(self._through))
                direct.append(self._call(self._direct))
            else:
                direct.append(self._call(self._direct))
                through.append(self._call(self._through))
        self.direct.append(direct)
        self.through.append(through)

    def _whole(self, client: httpx2.Client) -> float:
        began = time.perf_counter()
        answer = client.post("/v1/messages", content=self.body)
        taken = time.perf_counter() - began
        _check(answer.status_code, answer.text)
        return taken * 1000

    def _first_byte(self, client: httpx2.Client) -> float:
        began = time.perf_counter()
        with client.stream("POST", "/v1/messages", content=self.body) as answer:
            chunks = answer.iter_bytes()
            head = next(chunks)
            taken = time.perf_counter() - began
            tail = b"".join(chunks)
        _check(answer.status_code, (head + tail).decode())
        return taken * 1000


def _check(status: int, text: str) -> None:
    if status != 200:
        raise DemoError(f"A model call was answered {status}: {text[:500]}")


def _request(world: World, *, stream: bool) -> bytes:
    line = "src/contacts/store.py: keeps contacts; every statement is built here and nowhere else.\n"
    context = line * (CONTEXT_BYTES // len(line))
    key = vendors(world).issue_key
    asked = f"Phase: analysis\nIssue: {key}\nIteration: 1\n\nFind the cause."
    cached: dict[str, Any] = {"type": "ephemeral", "ttl": "1h"}
    document = {
        "model": "claude-sonnet-5-5",
        "max_tokens": 16_000,
        "system": [{"type": "text", "text": context, "cache_control": cached}],
        "tools": list(definitions()),
        "messages": [{"role": "user", "content": [{"type": "text", "text": asked}]}],
        "stream": stream,
    }
    return json.dumps(document, ensure_ascii=False).encode()


async def _session(world: World, connection: psycopg.Connection[tuple[Any, ...]]) -> str:
    """Open a session for the analysis job of the run that waits, as the receiver does for a proved ID token."""
    row = connection.execute(
        "SELECT r.id, p.project_id, p.id FROM runs r JOIN pipelines p ON p.run_id = r.id LIMIT 1"
    ).fetchone()
    if row is None:
        raise DemoError("There is no run whose job could call the gateway.")
    run, project, pipeline = row
    token, now = secrets.token_urlsafe(32), datetime.now(UTC)
    new = sessions.NewSession(
        token=token,
        jti=secrets.token_hex(16),
        run=RunId(run),
        pipeline=fix(1),
        phase=Phase.ANALYSIS,
        repository=None,
        project_id=project,
        pipeline_id=pipeline,
        job_id=0,
        created_at=now,
        expires_at=now + timedelta(hours=6),
    )
    address_ = world.database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    async with Database(address_) as database, database.begin() as session:
        opened_until = await sessions.open_once(session, new)
    if opened_until is None:
        raise DemoError("The bench's session could not be opened.")
    return token
