"""How many calls of a model are under way at once. Knows no rate and no model's reason for a limit."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from gpo.model.model import Model, Reply, Request


class Limited:
    """Wraps `model`: at most `concurrency` calls at once, the others wait in the order in which they came.

    `in_flight`, `waiting` and `done` are gauges for whoever displays a run.
    """

    def __init__(self, model: Model, concurrency: int) -> None:
        self._model = model
        self.concurrency = concurrency
        self.in_flight = 0
        self.done = 0
        self._queue: deque[asyncio.Future[None]] = deque()

    @property
    def identity(self) -> str:
        """The wrapped model's."""
        return self._model.identity

    @property
    def waiting(self) -> int:
        """Calls that wait for their turn."""
        return len(self._queue)

    async def complete(self, request: Request) -> Reply:
        """Answer when it is this call's turn. Raises what the model raises."""
        await self._enter()
        try:
            reply = await self._model.complete(request)
            self.done += 1
            return reply
        finally:
            self._leave()

    def around(self, layer: Callable[[Model], Model]) -> None:
        """Put one more layer directly around the wrapped model."""
        self._model = layer(self._model)

    async def aclose(self) -> None:
        """Close the wrapped model."""
        await self._model.aclose()

    async def _enter(self) -> None:
        if self.in_flight < self.concurrency and not self._queue:
            self.in_flight += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            # A turn that was given and not taken goes to the next in line.
            if turn.done() and not turn.cancelled():
                self._leave()
            raise

    def _leave(self) -> None:
        self.in_flight -= 1
        while self._queue and self.in_flight < self.concurrency:
            turn = self._queue.popleft()
            if not turn.done():
                self.in_flight += 1
                turn.set_result(None)
