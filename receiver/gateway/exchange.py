"""One upstream request and its answer, which a job may read while it arrives. Records no usage.

The body is forwarded byte for byte: re-serialising would break cache prefixes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

import httpx2
from msgspec import Struct

from receiver import limits
from receiver.gateway.parsed_usage import ParsedUsage, StreamReader, whole
from receiver.gateway.policy import Refused
from receiver.gateway.stream_buffer import StreamBuffer

PASSED_BACK = ("content-type", "retry-after", "retry-after-ms", "x-should-retry", "request-id")
"""Response headers that are returned to the job, besides `anthropic-ratelimit-…`."""


class Request(Struct, frozen=True, kw_only=True):
    """A request to forward."""

    body: bytes
    version: str | None
    """The `anthropic-version` header."""
    betas: Sequence[str] = ()
    is_beta: bool = False
    """Sent as `?beta=true`, as the SDK's `beta.messages` does."""

    @property
    def headers(self) -> dict[str, str]:
        """Headers to forward, without the key."""
        found = {"content-type": "application/json"}
        if self.version is not None:
            found["anthropic-version"] = self.version
        if self.betas:
            found["anthropic-beta"] = ",".join(self.betas)
        return found

    @property
    def query(self) -> dict[str, str]:
        """Query string to forward."""
        return {"beta": "true"} if self.is_beta else {}


class Answer(Struct, frozen=True, kw_only=True):
    """The answer for the job."""

    status: int
    headers: Mapping[str, str]
    body: bytes | AsyncIterator[bytes]


class ModelCall:
    """One model call under way."""

    def __init__(self, client: httpx2.AsyncClient, request: Request, *, call_id: str) -> None:
        """Prepare to send `request`."""
        self._client = client
        self._request = request
        self._buffer = StreamBuffer()
        self._held: Answer | None = None
        self.call_id = call_id
        self.status = 0
        self.request_id: str | None = None
        self.answer: asyncio.Future[Answer | Refused] = asyncio.get_running_loop().create_future()

    async def run(self, reader: StreamReader | None) -> ParsedUsage | None:
        """Send, pass the answer on, and return its usage. Raises httpx2.HTTPError, TimeoutError."""
        async with (
            asyncio.timeout(limits.CALL_S),
            self._client.stream(
                "POST",
                "/v1/messages",
                params=self._request.query,
                content=self._request.body,
                headers=self._request.headers,
            ) as response,
        ):
            self.status = response.status_code
            self.request_id = response.headers.get("request-id")
            back = passed_back(response.headers)
            if reader is None or response.status_code != 200:
                body = await response.aread()
                # Held until the books are written: a job that has its answer can end, and its run with it.
                self._held = Answer(status=response.status_code, headers=back, body=body)
                return whole(body) if response.status_code == 200 else None
            self.answer.set_result(Answer(status=200, headers=back, body=self._buffer.read()))
            async for chunk in response.aiter_bytes():
                reader.feed(chunk)
                self._buffer.put(chunk)
            return reader.parsed()

    def done(self, headers: Mapping[str, str]) -> None:
        """Release the answer with these extra headers, or end the stream: the ledger is written."""
        if self._held is not None and not self.answer.done():
            held = self._held
            self.answer.set_result(Answer(status=held.status, headers={**held.headers, **headers}, body=held.body))
        self._buffer.end()

    def fail(self, refusal: Refused) -> None:
        """Answer with a refusal; a stream that has begun ends with an error event."""
        if not self.answer.done():
            self.answer.set_result(refusal)
        self._buffer.break_off(str(refusal))


def passed_back(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the answer's headers that are passed to the job."""
    limits = {name: value for name, value in headers.items() if name.startswith("anthropic-ratelimit-")}
    return {name: headers[name] for name in PASSED_BACK if name in headers} | limits
