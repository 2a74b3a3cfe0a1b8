"""Forward a model call and record its cost: reserve, send the same bytes, pass the answer on, settle.

When the client disconnects, the upstream answer is still read to the end.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal

import httpx2
import psycopg
import stamina
import structlog
from msgspec import Struct
from psycopg_pool import PoolTimeout
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from receiver import limits
from receiver.gateway import price_modifiers
from receiver.gateway.exchange import Answer, ModelCall, Request, passed_back
from receiver.gateway.parsed_usage import ParsedUsage, StreamReader
from receiver.gateway.policy import Call, Refused
from receiver.gateway.seats import Seat
from receiver.store.jobs.sessions import JobSession
from receiver.store.money import ledger, pricing
from receiver.store.postgres.database import Database

log = structlog.get_logger()


DATABASE_AWAY = (psycopg.OperationalError, PoolTimeout, OperationalError, InterfaceError, PoolTimeoutError)
NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
NOT_BEGUN = frozenset({503, 529})
"""Overloaded: upstream did not start. After any other 5xx it is unknown whether the call is billed."""
COST_HEADER = "x-bug-fix-cost-usd"
"""Header with a call's cost, for the job's own limit; absent while unknown."""


class Terms(Struct, frozen=True, kw_only=True):
    """The terms of a session's calls."""

    session: JobSession
    agent: str | None
    purpose: str
    prompt_version: str | None
    """SHA-256 of the prompts that the job's client has, as it says."""
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
        patience_s: float = limits.SETTLE_PATIENCE_S,
    ) -> None:
        """Forward to `base_url` with `api_key`; refuse more than `most_at_once` calls at a time."""
        self._patience_s = patience_s
        self._database = database
        self._clock = clock
        self._most = most_at_once
        self._running = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._draining = False
        self._client = httpx2.AsyncClient(
            base_url=base_url,
            headers={"x-api-key": api_key},
            timeout=httpx2.Timeout(600, connect=10),
            limits=httpx2.Limits(max_connections=most_at_once, max_keepalive_connections=most_at_once),
        )

    async def close(self) -> None:
        """Accept no more calls, finish those under way, then close the client."""
        self._draining = True
        await self._idle.wait()
        await self._client.aclose()

    async def count_tokens(self, request: Request) -> Answer:
        """Forward a token count, which is free. Raises Refused when it is not allowed or upstream can't be reached."""
        self._enter()
        try:
            response = await self._client.post(
                "/v1/messages/count_tokens", params=request.query, content=request.body, headers=request.headers
            )
        except httpx2.HTTPError as error:
            raise _unreachable(error) from error
        finally:
            self._leave()
        return Answer(status=response.status_code, headers=passed_back(response.headers), body=response.content)

    async def message(self, request: Request, *, call: Call, terms: Terms, seat: Seat | None = None) -> Answer:
        """Forward a model call. Raises Refused when it can't be funded or upstream can't be reached.

        The seat is held until the call has ended, not only until its answer has started.
        """
        self._enter()
        exchange = ModelCall(self._client, request, call_id=uuid.uuid4().hex)
        # A task of its own, from the reservation on: a client that leaves must not hide what was spent.
        task = asyncio.create_task(self._carry(exchange, call=call, terms=terms), name=f"gateway:{exchange.call_id}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        if seat is not None:
            seat.hold()
            task.add_done_callback(lambda _: seat.let_go())
        answer = await asyncio.shield(exchange.answer)
        if isinstance(answer, Refused):
            raise answer
        return answer

    def _enter(self) -> None:
        if self._draining:
            raise Refused(
                503, "api_error", "The gateway is stopping; try again.", retry_after_s=limits.GATEWAY_BUSY_RETRY_S
            )
        if self._running >= self._most:
            sentence = f"{self._most} model calls are running already; try again."
            raise Refused(429, "rate_limit_error", sentence, retry_after_s=limits.GATEWAY_BUSY_RETRY_S)
        self._running += 1
        self._idle.clear()

    def _leave(self) -> None:
        self._running -= 1
        if not self._running:
            self._idle.set()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._leave()

    async def _carry(self, exchange: ModelCall, *, call: Call, terms: Terms) -> None:
        """Reserve, call, and record the cost. Raises nothing: every failure is answered and logged."""
        try:
            prices = await self._reserve(exchange.call_id, call, terms)
            known = await self._call(exchange, call=call, prices=prices)
        except Refused as refusal:
            exchange.fail(refusal)
        except DATABASE_AWAY as error:
            log.error("gateway.database_away", call=exchange.call_id, reason=type(error).__name__)  # noqa: TRY400  # a traceback for each call would bury the log
            sentence = "The books can't be written: the database is away. Nothing is lost; try again."
            exchange.fail(Refused(503, "api_error", sentence, retry_after_s=limits.GATEWAY_BUSY_RETRY_S))
        except Exception:
            log.exception("gateway.broke", call=exchange.call_id)
            exchange.fail(Refused(500, "api_error", "Something broke in the gateway; its log says what."))
        else:
            exchange.done({} if known is None else {COST_HEADER: f"{known:f}"})
        finally:
            exchange.fail(
                Refused(503, "api_error", "The gateway was stopped.", retry_after_s=limits.GATEWAY_BUSY_RETRY_S)
            )

    async def _reserve(self, call_id: str, call: Call, terms: Terms) -> tuple[pricing.Price, ...]:
        now = self._clock()
        async with self._database.direct() as connection:
            prices = await ledger.prices(connection, call.model)
            amount = pricing.most(
                call.model,
                prompt_at_most=call.prompt_at_most,
                output_at_most=call.max_tokens,
                at=now,
                prices=prices,
                largest_factor=price_modifiers.LARGEST,
            )
            if amount is None:
                sentence = f"The price of {call.model} is not known, so the budget can't fund it. Add a price row."
                raise Refused(402, "billing_error", sentence)
            reservation = ledger.Reservation(
                call_id=call_id,
                session=terms.session,
                agent=terms.agent,
                purpose=terms.purpose,
                prompt_version=terms.prompt_version,
                prefix_sha256=call.prefix.sha256,
                is_first=call.prefix.is_first,
                model=call.model,
                streamed=call.stream,
                amount=amount,
                at=now,
            )
            refusal = await ledger.reserve(
                connection, reservation, run_budget=terms.run_budget, day_budget=terms.day_budget
            )
        if refusal is not None:
            raise Refused(402, "billing_error", refusal)
        return prices

    async def _call(self, exchange: ModelCall, *, call: Call, prices: tuple[pricing.Price, ...]) -> Decimal | None:
        """Make the call, settle it, and return its cost if known. Raises Refused when there is no answer."""
        reader = StreamReader() if call.stream else None
        try:
            parsed = await exchange.run(reader)
        except NOT_SENT as error:
            await self._end(exchange, error=f"not sent: {error!r}", billed=False)
            raise _unreachable(error) from error
        except (httpx2.HTTPError, TimeoutError) as error:
            if reader is not None and (parsed := reader.parsed()) is not None:  # it broke after the usage was known
                await self._settle(exchange, parsed, model=call.model, prices=prices)
            else:
                await self._end(exchange, error=f"broke off: {error!r}", billed=True)
            raise _unreachable(error) from error
        if exchange.status != 200:
            billed = exchange.status >= 500 and exchange.status not in NOT_BEGUN
            await self._end(exchange, error=f"upstream answered {exchange.status}", billed=billed)
            return None
        if parsed is None:
            reason = (reader.error if reader else None) or "the answer ended before its usage was known"
            await self._end(exchange, error=reason, billed=True)
            if reader is not None and reader.error is None:
                raise Refused(502, "api_error", "The answer ended before it was complete; ask again.")
            return None
        return await self._settle(exchange, parsed, model=call.model, prices=prices)

    async def _settle(
        self, exchange: ModelCall, parsed: ParsedUsage, *, model: str, prices: tuple[pricing.Price, ...]
    ) -> Decimal | None:
        now = self._clock()
        price = pricing.price_for(model, prompt=parsed.usage.prompt, at=now, prices=prices)
        settlement = ledger.Settlement(
            usage=parsed.usage,
            raw=parsed.raw,
            price=price,
            cost_usd=pricing.cost(parsed.usage, price) if price else None,
            request_id=exchange.request_id,
            message_id=parsed.message_id,
            stop_reason=parsed.stop_reason,
            http_status=exchange.status,
            at=now,
        )
        await self._write(lambda connection: ledger.settle(connection, exchange.call_id, settlement))
        if parsed.usage.price_factor is None:
            log.warning("gateway.unpriced", call=exchange.call_id, fields=price_modifiers.unpriced(parsed.raw))
        log.info("gateway.settled", call=exchange.call_id, model=model, cost_usd=str(settlement.cost_usd))
        return settlement.cost_usd

    async def _end(self, exchange: ModelCall, *, error: str, billed: bool) -> None:
        write = ledger.hold if billed else ledger.release
        end = ledger.End(error=error, status=exchange.status or None, request_id=exchange.request_id, at=self._clock())
        await self._write(lambda connection: write(connection, exchange.call_id, end))
        log.warning("gateway.unsettled", call=exchange.call_id, held=billed, error=error)

    async def _write(self, entry: Callable[[ledger.Connection], Awaitable[None]]) -> None:
        """Write a ledger entry, waiting for a database that restarts.

        If the database stays away the job still gets its answer: the call stays reserved, and the sweep marks it
        unknown.
        """
        try:
            async for attempt in stamina.retry_context(on=DATABASE_AWAY, attempts=None, timeout=self._patience_s):
                with attempt:
                    async with self._database.direct() as connection:
                        await entry(connection)
        except DATABASE_AWAY as error:
            log.error("gateway.not_written", reason=type(error).__name__)  # noqa: TRY400  # a traceback for each call would bury the log


def _unreachable(error: Exception) -> Refused:
    sentence = f"The Messages API can't be reached ({type(error).__name__}); try again."
    return Refused(502, "api_error", sentence, retry_after_s=limits.GATEWAY_BUSY_RETRY_S)
