"""Making a call again when it may succeed: full-jitter exponential backoff that honours what the server asks for.

Knows which errors are transient by their type only. Waiting never changes a result.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from gpo.errors import PermanentModelError, TransientModelError
from gpo.model.model import Model, Reply, Request

ATTEMPTS = 6
FIRST_DELAY = 0.5
LONGEST_DELAY = 60.0


class Retrying:
    """Wraps `model`: a transient failure is tried again up to `attempts` times in all. `retries` counts."""

    def __init__(
        self,
        model: Model,
        *,
        attempts: int = ATTEMPTS,
        first_delay: float = FIRST_DELAY,
        longest_delay: float = LONGEST_DELAY,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._model = model
        self._attempts = attempts
        self._first_delay = first_delay
        self._longest_delay = longest_delay
        self._sleep = sleep
        self._jitter = random.Random()
        self._answered = False
        self.retries = 0

    @property
    def identity(self) -> str:
        """The wrapped model's."""
        return self._model.identity

    async def complete(self, request: Request) -> Reply:
        """Answer `request`. Raises `PermanentModelError` at once, and as its last word where trying again does not help."""
        for attempt in range(self._attempts):
            try:
                reply = await self._model.complete(request)
            except TransientModelError as error:
                # A server that never answered is most likely not there: a person should not wait a minute to hear so.
                absent = error.status is None and not self._answered
                if attempt + 1 >= (2 if absent else self._attempts):
                    raise PermanentModelError(_last_word(error, attempt + 1), status=error.status) from error
                self.retries += 1
                await self._sleep(self._delay(attempt, error.retry_after))
            else:
                self._answered = True
                return reply
        raise AssertionError("unreachable")

    async def aclose(self) -> None:
        """Close the wrapped model."""
        await self._model.aclose()

    def _delay(self, attempt: int, retry_after: float | None) -> float:
        backoff = self._jitter.uniform(0, min(self._longest_delay, self._first_delay * 2**attempt))
        return backoff if retry_after is None else retry_after + backoff


def _last_word(error: TransientModelError, attempts: int) -> str:
    return f"{error}; tried {attempts} times"
