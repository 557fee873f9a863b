"""Scoring prompts for the proof, with every call and token counted. Nothing is taken from a store of earlier
answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from benchmarks.proof.deadline import Deadline
from benchmarks.proof.endpoint import Endpoint
from benchmarks.proof.fixed import FixedPrompt
from benchmarks.proof.tasks import with_demonstrations
from gpo.config.models import ModelConfig
from gpo.errors import ModelError
from gpo.evaluation.outcome import Outcome
from gpo.evaluation.rounds import ScorerSettings
from gpo.evaluation.score import Scorer
from gpo.model.factory import open_model
from gpo.model.layers.layer import ModelLayer
from gpo.model.model import Model, Reply, Request
from gpo.run.compose import compose_sending
from gpo.task.example import Example
from gpo.task.task import Task


@dataclass(slots=True)
class Used:
    """Calls that were answered and their tokens."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def add(self, calls: int, prompt_tokens: int, completion_tokens: int) -> None:
        """One answer more, which may be of several completions."""
        self.calls += calls
        self.prompt_tokens += prompt_tokens
        self.completion_tokens += completion_tokens


class CountingModel(ModelLayer):
    """Counts what `model` answers into `used`."""

    def __init__(self, model: Model, used: Used) -> None:
        super().__init__(model)
        self.used = used

    async def complete(self, request: Request) -> Reply:
        """As the wrapped model."""
        reply = await self._model.complete(request)
        self.used.add(len(reply.texts), reply.usage.prompt_tokens, reply.usage.completion_tokens)
        return reply


@dataclass(frozen=True, slots=True)
class Scored:
    """Values (0..1, None where the call failed) by row, and how many replies nothing could be read from."""

    values: tuple[float | None, ...]
    unreadable: int
    said: tuple[str | None, ...] = ()
    """What was read, by row; None where nothing was."""

    @property
    def mean(self) -> float:
        """Over the rows that were answered. Raises `ModelError` where none was."""
        known = [value for value in self.values if value is not None]
        if not known:
            raise ModelError("no row could be scored")
        return sum(known) / len(known)


@dataclass(frozen=True, slots=True)
class Asker:
    """Scores prompts at `endpoint`, as `ask` opens it."""

    endpoint: Endpoint
    model: Model
    used: Used = field(default_factory=Used)

    def scorer(self, task: Task) -> Scorer:
        """A scorer of `task`."""
        tokens = self.endpoint.max_tokens
        assert tokens is not None, "an endpoint for a task"
        return Scorer(task, self.model, ScorerSettings(max_tokens=tokens))

    async def score(self, task: Task, prompt: FixedPrompt, rows: Sequence[Example]) -> Scored:
        """`prompt` on `rows`. Raises `ModelError` where the endpoint cannot go on."""
        (outcomes,) = await self.scorer(with_demonstrations(task, prompt.demos)).outcomes(
            [prompt.text], rows, "dev"
        )
        return scored(outcomes)


def scored(outcomes: Sequence[Outcome]) -> Scored:
    """Values, unreadable replies and what was read of `outcomes`."""
    said = tuple(None if item.prediction is None else repr(item.prediction) for item in outcomes)
    return Scored(tuple(item.value for item in outcomes), sum(item.unreadable for item in outcomes), said)


async def at_once(
    most: int, jobs: Iterable[Callable[[], Coroutine[Any, Any, None]]], deadline: Deadline | None = None
) -> None:
    """Carry out `jobs`, `most` at a time, in their order. Raises what the first one raises that fails, and `TimeIsUp`
    where the deadline passes before the last is begun; those under way are finished first."""
    limit = deadline or Deadline()
    skipped = False
    places = asyncio.Semaphore(most)

    async def one(job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        nonlocal skipped
        async with places:
            skipped |= limit.passed
            if not skipped:
                await job()

    try:
        async with asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(one(job))
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    if skipped:
        limit.check()


@asynccontextmanager
async def ask(endpoint: Endpoint) -> AsyncIterator[Asker]:
    """An open `Asker`."""
    opened = open_model(ModelConfig(**endpoint.role("task")), role="task")
    used = Used()
    model = CountingModel(compose_sending(opened).model, used)
    try:
        yield Asker(endpoint, model, used)
    finally:
        await model.aclose()
