"""Shared by the tests of limits: an endpoint in virtual time that refuses what is too much, and a way to run it."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from gpo.errors import TransientModelError
from gpo.model.factory import OpenModel
from gpo.model.layers.endpoint_limiter import EndpointLimiter, RoleQueue
from gpo.model.layers.rates import Rates
from gpo.model.layers.retry import RetrySettings
from gpo.model.model import Message, Reply, Request, Usage
from gpo.run.compose import Sending, compose_sending
from tests.support.clock import VirtualLoop

T = TypeVar("T")


def ask(text: str = "hello", max_tokens: int = 256) -> Request:
    return Request(messages=(Message("user", text),), max_tokens=max_tokens)


def now() -> float:
    return asyncio.get_running_loop().time()


def virtually(scenario: Callable[[], Awaitable[T]]) -> T:
    """Run `scenario` in virtual time."""

    async def run() -> T:
        return await scenario()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(run())


@dataclass(kw_only=True)
class Endpoint:
    """Answers after `latency` seconds, or some time around it with `jitter`; refuses what is beyond `most_at_once`
    calls or `per_second`. `broken` is the share of calls that fail otherwise. Times are virtual seconds."""

    latency: float = 1.0
    jitter: float = 0.0
    most_at_once: int | None = None
    per_second: int | None = None
    retry_after: float | None = None
    broken: float = 0.0
    tokens: int = 10
    seed: int = 0
    identity: str = "virtual/endpoint"
    arrivals: list[tuple[float, str]] = field(default_factory=list)
    refusals: list[float] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._recent: deque[float] = deque()

    async def complete(self, request: Request) -> Reply:
        self.arrivals.append((now(), request.messages[0].content))
        if self._is_full():
            self.refusals.append(now())
            raise TransientModelError("HTTP 429", status=429, retry_after=self.retry_after)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self.latency + self._random.uniform(0, self.jitter))
            if self._random.random() < self.broken:
                raise TransientModelError("HTTP 500", status=500)
        finally:
            self.in_flight -= 1
        usage = Usage(prompt_tokens=self.tokens)
        return Reply(texts=(f"re: {request.messages[0].content}",), usage=usage)

    async def aclose(self) -> None:
        pass

    def _is_full(self) -> bool:
        if self.most_at_once is not None and self.in_flight >= self.most_at_once:
            return True
        if self.per_second is not None:
            while self._recent and self._recent[0] <= now() - 1:
                self._recent.popleft()
            if len(self._recent) >= self.per_second:
                return True
            self._recent.append(now())
        return False


def queue(concurrency: int, *, double_below: int | None = None) -> RoleQueue:
    """The queue of a role that has an endpoint for itself."""
    return RoleQueue(EndpointLimiter(concurrency), concurrency, double_below=double_below)


def opened(
    endpoint: Endpoint,
    concurrency: int,
    *,
    limiter: EndpointLimiter | None = None,
    rates: Rates | None = None,
    retry: RetrySettings | None = None,
) -> Sending:
    """`endpoint` behind limit and retries, as a run has it."""
    limiter = limiter or EndpointLimiter(concurrency, adapts=True, clock=asyncio.get_running_loop().time)
    return compose_sending(
        OpenModel(
            client=endpoint,
            queue=RoleQueue(limiter, concurrency, rates),
            retry=retry or RetrySettings(),
            cost=lambda tokens: None,
            shareable=False,
        )
    )


async def ask_all(model: Sending, texts: list[str]) -> list[str]:
    """All at once; the answers in the order of `texts`."""
    replies = await asyncio.gather(*(model.model.complete(ask(text)) for text in texts))
    return [reply.text for reply in replies]
