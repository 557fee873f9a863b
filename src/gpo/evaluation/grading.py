"""Grading answers: built-in metrics at once, own ones many at a time, and none twice for the same answer to a row."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from gpo.task.answer import Answer
from gpo.task.example import Example
from gpo.task.metric import Metric
from gpo.task.metrics.own import Grade, OwnMetric
from gpo.task.metrics.texts import as_text

AT_ONCE = 64
"""Calls of an own metric that are under way at most: sync ones in as many threads, async ones in the loop."""


class Grader:
    """Grades answers with `metric`, whose calls it lets run side by side.

    An own metric sees the answer and the row alone, so one grade holds for all prompts that answer alike.
    """

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self._known: dict[tuple[str, str], Grade] = {}
        self._under_way: dict[tuple[str, str], asyncio.Task[Grade]] = {}
        self._pool: ThreadPoolExecutor | None = None
        self._places: tuple[asyncio.AbstractEventLoop, asyncio.Semaphore] | None = None

    @property
    def remembers(self) -> bool:
        """Whether a grade is worth keeping: it took somebody's code, which may take time or say something else."""
        return self._metric.own is not None

    async def grade(self, prediction: Answer, targets: Sequence[Answer], example: Example) -> Grade:
        """The grade of `prediction`. Raises `ConfigError` naming the row where an own metric fails."""
        own = self._metric.own
        if own is None:
            return Grade(self._metric(prediction, targets, example))
        text = as_text(prediction)
        key = (example.id, text)
        if (known := self._known.get(key)) is not None:
            return known
        if key not in self._under_way:
            self._under_way[key] = task = asyncio.ensure_future(self._call(own, text, example))
            task.add_done_callback(lambda done: self._take(key, done))
        # Shielded: several prompts may wait for it, and one that is given up does not take it from the others.
        return await asyncio.shield(self._under_way[key])

    async def _call(self, own: OwnMetric, text: str, example: Example) -> Grade:
        async with self._place():
            returned = (
                own.call(text, example) if own.is_async else await self._in_thread(own.call, text, example)
            )
            if inspect.isawaitable(returned):
                returned = await own.awaited(returned, example)
        return own.grade(returned, example)

    def _take(self, key: tuple[str, str], done: asyncio.Task[Grade]) -> None:
        del self._under_way[key]
        if not done.cancelled() and done.exception() is None:
            self._known[key] = done.result()

    def _in_thread(self, call: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
        # Not asyncio's own pool: it has few threads, and a metric that waits for a server needs many.
        if self._pool is None:
            self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="gpo-metric")
        context = contextvars.copy_context()
        return asyncio.get_running_loop().run_in_executor(self._pool, context.run, call, *arguments)

    def _place(self) -> asyncio.Semaphore:
        loop = asyncio.get_running_loop()
        if self._places is None or self._places[0] is not loop:
            self._places = loop, asyncio.Semaphore(AT_ONCE)
        return self._places[1]
