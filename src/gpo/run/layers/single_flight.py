"""In-flight deduplication: what several ask for at the same time is fetched once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Flight(Generic[T]):
    """One fetch and the futures of those who wait for it. Whoever fetches sets `landed` once there is something to
    lose."""

    __slots__ = ("landed", "task", "waiting")

    def __init__(self) -> None:
        self.task: asyncio.Task[None]
        self.waiting: list[asyncio.Future[T]] = []
        self.landed = False

    def take(self) -> list[asyncio.Future[T]]:
        """Those who wait; nobody does from now on."""
        waiting, self.waiting = self.waiting, []
        return waiting


class SingleFlight(Generic[T]):
    """Fetches under way, by key. For one event loop."""

    def __init__(self) -> None:
        self._flights: dict[str, Flight[T]] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._flights

    async def join(self, key: str, fetch: Callable[[Flight[T]], Coroutine[Any, Any, T]]) -> T:
        """The result of the fetch under `key`, started with `fetch` where there is none under way.

        A failure reaches everyone who waits. One who is cancelled leaves the others alone; when the last one
        is cancelled before the flight has `landed`, so is the fetch.
        """
        loop = asyncio.get_running_loop()
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = Flight()
            flight.task = loop.create_task(self._fly(key, flight, fetch))
        # A future of each one's own in place of a shield around the task, which costs two more turns of the loop.
        waiter: asyncio.Future[T] = loop.create_future()
        flight.waiting.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter in flight.waiting:
                flight.waiting.remove(waiter)
                if not flight.waiting and not flight.landed:
                    self._forget(key, flight)
                    flight.task.cancel()
            raise

    async def _fly(
        self, key: str, flight: Flight[T], fetch: Callable[[Flight[T]], Coroutine[Any, Any, T]]
    ) -> None:
        try:
            result = await fetch(flight)
        except asyncio.CancelledError:
            self._forget(key, flight)
            for waiter in flight.take():
                waiter.cancel()
            raise
        except BaseException as error:
            self._forget(key, flight)
            for waiter in flight.take():
                if not waiter.done():
                    waiter.set_exception(error)
                    waiter.exception()  # it may be given up before it looks; no warning about that
            if not isinstance(error, Exception):
                raise
        else:
            self._forget(key, flight)
            for waiter in flight.take():
                if not waiter.done():
                    waiter.set_result(result)

    def _forget(self, key: str, flight: Flight[T]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
