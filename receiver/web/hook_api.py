"""Take hooks in: check the signature, see that it can be read, store it, answer 202. Acts on nothing; the worker does.

Answers: 202 stored (new or again), 400 no JSON, 401 sender not proved, 408 too slow, 413 too large,
503 nothing stored. What headers alone can refuse is refused before the body is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec
import structlog
from litestar import Response, asgi
from litestar.exceptions import MethodNotAllowedException
from litestar.types import Receive, Scope, Send
from msgspec import Struct

from receiver import limits
from receiver.hooks import (
    Delivery,
    GitlabSecrets,
    Interests,
    JiraSecrets,
    NotJsonError,
    SignatureError,
    read,
    screen_gitlab,
    screen_jira,
    verify_gitlab,
    verify_jira,
)
from receiver.store.deliveries.inbox import DatabaseDownError, Incoming, accept
from receiver.store.postgres.database import Database
from receiver.web.asgi import announced, answer, answer_json, body_of, headers_of
from receiver.web.problems import problem

log = structlog.get_logger()


class Intake(Struct, frozen=True, kw_only=True):
    """What taking hooks in needs."""

    database: Database
    interests: Interests
    gitlab: GitlabSecrets
    jira: JiraSecrets
    clock: Callable[[], datetime]
    turns: asyncio.Semaphore = msgspec.field(default_factory=lambda: asyncio.Semaphore(limits.LARGE_HOOKS_AT_ONCE))
    """Bounds the memory that senders take who have not proved yet who they are."""
    body_s: float = limits.HOOK_BODY_S


Headers = Mapping[str, str]
Screen = Callable[[Intake, Headers], None]
Verify = Callable[[Intake, Headers, bytes], Delivery]


class BusyError(Exception):
    """Too many large bodies are being read."""


class Receipt(Struct, frozen=True, kw_only=True):
    """The answer to a stored delivery."""

    delivery: int
    verdict: str
    """`pending`: it will be handled; `duplicate`: it was stored before."""


@asgi("/hooks/gitlab", copy_scope=False)
async def gitlab_hook(scope: Scope, receive: Receive, send: Send) -> None:
    """Take a hook of GitLab."""
    await _serve(scope, receive, send, _screen_gitlab, _verify_gitlab)


@asgi("/hooks/jira", copy_scope=False)
async def jira_hook(scope: Scope, receive: Receive, send: Send) -> None:
    """Take a hook of Jira."""
    await _serve(scope, receive, send, _screen_jira, _verify_jira)


def _screen_gitlab(intake: Intake, headers: Headers) -> None:
    screen_gitlab(headers, secrets=intake.gitlab, now=intake.clock())


def _verify_gitlab(intake: Intake, headers: Headers, body: bytes) -> Delivery:
    return verify_gitlab(body, headers=headers, secrets=intake.gitlab, now=intake.clock())


def _screen_jira(intake: Intake, headers: Headers) -> None:
    screen_jira(headers, secrets=intake.jira)


def _verify_jira(intake: Intake, headers: Headers, body: bytes) -> Delivery:
    return verify_jira(body, headers=headers, secrets=intake.jira, now=intake.clock())


async def _serve(scope: Scope, receive: Receive, send: Send, screen: Screen, verify: Verify) -> None:
    if scope.get("method") != "POST":  # a WebSocket has none
        raise MethodNotAllowedException
    intake: Intake = scope["litestar_app"].state.intake
    taken = await _take(intake, scope, receive, screen, verify)
    if isinstance(taken, Receipt):
        await answer_json(send, status=202, body=msgspec.json.encode(taken))
    else:
        await answer(scope, receive, send, taken)


async def _take(
    intake: Intake, scope: Scope, receive: Receive, screen: Screen, verify: Verify
) -> Receipt | Response[bytes]:
    headers = headers_of(scope)
    try:
        screen(intake, headers)
        body = await _body(intake, headers, receive)
        delivery = verify(intake, headers, body)
        reading = read(delivery, interests=intake.interests)
    except SignatureError as error:
        log.warning("delivery.refused", path=scope["path"], reason=str(error))
        return problem(401, str(error))
    except NotJsonError as error:
        log.warning("delivery.unreadable", path=scope["path"], reason=str(error))
        return problem(400, str(error))
    except BusyError as error:
        log.warning("delivery.not_read", path=scope["path"], reason=str(error))
        return problem(503, str(error), retry_after_s=limits.HOOK_RETRY_S)
    except TimeoutError:
        log.warning("delivery.too_slow", path=scope["path"])
        return problem(408, "The body took too long to arrive; nothing was stored.")
    incoming = Incoming(
        source=delivery.source,
        key=reading.delivery_key,
        ordering_key=reading.ordering_key,
        kind=reading.kind,
        headers=delivery.headers,
        body=delivery.body,
        received_at=delivery.received_at,
    )
    try:
        stored = await accept(intake.database, incoming)
    except DatabaseDownError as error:
        log.error("delivery.not_stored", source=delivery.source, reason=str(error))  # noqa: TRY400  # the sender tries again; a traceback for each would bury the log
        return problem(503, "The database can't be reached; nothing was stored.", retry_after_s=limits.HOOK_RETRY_S)
    log.info("delivery.stored", delivery=stored.id, source=delivery.source, kind=reading.kind, repeated=stored.repeated)
    return Receipt(delivery=stored.id, verdict="duplicate" if stored.repeated else "pending")


async def _body(intake: Intake, headers: Headers, receive: Receive) -> bytes:
    """Return the body; a large one waits for its turn. Raises BusyError, and TimeoutError for a slow sender."""
    length = announced(headers)
    if length is not None and length <= limits.LARGE_HOOK:
        return await _arrived(intake, headers, receive)
    try:
        await asyncio.wait_for(intake.turns.acquire(), limits.HOOK_TURN_S)
    except TimeoutError:
        raise BusyError("Too many large hooks are being read; nothing was stored.") from None
    try:
        return await _arrived(intake, headers, receive)
    finally:
        intake.turns.release()


async def _arrived(intake: Intake, headers: Headers, receive: Receive) -> bytes:
    async with asyncio.timeout(intake.body_s):
        return await body_of(headers, receive, at_most=limits.HOOK_BODY)


HANDLERS = [gitlab_hook, jira_hook]
