"""One call of a model through the gateway, and the sentence for each way in which it can fail."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

import anthropic
from anthropic.types import Message
from msgspec import Struct

from pipelines.agents.tools import definitions
from pipelines.job.communication.errors import JobError
from pipelines.language import EndedBy
from pipelines.resources import TEMPLATES, digest

MAX_TOKENS = 16_000
"""Of one answer; more would need streaming (the SDK refuses what may take over ten minutes)."""
MAX_RETRIES = 10

_SENTENCES = {
    402: "The run's budget can't fund another call",
    403: "The gateway does not permit this call",
    401: "The job's session with the gateway is not valid (any more)",
}

_KINDS = {
    400: EndedBy.NOT_PERMITTED,
    401: EndedBy.NOT_PERMITTED,
    402: EndedBy.BUDGET,
    403: EndedBy.NOT_PERMITTED,
    404: EndedBy.NOT_PERMITTED,
    413: EndedBy.LENGTH,
}
"""What an answer that is no success means; any other is overload or an outage."""


class AgentError(JobError):
    """The conversation ended without a result; the message says which limit or refusal ended it."""


class Answered(Struct, frozen=True, kw_only=True):
    """A model's answer."""

    message: Message
    cost: Decimal | None
    """In US dollars, as the gateway says; None: it doesn't say, or doesn't know."""
    request_id: str | None


async def ask(
    client: anthropic.AsyncAnthropic,
    *,
    model: str,
    system: Sequence[Mapping[str, Any]],
    messages: list[dict[str, Any]],
    is_first: bool,
    within_s: float,
) -> Answered:
    """Return the answer to a conversation. `is_first`: of the conversation's calls. Raises `AgentError`."""
    # what the call is booked for: the first of a conversation loads the shared prefix, the others do the work
    purpose = "context" if is_first else "work"
    try:
        async with asyncio.timeout(within_s):
            raw = await client.messages.with_raw_response.create(
                model=model,
                max_tokens=MAX_TOKENS,
                system=list(system),  # type: ignore[arg-type]  # plain dicts, as are tools and messages
                tools=list(definitions()),  # type: ignore[arg-type]  # see above
                messages=_with_breakpoint(messages),  # type: ignore[arg-type]  # see above
                extra_headers={"X-Bug-Fix-Purpose": purpose, "X-Bug-Fix-Prompts": _prompts_sha256()},
            )
            message = await raw.parse()
    except TimeoutError as error:
        sentence = f"The model did not answer within the {within_s:.0f} s that were left."
        raise AgentError(sentence, EndedBy.LIMITS) from error
    except anthropic.APIStatusError as error:
        kind = _KINDS.get(error.status_code, EndedBy.UNAVAILABLE)
        raise AgentError(_said(error), kind) from error
    except anthropic.APIError as error:
        raise AgentError(f"The gateway can't be reached: {error}.", EndedBy.UNAVAILABLE) from error
    return Answered(message=message, cost=_cost(raw.headers), request_id=raw.headers.get("request-id"))


def _with_breakpoint(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Let the next call read this conversation from the cache (5 minutes: turns follow each other quickly)."""
    *before, last = messages
    *blocks, final = last["content"]
    marked = {**final, "cache_control": {"type": "ephemeral"}}
    return [*before, {"role": last["role"], "content": [*blocks, marked]}]


@cache
def _prompts_sha256() -> str:
    """Return which prompts these are: the ledger compares calls by it."""
    return digest(TEMPLATES / "prompts")


def _cost(headers: Mapping[str, str]) -> Decimal | None:
    """Return what the gateway says that the call cost; None: it doesn't say, or doesn't know."""
    try:
        return Decimal(headers["x-bug-fix-cost-usd"])
    except (KeyError, InvalidOperation):
        return None


def _said(error: anthropic.APIStatusError) -> str:
    sentence = _SENTENCES.get(error.status_code, "The model could not be asked")
    match error.body:
        case {"error": {"message": str(message)}} if error.status_code == 402:
            return message[:400]  # the gateway's own, and whole: which budget, what it holds, what to do
        case {"error": {"message": str(message)}}:
            why = message
        case _:
            why = error.message
    return f"{sentence} ({error.status_code}): {why[:300]}"
