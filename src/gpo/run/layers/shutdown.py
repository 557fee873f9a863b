"""How a run ends early: no new call leaves, what is in flight may finish for a few seconds, the rest is cut.

A budget, a person and the clock all stop a run in the same way.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gpo.errors import GPOError, PermanentModelError, TransientModelError
from gpo.model.layers.layer import ModelLayer
from gpo.model.model import Model, Reply, Request
from gpo.model.openai.errors import EmptyReplyError

GRACE = 5.0
"""Seconds that calls in flight may still take."""


class Shutdown:
    """For one event loop. `in_flight` counts the calls between `enter` and `leave`."""

    def __init__(self, grace: float = GRACE) -> None:
        self.in_flight = 0
        self._grace = grace
        self._error: GPOError | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._timeout: asyncio.Timeout | None = None

    @property
    def stopping(self) -> bool:
        """Whether the run is to end."""
        return self._error is not None

    def stop(self, error: GPOError, grace: float | None = None) -> None:
        """Let the run end with `error`; the first one stays. `grace` replaces that of all stops. To be called in the
        loop's thread."""
        if self._error is not None:
            return
        self._error = error
        if grace is not None:
            self._grace = grace
        if self._timeout is not None:
            self._timeout.reschedule(asyncio.get_running_loop().time() + self._grace)

    async def stop_and_wait(self, error: GPOError) -> None:
        """Stop with `error`, let what is in flight finish for the grace, and raise what the run was stopped with."""
        self.stop(error)
        await self.check()

    async def check(self) -> None:
        """Return at once, or raise what the run was stopped with once no call is in flight any more.

        So nobody who waits is cancelled together with a call that is paid for.
        """
        if self._error is not None:
            await self._idle.wait()
            raise self._renew_error()

    def enter(self) -> None:
        """A call leaves."""
        self.in_flight += 1
        self._idle.clear()

    def leave(self) -> None:
        """It is back, one way or the other."""
        self.in_flight -= 1
        if not self.in_flight:
            self._idle.set()

    @asynccontextmanager
    async def guard(
        self, seconds_left: float | None = None, out_of_time: GPOError | None = None
    ) -> AsyncIterator[None]:
        """The work that is stopped: it is cut when the grace is over, and then raises what it was stopped with. After
        `seconds_left` it is stopped with `out_of_time`."""
        loop = asyncio.get_running_loop()
        alarm = None
        if seconds_left is not None and out_of_time is not None:
            alarm = loop.call_later(max(0.0, seconds_left), self.stop, out_of_time)
        try:
            async with asyncio.timeout(None) as self._timeout:
                if self.stopping:
                    self._timeout.reschedule(loop.time() + self._grace)
                yield
        except TimeoutError:
            if self._error is None or self._timeout is None or not self._timeout.expired():
                raise
            raise self._renew_error() from None
        finally:
            self._timeout = None
            if alarm is not None:
                alarm.cancel()

    def _renew_error(self) -> GPOError:
        # A fresh instance: one that many tasks raise would gather all their tracebacks.
        assert self._error is not None
        return type(self._error)(str(self._error))


class StoppableModel(ModelLayer):
    """Wraps `model`: an error that ends the run stops it in order, so that other calls in flight are not lost."""

    def __init__(self, model: Model, shutdown: Shutdown) -> None:
        super().__init__(model)
        self._shutdown = shutdown

    async def complete(self, request: Request) -> Reply:
        """Answer `request`. Raises what the model raises."""
        try:
            return await self._model.complete(request)
        except TransientModelError as error:
            # Nobody tries it again: a model that is a function has no retries.
            await self._shutdown.stop_and_wait(error)
            raise
        except PermanentModelError as error:
            # What failed for a passing reason and outlived its retries is not the fault of the call: to go on without
            # the example would make the result depend on the weather.
            # A reply without a completion is the exception: it is asked for again as it may be a fault of the server's,
            # but what stays empty is the server's word on that example.
            cause = error.__cause__
            passing = isinstance(cause, TransientModelError) and not isinstance(cause, EmptyReplyError)
            if error.scope == "run" or passing:
                await self._shutdown.stop_and_wait(error)
            raise
