"""In-flight deduplication: what several ask for at the same time is fetched once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Flight(Generic[T]):
    """One fetch and those who wait for it. Whoever fetches sets `landed` once there is something to lose."""

    def __init__(self) -> None:
        self.task: asyncio.Task[T]
        self.waiters = 0
        self.landed = False


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
        flight = self._flights.get(key) or self._launch(key, fetch)
        flight.waiters += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiters -= 1
            if not flight.waiters and not flight.landed and not flight.task.done():
                self._forget(key, flight)
                flight.task.cancel()

    def _launch(self, key: str, fetch: Callable[[Flight[T]], Coroutine[Any, Any, T]]) -> Flight[T]:
        flight: Flight[T] = Flight()
        flight.task = asyncio.get_running_loop().create_task(fetch(flight))
        flight.task.add_done_callback(lambda task: self._finish(key, flight, task))
        self._flights[key] = flight
        return flight

    def _finish(self, key: str, flight: Flight[T], task: asyncio.Task[T]) -> None:
        self._forget(key, flight)
        if not task.cancelled():
            task.exception()  # someone cancelled may be the only one who asked; no warning about that

    def _forget(self, key: str, flight: Flight[T]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
