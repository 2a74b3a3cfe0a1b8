"""One request upstream and its answer, which may be read by a job while it arrives. Keeps no books.

Bytes go upstream as they came: re-serialising would break cache prefixes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

import httpx2
from msgspec import Struct

from receiver import limits
from receiver.gateway.answer import StreamReader, Told, whole
from receiver.gateway.passage import Passage
from receiver.gateway.policy import Refused

PASSED_BACK = ("content-type", "retry-after", "retry-after-ms", "x-should-retry", "request-id")
"""Response headers that go back, with the `anthropic-ratelimit-…` ones."""


class Request(Struct, frozen=True, kw_only=True):
    """What goes upstream."""

    body: bytes
    version: str | None
    """The `anthropic-version` header."""
    betas: Sequence[str] = ()
    is_beta: bool = False
    """Asked for as `?beta=true`, as the SDK's `beta.messages` does."""

    @property
    def headers(self) -> dict[str, str]:
        """All headers that go upstream, the key apart."""
        found = {"content-type": "application/json"}
        if self.version is not None:
            found["anthropic-version"] = self.version
        if self.betas:
            found["anthropic-beta"] = ",".join(self.betas)
        return found

    @property
    def query(self) -> dict[str, str]:
        """The query that goes upstream."""
        return {"beta": "true"} if self.is_beta else {}


class Answer(Struct, frozen=True, kw_only=True):
    """What goes back to the job."""

    status: int
    headers: Mapping[str, str]
    body: bytes | AsyncIterator[bytes]


class Exchange:
    """One model call under way."""

    def __init__(self, client: httpx2.AsyncClient, request: Request, *, call_id: str) -> None:
        """Get ready to send `request`."""
        self._client = client
        self._request = request
        self._passage = Passage()
        self._held: Answer | None = None
        self.call_id = call_id
        self.status = 0
        self.request_id: str | None = None
        self.answer: asyncio.Future[Answer | Refused] = asyncio.get_running_loop().create_future()

    async def run(self, reader: StreamReader | None) -> Told | None:
        """Send, pass the answer on, and return what it told of its usage. Raises httpx2.HTTPError, TimeoutError."""
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
            self.answer.set_result(Answer(status=200, headers=back, body=self._passage.read()))
            async for chunk in response.aiter_bytes():
                reader.feed(chunk)
                self._passage.put(chunk)
            return reader.told()

    def done(self, headers: Mapping[str, str]) -> None:
        """Give the answer, with these headers as well, or end the stream: the books are written."""
        if self._held is not None and not self.answer.done():
            held = self._held
            self.answer.set_result(Answer(status=held.status, headers={**held.headers, **headers}, body=held.body))
        self._passage.end()

    def fail(self, refusal: Refused) -> None:
        """Give a refusal instead of an answer; a stream that has begun ends with an error."""
        if not self.answer.done():
            self.answer.set_result(refusal)
        self._passage.break_off(str(refusal))


def passed_back(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of an answer that the job gets to see."""
    limits = {name: value for name, value in headers.items() if name.startswith("anthropic-ratelimit-")}
    return {name: headers[name] for name in PASSED_BACK if name in headers} | limits
