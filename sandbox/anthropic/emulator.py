"""The state behind the routes, and how one request to `/v1/messages` is answered, billed and entered into the books."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import msgspec

from sandbox.anthropic import answer as answers
from sandbox.anthropic import rules, script, wire
from sandbox.anthropic.billing import Books, Row, Status
from sandbox.anthropic.cache import Position, PromptCache, Ttl
from sandbox.anthropic.clock import Clock
from sandbox.anthropic.connection import client_gone
from sandbox.anthropic.errors import ApiError, Kind, invalid, payload
from sandbox.anthropic.faults import Fault, Faults
from sandbox.anthropic.models import Model
from sandbox.anthropic.parse import Parsed
from sandbox.anthropic.prices import Usage
from sandbox.anthropic.prompt import render
from sandbox.anthropic.received import Received
from sandbox.http import Disconnect, Response
from sandbox.scenario_format import Scenario


class Emulator:
    """One Anthropic, playing one scenario."""

    def __init__(
        self, scenario: Scenario, *, api_keys: frozenset[str], clock: Clock, new_id: Callable[[str], str]
    ) -> None:
        self.scenario = scenario
        self.api_keys = api_keys
        self.clock = clock
        self.new_id = new_id
        self.cache = PromptCache()
        self.books = Books()
        self.faults = Faults()
        self.received = Received()


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request that passed all checks."""

    request: wire.CreateRequest
    model: Model
    positions: tuple[Position, ...]
    subject: script.Subject
    answer: answers.Answer
    delay_s: float
    row: Row


def measure(parsed: Parsed[Any], model: Model) -> tuple[Position, ...]:
    """Check a prompt's rules and size, and render it."""
    rules.check(parsed.request, model)
    answers.check_signatures(parsed.request)
    positions = render(parsed.raw)
    total = positions[-1].tokens
    if total > model.context:
        raise invalid(f"prompt is too long: {total} tokens > {model.context} maximum")
    return positions


def admit(emulator: Emulator, parsed: Parsed[wire.CreateRequest], row: Row) -> Call:
    """Check a request as a whole and find what to say to it."""
    request = parsed.request
    model = rules.find_model(request.model)
    rules.check_create(request, model)
    positions = measure(parsed, model)
    about = script.subject(request)
    turn = script.choose(emulator.scenario, about, request)
    emulator.received.keep(request, about)
    return Call(
        request=request,
        model=model,
        positions=positions,
        subject=about,
        answer=answers.compose(turn, request, model, new_id=emulator.new_id),
        delay_s=turn.delay_s,
        row=msgspec.structs.replace(
            row, model=model.id, subject=about, stream=request.stream, prefix=_prefix(positions)
        ),
    )


async def respond(emulator: Emulator, call: Call) -> Response:
    """Answer a request that passed all checks: faults, waiting, billing, JSON or stream."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(emulator.faults.answering())
        fault = emulator.faults.take(phase=call.subject.phase, streaming=call.request.stream)
        if fault is not None and fault.after == "before":
            raise _failure(emulator, fault, msgspec.structs.replace(call.row, status=Status.FAILED))
        gone = client_gone()
        await emulator.faults.wait(at="before", phase=call.subject.phase, unless=gone)
        await emulator.clock.delay(call.delay_s, unless=gone)
        usage = _bill(emulator, call)
        row = msgspec.structs.replace(call.row, usage=usage, at=emulator.clock.now())
        call = msgspec.structs.replace(call, row=row)
        if fault is not None and fault.after == "billed":
            raise _failure(emulator, fault, msgspec.structs.replace(row, status=Status.UNANSWERED))
        message_id = emulator.new_id("msg")
        if call.request.stream:
            emulator.books.record(msgspec.structs.replace(row, status=Status.OPEN))
            events = list(answers.events(call.answer, message_id=message_id, model=call.model.id, usage=usage))
            return Response(
                body=_stream(emulator, call, events, fault, stack.pop_all()),
                headers={"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"},
            )
        status = Status.CLIENT_GONE if gone.is_set() else Status.OK
        emulator.books.record(msgspec.structs.replace(row, status=status))
        return Response.json(answers.message(call.answer, message_id=message_id, model=call.model.id, usage=usage))


def _prefix(positions: tuple[Position, ...]) -> str:
    """Return an id of the prompt up to its last 1-hour breakpoint; empty if it has none."""
    return next((one.digest.hex()[:16] for one in reversed(positions) if one.ttl is Ttl.ONE_HOUR), "")


def _bill(emulator: Emulator, call: Call) -> Usage:
    if call.subject.turn == 0:
        emulator.clock.advance(emulator.scenario.model.minutes_between_jobs * 60)
    total = call.positions[-1].tokens
    use = emulator.cache.settle(
        call.positions,
        model=call.model.id,
        key=call.row.key,
        minimum=call.model.cache_minimum,
        now=emulator.clock.now(),
    )
    return Usage(
        input=total - use.read - use.write_5m - use.write_1h,
        read=use.read,
        write_5m=use.write_5m,
        write_1h=use.write_1h,
        output=call.answer.output,
        thinking=call.answer.thinking,
    )


def _failure(emulator: Emulator, fault: Fault, row: Row) -> ApiError | Disconnect:
    """Enter a request that a fault hits into the books; return what to raise."""
    error = fault.error()
    emulator.books.record(
        msgspec.structs.replace(
            row,
            http_status=0 if error is None else error.kind.status,
            error="connection cut" if error is None else error.kind.type,
        )
    )
    return Disconnect() if error is None else error


async def _stream(
    emulator: Emulator, call: Call, events: list[answers.Event], fault: Fault | None, stack: contextlib.ExitStack
) -> AsyncIterator[bytes]:
    """Send the events; in the middle a fault or a hold may strike; close the books before the last one."""
    gone = client_gone()
    middle = len(events) // 2
    with stack:
        for number, event in enumerate(events):
            if number == middle:
                await emulator.faults.wait(at="mid_stream", phase=call.subject.phase, unless=gone)
                if fault is not None:
                    error = _failure(emulator, fault, _as_streamed(call.row))
                    if isinstance(error, Disconnect):
                        raise error
                    yield sse({**payload(error.kind, error.message, call.row.request_id)})
                    return
            if number == len(events) - 1:
                status = Status.CLIENT_GONE if gone.is_set() else Status.OK
                emulator.books.record(msgspec.structs.replace(call.row, status=status))
            yield sse(event)
            await asyncio.sleep(0)  # lets the loop notice a client that has gone


def _as_streamed(row: Row) -> Row:
    """Bill a broken stream by the usage that it had sent: that of `message_start`."""
    return msgspec.structs.replace(row, status=Status.STREAM_CUT, usage=answers.first_usage(row.usage))


def sse(event: dict[str, Any]) -> bytes:
    """Write one server-sent event."""
    return f"event: {event['type']}\ndata: {msgspec.json.encode(event).decode()}\n\n".encode()


def refuse(emulator: Emulator, row: Row, error: ApiError) -> None:
    """Enter a refusal, unless the request stands in the books already."""
    if row.request_id not in emulator.books:
        status = Status.REFUSED if error.kind.status < 429 else Status.FAILED
        emulator.books.record(
            msgspec.structs.replace(row, status=status, http_status=error.kind.status, error=error.message)
        )


def authenticate(emulator: Emulator, headers: Mapping[str, str]) -> str:
    """Check the API key, sent as `x-api-key` or, by the SDK 2.12, as a bearer token; return its fingerprint."""
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    key = headers.get("x-api-key") or (bearer.strip() if scheme.lower() == "bearer" else "")
    if not key:
        raise ApiError(Kind.AUTHENTICATION, "x-api-key header is required")
    if key not in emulator.api_keys:
        raise ApiError(Kind.AUTHENTICATION, "invalid x-api-key" if "x-api-key" in headers else "Invalid bearer token")
    return hashlib.sha256(key.encode()).hexdigest()[:8]
