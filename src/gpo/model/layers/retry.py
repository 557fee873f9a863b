"""Making a call again when it may succeed: full-jitter exponential backoff that honours what the server asks for.

The type of an error says whether it is transient. This layer stands around limits and queues, so that a call that waits
to be made again takes up no place. Waiting never changes a result.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gpo.errors import PermanentModelError, TransientModelError
from gpo.model.layers.layer import ModelLayer
from gpo.model.model import Model, Reply, Request
from gpo.model.openai.errors import LoadingError, UnreachableError

ATTEMPTS = 6
ATTEMPTS_ABSENT = 2
FIRST_DELAY = 0.5
LONGEST_DELAY = 60.0
LONGEST_CALL = 1800.0
LOADING_DELAY = 2.0
"""Seconds between two looks at a server that is loading its model, which takes from seconds to many minutes."""
TOO_MANY_REQUESTS = 429
RUN_LEEWAY = 300
"""Retries of a whole run that need no answers to speak for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySettings:
    """How often and how long a call is tried again: up to `attempts` times in all and for at most `max_elapsed` seconds
    from its first failure, after delays (seconds) that grow from `first_delay` to `longest_delay`. `advice` ends the
    line about a server that is not there.

    Over the whole run there may be `leeway` retries and one more for every answer: a server that fails most of the time
    ends the run, and not only the patience of whoever pays for it.
    """

    attempts: int = ATTEMPTS
    first_delay: float = FIRST_DELAY
    longest_delay: float = LONGEST_DELAY
    max_elapsed: float = LONGEST_CALL
    leeway: int = RUN_LEEWAY
    advice: str = "start it, or correct base_url"


class RetryingModel(ModelLayer):
    """Wraps `model`: a transient failure is tried again as `settings` say. `again` is how a call is made the next time,
    where that differs; it also gets the call's number, for the oldest to go first. `retries` counts.

    A rate limit is not counted as a failed attempt where it was met because too many calls were under way, or while
    other calls are answered. Such a call waits for its next turn, without a limit on their number.
    A server that is still loading its model is looked for again for up to `max_elapsed` seconds; `say` is told once.
    """

    def __init__(
        self,
        model: Model,
        settings: RetrySettings | None = None,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        again: Callable[[Request, int], Awaitable[Reply]] | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(model)
        self._settings = settings or RetrySettings()
        self._again = again or (lambda request, number: model.complete(request))
        self._answers = 0
        self._sleep = sleep
        self._clock = clock
        # Of its own, so that waiting draws nothing from a generator that results depend on.
        self._jitter = random.Random()
        self._answered = False
        self._calls = 0
        self._failures = 0
        self.retries = 0
        self._say = say

    async def complete(self, request: Request) -> Reply:
        """Answer `request`.

        Raises `PermanentModelError`: the model's own at once; one of scope "call" when all attempts are used up; one
        of scope "run" when no server was ever reached.
        """
        self._calls += 1
        call = _Call(self._calls, self._answers)
        while True:
            call.tries += 1
            try:
                again = call.tries > 1
                reply = await (self._again(request, call.number) if again else self._model.complete(request))
            except TransientModelError as error:
                # A server that answers with an error is there, and one that did so once comes back.
                self._answered |= not isinstance(error, UnreachableError)
                delay = self._delay(call, error)
                if self._is_over(call, error, delay):
                    raise self._last_word(error, call.tries) from error
                self.retries += 1
                await self._sleep(delay)
            else:
                self._answered = True
                self._answers += 1
                return reply

    def _delay(self, call: _Call, error: TransientModelError) -> float:
        """Count what happened to `call`; seconds until its next try."""
        if isinstance(error, LoadingError):
            return self._loading(call, error)
        if error.status == TOO_MANY_REQUESTS and (error.crowded or self._answers > call.answers):
            call.failing_since = None
        else:
            call.failures += 1
            self._failures += 1
            if call.failing_since is None:
                call.failing_since = self._clock()
        call.answers = self._answers
        longest = self._settings.first_delay * 2 ** max(0, call.failures - 1)
        backoff = self._jitter.uniform(0, min(self._settings.longest_delay, longest))
        return backoff if error.retry_after is None else error.retry_after + backoff

    def _loading(self, call: _Call, error: LoadingError) -> float:
        if call.loading_since is None:
            call.loading_since = self._clock()
        if self._say is not None:
            self._say(f"{error}; waiting until it is loaded")
            self._say = None
        longest = min(LOADING_DELAY, self._settings.first_delay * 2 ** min(call.tries, 10))
        return self._jitter.uniform(longest / 2, longest) if error.retry_after is None else error.retry_after

    def _is_over(self, call: _Call, error: TransientModelError, delay: float) -> bool:
        if isinstance(error, LoadingError) and call.loading_since is not None:
            return self._clock() - call.loading_since + delay > self._settings.max_elapsed
        if call.failing_since is None:
            return delay > self._settings.max_elapsed
        # A person should not wait a minute to hear that a server was never started.
        absent = isinstance(error, UnreachableError) and not self._answered
        attempts = min(ATTEMPTS_ABSENT, self._settings.attempts) if absent else self._settings.attempts
        elapsed = self._clock() - call.failing_since + delay
        exhausted = self._failures > self._settings.leeway + self._answers
        return exhausted or call.failures >= attempts or elapsed > self._settings.max_elapsed

    def _last_word(self, error: TransientModelError, attempts: int) -> PermanentModelError:
        if isinstance(error, UnreachableError) and not self._answered:
            return PermanentModelError(f"{error}: {self._settings.advice}", scope="run")
        times = "once" if attempts == 1 else f"{attempts} times"
        asked = f"; it asks to wait {error.retry_after:.0f} s" if error.retry_after else ""
        return PermanentModelError(f"{error}{asked}; tried {times}", scope="call", status=error.status)


@dataclass(slots=True)
class _Call:
    """The `number`-th call: its tries, how many of them failed on its own account and since when; `answers` to any call
    when it was last tried."""

    number: int
    answers: int
    tries: int = 0
    failures: int = 0
    failing_since: float | None = None
    loading_since: float | None = None
