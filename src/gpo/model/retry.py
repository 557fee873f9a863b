"""Making a call again when it may succeed: full-jitter exponential backoff that honours what the server asks for.

Knows which errors are transient by their type only. Waiting never changes a result.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from gpo.errors import PermanentModelError, TransientModelError
from gpo.model.model import Model, Reply, Request
from gpo.model.wire_errors import UnreachableError

ATTEMPTS = 6
ATTEMPTS_ABSENT = 2
FIRST_DELAY = 0.5
LONGEST_DELAY = 60.0
LONGEST_CALL = 1800.0
RUN_LEEWAY = 300
"""Retries of a whole run that need no answers to speak for them."""


class Retrying:
    """Wraps `model`: a transient failure is tried again up to `attempts` times in all and for at most `max_elapsed`
    seconds a call. Delays are in seconds; `retries` counts. `advice` ends the line about a server that is not there.

    Over the whole run there may be `leeway` retries and one more for every answer: a server that fails most of the time
    ends the run, and not only the patience of whoever pays for it.
    """

    def __init__(
        self,
        model: Model,
        *,
        attempts: int = ATTEMPTS,
        first_delay: float = FIRST_DELAY,
        longest_delay: float = LONGEST_DELAY,
        max_elapsed: float = LONGEST_CALL,
        leeway: int = RUN_LEEWAY,
        advice: str = "start it, or correct base_url",
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model = model
        self._attempts = attempts
        self._first_delay = first_delay
        self._longest_delay = longest_delay
        self._max_elapsed = max_elapsed
        self._leeway = leeway
        self._answers = 0
        self._advice = advice
        self._sleep = sleep
        self._clock = clock
        # Of its own, so that waiting draws nothing from a generator that results depend on.
        self._jitter = random.Random()
        self._answered = False
        self.retries = 0

    @property
    def identity(self) -> str:
        """The wrapped model's."""
        return self._model.identity

    async def complete(self, request: Request) -> Reply:
        """Answer `request`.

        Raises `PermanentModelError`: the model's own at once; one of scope "call" when all attempts are used up; one
        of scope "run" when no server was ever reached.
        """
        started = self._clock()
        attempt = 0
        while True:
            attempt += 1
            try:
                reply = await self._model.complete(request)
            except TransientModelError as error:
                # A server that answers with an error is there, and one that did so once comes back.
                self._answered |= not isinstance(error, UnreachableError)
                delay = self._delay(attempt, error.retry_after)
                if self._is_over(error, attempt, self._clock() - started + delay):
                    raise self._last_word(error, attempt) from error
                self.retries += 1
                await self._sleep(delay)
            else:
                self._answered = True
                self._answers += 1
                return reply

    def around(self, layer: Callable[[Model], Model]) -> None:
        """Put one more layer directly around the wrapped model: every attempt passes through it."""
        self._model = layer(self._model)

    async def aclose(self) -> None:
        """Close the wrapped model."""
        await self._model.aclose()

    def _is_over(self, error: TransientModelError, attempt: int, elapsed: float) -> bool:
        # A person should not wait a minute to hear that a server was never started.
        absent = isinstance(error, UnreachableError) and not self._answered
        if self.retries >= self._leeway + self._answers:
            return True
        attempts = min(ATTEMPTS_ABSENT, self._attempts) if absent else self._attempts
        return attempt >= attempts or elapsed > self._max_elapsed

    def _delay(self, attempt: int, retry_after: float | None) -> float:
        backoff = self._jitter.uniform(0, min(self._longest_delay, self._first_delay * 2 ** (attempt - 1)))
        return backoff if retry_after is None else retry_after + backoff

    def _last_word(self, error: TransientModelError, attempts: int) -> PermanentModelError:
        if isinstance(error, UnreachableError) and not self._answered:
            return PermanentModelError(f"{error}: {self._advice}", scope="run")
        times = "once" if attempts == 1 else f"{attempts} times"
        asked = f"; it asks to wait {error.retry_after:.0f} s" if error.retry_after else ""
        return PermanentModelError(f"{error}{asked}; tried {times}", scope="call", status=error.status)
