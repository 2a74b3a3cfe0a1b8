"""Things that go wrong on demand: overload, errors, cut connections, a limit on concurrent requests, held answers."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sandbox.anthropic.errors import ApiError, Kind

When = Literal["before", "mid_stream", "billed"]

_KINDS = {
    400: (Kind.INVALID_REQUEST, "messages.0.content.2.image.source.base64.data: Could not process image"),
    429: (Kind.RATE_LIMIT, "This request would exceed the rate limit of your organization. Please try again later."),
    500: (Kind.API, "Internal server error"),
    529: (Kind.OVERLOADED, "Overloaded"),
}


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shall go wrong, and for which of the next requests."""

    kind: Literal[400, 429, 500, 529, "cut"]
    """An error of the API, or `cut`: the connection is closed without a word."""
    after: When = "before"
    """`before` anything is billed; `mid_stream` (waits for a streaming request); or once it is `billed` in full."""
    times: Annotated[int, Meta(ge=1)] = 1
    skip: Annotated[int, Meta(ge=0)] = 0
    """Requests that pass first."""
    retry_after: Annotated[float, Meta(ge=0)] | None = None
    """Seconds; the `retry-after` header."""
    phase: str | None = None
    """Only requests of this phase."""

    def error(self) -> ApiError | None:
        """Return the API's error, None for a cut."""
        if self.kind == "cut":
            return None
        kind, message = _KINDS[self.kind]
        return ApiError(kind, message, retry_after=self.retry_after)


class Hold(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Answers that wait until they are released."""

    at: Literal["before", "mid_stream"] = "before"
    phase: str | None = None


class _Pending(msgspec.Struct):
    fault: Fault
    skip: int
    times: int


class Faults:
    """What is still to go wrong, who waits, and how many requests are being answered."""

    def __init__(self) -> None:
        self._pending: list[_Pending] = []
        self._holds: list[tuple[Hold, asyncio.Event]] = []
        self.limit: int | None = None
        """Requests answered at a time; more get 429."""
        self.active = 0
        self.peak = 0
        self.held = 0

    def add(self, fault: Fault) -> None:
        """Let something go wrong."""
        self._pending.append(_Pending(fault=fault, skip=fault.skip, times=fault.times))

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self._pending.clear()

    def pending(self) -> list[Fault]:
        """List what is still to come."""
        return [msgspec.structs.replace(item.fault, skip=item.skip, times=item.times) for item in self._pending]

    def take(self, *, phase: str, streaming: bool) -> Fault | None:
        """Use up the fault that hits this request, if any."""
        for item in self._pending:
            fault = item.fault
            if fault.phase not in {None, phase} or (fault.after == "mid_stream" and not streaming):
                continue
            if item.skip:
                item.skip -= 1
                continue
            item.times -= 1
            if not item.times:
                self._pending.remove(item)
            return fault
        return None

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """Count a request while it is answered; refuse one too many."""
        if self.limit is not None and self.active >= self.limit:
            raise ApiError(
                Kind.RATE_LIMIT,
                "Number of concurrent connections has exceeded your rate limit. Please try again later.",
                retry_after=1,
            )
        self.active += 1
        self.peak = max(self.peak, self.active)
        try:
            yield
        finally:
            self.active -= 1

    def hold(self, hold: Hold) -> None:
        """Make answers wait."""
        self._holds.append((hold, asyncio.Event()))

    def release(self) -> None:
        """Let all waiting answers go on."""
        for _, event in self._holds:
            event.set()
        self._holds.clear()

    async def wait(self, *, at: Literal["before", "mid_stream"], phase: str, unless: asyncio.Event) -> None:
        """Wait while answers of this phase are held; a client that leaves ends the wait."""
        for event in [event for hold, event in self._holds if hold.at == at and hold.phase in {None, phase}]:
            self.held += 1
            waiting = [asyncio.create_task(event.wait()), asyncio.create_task(unless.wait())]
            try:
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            finally:
                self.held -= 1
                for task in waiting:
                    task.cancel()
