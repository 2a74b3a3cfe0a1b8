"""Group commit: what arrives while a transaction is under way goes together into the next one. Knows no table.

Each caller waits until its own item is committed. One write to disk then serves many, as PostgreSQL itself does it
between connections, but without their round trips and without queueing for the lock of NOTIFY.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class GroupCommit(Generic[T, R]):
    """Collects items and has them stored, one group at a time, in the order of arrival."""

    def __init__(
        self,
        store: Callable[[Sequence[T]], Awaitable[Sequence[R]]],
        *,
        hopeless: tuple[type[Exception], ...] = (),
        largest: int = 64,
    ) -> None:
        """`hopeless`: errors that are not one item's fault; others are found by storing one by one."""
        self._store = store
        self._hopeless = hopeless
        self._largest = largest
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def submit(self, item: T) -> R:
        """Return what storing the item gives, once it is committed. Raises what storing raises."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._flush())
        return await future

    async def close(self) -> None:
        """Wait until nothing is waiting."""
        if self._task is not None:
            await self._task

    async def _flush(self) -> None:
        while self._waiting:
            group = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._largest))]
            try:
                results = await self._store([item for item, _ in group])
            except Exception as error:  # noqa: BLE001  # every caller gets it
                if len(group) == 1 or isinstance(error, self._hopeless):
                    _fail(group, error)
                else:
                    await self._one_by_one(group)
            else:
                _answer(group, results)

    async def _one_by_one(self, group: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        """Let one bad item harm no other."""
        for one in group:
            try:
                results = await self._store([one[0]])
            except Exception as error:  # noqa: BLE001  # its caller gets it
                _fail([one], error)
            else:
                _answer([one], results)


def _answer(group: Sequence[tuple[T, asyncio.Future[R]]], results: Sequence[R]) -> None:
    for (_, future), result in zip(group, results, strict=True):
        if not future.done():  # a caller that went away
            future.set_result(result)


def _fail(group: Sequence[tuple[T, asyncio.Future[R]]], error: Exception) -> None:
    for _, future in group:
        if not future.done():
            future.set_exception(error)
