"""Forward a model call and keep its books: reserve, send the same bytes, pass the answer on, settle.

Bytes are never re-serialised: that would break cache prefixes. When the client leaves, upstream is read to the end.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from decimal import Decimal

import httpx2
import stamina
import structlog
from msgspec import Struct
from sqlalchemy.exc import DBAPIError

from receiver.gateway import pricing
from receiver.gateway.answer import StreamReader, Told, whole
from receiver.gateway.policy import Call, Refused
from receiver.store import ledger
from receiver.store.database import Database
from receiver.store.sessions import JobSession

log = structlog.get_logger()

PASSED_ON = ("anthropic-version", "anthropic-beta", "content-type", "accept", "user-agent")
"""Request headers that go upstream."""
PASSED_BACK = ("content-type", "retry-after", "retry-after-ms", "x-should-retry", "request-id")
"""Response headers that go back."""
OVERHEAD_TOKENS = 2_000
"""Tokens that the API may add to a prompt on its own, for tools: an upper bound."""
BUSY_RETRY_S = 2
PATIENCE_S = 60.0
"""How long a restarting Postgres is waited for before a call is left to the sweep, which holds it."""


class Answer(Struct, frozen=True, kw_only=True):
    """What goes back to the job."""

    status: int
    headers: Mapping[str, str]
    body: bytes | AsyncIterator[bytes]


class Terms(Struct, frozen=True, kw_only=True):
    """Under which terms a session's calls are made."""

    session: JobSession
    agent: str | None
    purpose: str
    run_budget: Decimal
    day_budget: Decimal


class Gateway:
    """The proxy in front of the Messages API."""

    def __init__(
        self,
        database: Database,
        *,
        base_url: str,
        api_key: str,
        clock: Callable[[], datetime],
        most_at_once: int = 64,
    ) -> None:
        """Forward to `base_url` with `api_key`; refuse more than `most_at_once` calls at a time."""
        self._database = database
        self._clock = clock
        self._most = most_at_once
        self._running: set[asyncio.Task[None]] = set()
        self._draining = False
        self._client = httpx2.AsyncClient(
            base_url=base_url,
            headers={"x-api-key": api_key},
            timeout=httpx2.Timeout(600, connect=10),
            limits=httpx2.Limits(max_connections=most_at_once, max_keepalive_connections=most_at_once),
        )

    async def close(self) -> None:
        """Take nothing more, end what runs, then let go."""
        self._draining = True
        if self._running:
            await asyncio.wait(set(self._running))
        await self._client.aclose()

    async def count_tokens(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Forward a count; it is free."""
        self._admit()
        try:
            response = await self._client.post("/v1/messages/count_tokens", content=body, headers=_upstream(headers))
        except httpx2.TransportError as error:
            raise _unreachable(error) from error
        return Answer(status=response.status_code, headers=_back(response.headers), body=response.content)

    async def message(self, body: bytes, headers: Mapping[str, str], *, call: Call, terms: Terms) -> Answer:
        """Forward a model call. Raises Refused when it can't be funded or upstream can't be reached."""
        self._admit()
        call_id = uuid.uuid4().hex
        prices = await self._reserve(call_id, body, call, terms)
        exchange = _Exchange(self._client, body=body, headers=_upstream(headers), call_id=call_id)
        task = asyncio.create_task(self._carry(exchange, call=call, prices=prices), name=f"gateway:{call_id}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        # The exchange goes on whatever happens to this request: a client that leaves must not hide what was spent.
        answer = await asyncio.shield(exchange.answer)
        if isinstance(answer, Refused):
            raise answer
        return answer

    def _admit(self) -> None:
        if self._draining:
            raise Refused(503, "api_error", "The gateway is stopping; try again.", retry_after_s=BUSY_RETRY_S)
        if len(self._running) >= self._most:
            sentence = f"{self._most} model calls are running already; try again."
            raise Refused(429, "rate_limit_error", sentence, retry_after_s=BUSY_RETRY_S)

    async def _reserve(self, call_id: str, body: bytes, call: Call, terms: Terms) -> tuple[pricing.Price, ...]:
        now = self._clock()
        async with self._database.begin() as session:
            prices = await ledger.prices(session, call.model)
            # A token stands for at least one byte, so the body's length bounds the prompt's tokens from above.
            amount = pricing.most(
                call.model,
                prompt_at_most=len(body) + OVERHEAD_TOKENS,
                output_at_most=call.max_tokens,
                at=now,
                prices=prices,
            )
            if amount is None:
                sentence = f"The price of {call.model} is not known, so the budget can't fund it. Add a price row."
                raise Refused(402, "billing_error", sentence)
            reservation = ledger.Reservation(
                call_id=call_id,
                session=terms.session,
                agent=terms.agent,
                purpose=terms.purpose,
                model=call.model,
                streamed=call.stream,
                amount=amount,
                at=now,
            )
            refusal = await ledger.reserve(
                session, reservation, run_budget=terms.run_budget, day_budget=terms.day_budget
            )
        if refusal is not None:
            raise Refused(402, "billing_error", refusal)
        return prices

    async def _carry(self, exchange: _Exchange, *, call: Call, prices: tuple[pricing.Price, ...]) -> None:
        """Make the call to its end and write down what it cost."""
        reader = StreamReader() if call.stream else None
        try:
            told = await exchange.run(reader)
            if exchange.status != 200:
                await self._end(exchange, error=f"upstream answered {exchange.status}", billed=False)
            elif told is None:
                reason = (reader.error if reader else None) or "the answer ended before its usage was known"
                await self._end(exchange, error=reason, billed=True)
            else:
                await self._settle(exchange, told, model=call.model, prices=prices)
        except httpx2.ConnectError as error:  # nothing was sent
            exchange.fail(_unreachable(error))
            await self._end(exchange, error=f"not sent: {error!r}", billed=False)
        except httpx2.HTTPError as error:
            exchange.fail(_unreachable(error))
            await self._end(exchange, error=f"broke off: {error!r}", billed=True)
        except BaseException:
            exchange.fail(Refused(500, "api_error", "The call's cost could not be written down; it is held."))
            raise
        finally:
            exchange.done()

    async def _settle(self, exchange: _Exchange, told: Told, *, model: str, prices: tuple[pricing.Price, ...]) -> None:
        now = self._clock()
        price = pricing.price_for(model, prompt=told.usage.prompt, at=now, prices=prices)
        settlement = ledger.Settlement(
            usage=told.usage,
            raw=told.raw,
            price=price,
            cost_usd=pricing.cost(told.usage, price) if price else None,
            request_id=exchange.request_id,
            message_id=told.message_id,
            stop_reason=told.stop_reason,
            http_status=exchange.status,
            at=now,
        )
        async for attempt in stamina.retry_context(on=DBAPIError, attempts=None, timeout=PATIENCE_S):
            with attempt:
                async with self._database.begin() as session:
                    await ledger.settle(session, exchange.call_id, settlement)
        log.info("gateway.settled", call=exchange.call_id, model=model, cost_usd=str(settlement.cost_usd))

    async def _end(self, exchange: _Exchange, *, error: str, billed: bool) -> None:
        write = ledger.hold if billed else ledger.release
        async for attempt in stamina.retry_context(on=DBAPIError, attempts=None, timeout=PATIENCE_S):
            with attempt:
                async with self._database.begin() as session:
                    await write(
                        session, exchange.call_id, error=error, status=exchange.status or None, at=self._clock()
                    )
        log.warning("gateway.unsettled", call=exchange.call_id, held=billed, error=error)


class _Exchange:
    """One request upstream and its answer, which may be read by a job while it arrives."""

    def __init__(self, client: httpx2.AsyncClient, *, body: bytes, headers: dict[str, str], call_id: str) -> None:
        self._client = client
        self._body = body
        self._headers = headers
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._abandoned = False
        self.call_id = call_id
        self.status = 0
        self.request_id: str | None = None
        self.answer: asyncio.Future[Answer | Refused] = asyncio.get_running_loop().create_future()
        self._held: Answer | None = None

    async def run(self, reader: StreamReader | None) -> Told | None:
        """Send, pass the answer on, and return what it told of its usage. Raises httpx2.HTTPError."""
        async with self._client.stream("POST", "/v1/messages", content=self._body, headers=self._headers) as response:
            self.status = response.status_code
            self.request_id = response.headers.get("request-id")
            back = _back(response.headers)
            if reader is None or response.status_code != 200:
                body = await response.aread()
                # Held until the books are written: a job that has its answer can end, and its run with it.
                self._held = Answer(status=response.status_code, headers=back, body=body)
                return whole(body) if response.status_code == 200 else None
            self.answer.set_result(Answer(status=200, headers=back, body=self._passed_on()))
            async for chunk in response.aiter_bytes():
                reader.feed(chunk)
                if not self._abandoned:
                    self._chunks.put_nowait(chunk)
            return reader.told()

    def done(self) -> None:
        """Give the answer, or end the stream: the books are written."""
        if self._held is not None and not self.answer.done():
            self.answer.set_result(self._held)
        self._chunks.put_nowait(None)

    def fail(self, refusal: Refused) -> None:
        """Give a refusal instead of an answer; a stream that has begun just ends."""
        if not self.answer.done():
            self.answer.set_result(refusal)
        self._chunks.put_nowait(None)

    async def _passed_on(self) -> AsyncIterator[bytes]:
        try:
            while (chunk := await self._chunks.get()) is not None:
                yield chunk
        finally:
            self._abandoned = True


def _upstream(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: headers[name] for name in PASSED_ON if name in headers}


def _back(headers: Mapping[str, str]) -> dict[str, str]:
    limits = {name: value for name, value in headers.items() if name.startswith("anthropic-ratelimit-")}
    return {name: headers[name] for name in PASSED_BACK if name in headers} | limits


def _unreachable(error: Exception) -> Refused:
    sentence = f"The Messages API can't be reached ({type(error).__name__}); try again."
    return Refused(502, "api_error", sentence, retry_after_s=BUSY_RETRY_S)
