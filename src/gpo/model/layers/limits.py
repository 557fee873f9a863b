"""A model with a limit: its calls leave through the gate of their endpoint, and what became of them goes back to it.

Who leaves when is decided in `gpo.model.layers.endpoint_limiter`.
"""

from __future__ import annotations

from dataclasses import dataclass

from gpo.errors import TransientModelError
from gpo.model.layers.endpoint_limiter import RoleQueue
from gpo.model.layers.layer import ModelLayer
from gpo.model.model import Model, Reply, Request

TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitState:
    """A role's limit now: at most `now` calls at once, `configured` at best. `held` is what makes calls wait although
    there is a place: "refused" (the endpoint asked for a pause, or got one), "requests_per_minute",
    "tokens_per_minute" or "". `lowest`, `backoffs` and `waited_seconds` (of wall time) are since the beginning."""

    configured: int
    now: int
    lowest: int
    backoffs: int
    waited_seconds: float
    held: str

    def to_dict(self) -> dict[str, int | float]:
        """As a result tells it."""
        return {
            "configured": self.configured,
            "lowest": self.lowest,
            "final": self.now,
            "backoffs": self.backoffs,
            "waited_seconds": round(self.waited_seconds, 3),
        }


class LimitedModel(ModelLayer):
    """Wraps `model`: its calls wait in `queue`, which belongs to the role and outlives this layer, and what became of
    them goes back to it.

    `in_flight`, `waiting` and `done` are gauges for whoever displays a run.
    """

    def __init__(self, model: Model, queue: RoleQueue) -> None:
        super().__init__(model)
        self.done = 0
        self._adapts = queue.limiter.adapts
        self._limits = queue.limiter.limits
        self._rates = queue.rates
        self._line = queue

    @property
    def in_flight(self) -> int:
        """Calls under way."""
        return self._line.in_flight

    @property
    def waiting(self) -> int:
        """Calls that wait for their turn."""
        return self._line.waiting

    @property
    def state(self) -> LimitState:
        """The limit now and what it was. May be read in any thread."""
        return LimitState(
            configured=self._line.concurrency,
            now=min(self._line.concurrency, self._limits.limit),
            lowest=min(self._line.concurrency, self._limits.lowest),
            backoffs=self._limits.backoffs,
            waited_seconds=self._line.waited,
            held=self._line.held,
        )

    async def complete(self, request: Request) -> Reply:
        """Answer when it is this call's turn. Raises what the model raises; a `TransientModelError` tells by `crowded`
        whether too much was asked at once."""
        return await self._pass(request, None)

    async def again(self, request: Request, number: int) -> Reply:
        """As `complete`, for a call that had its turn before: it goes before those that had none, the lowest `number`
        first, so that of many that are refused one after the other comes to an end."""
        return await self._pass(request, number)

    async def _pass(self, request: Request, number: int | None) -> Reply:
        size = self._rates.size(request) if self._rates is not None else 0
        prefix_group = request.prefix_group
        estimate = await self._line.enter(
            size, number, prefix_group=prefix_group, continues=request.continues
        )
        wave = self._limits.wave
        try:
            reply = await self._model.complete(request)
            self._limits.answered(wave)
            if self._rates is not None:
                self._rates.settle(size, estimate, reply.usage)
            self.done += 1
            return reply
        except TransientModelError as error:
            self._heed(error, wave, estimate)
            raise
        finally:
            self._line.leave(prefix_group)

    def _heed(self, error: TransientModelError, wave: int, estimate: float) -> None:
        refused = error.status == TOO_MANY_REQUESTS
        if refused and self._rates is not None:
            self._rates.refuse(estimate)
        if not self._adapts:
            return
        if refused:
            error.crowded = self._limits.refused(wave, error.retry_after)
        else:
            self._limits.troubled(error.retry_after)
