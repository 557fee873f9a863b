"""Grading answers: built-in metrics at once, own ones many at a time, and none twice for the same answer to a row; a
judge is a model, whose layers see to all that."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from gpo.errors import ConfigError, PermanentModelError
from gpo.model.model import Model, Request
from gpo.model.threads import LONG, read_apart
from gpo.task.answer import Answer
from gpo.task.example import Example
from gpo.task.metric import Metric
from gpo.task.metrics.judge import Judge
from gpo.task.metrics.own import LONGEST_FEEDBACK, Grade, OwnMetric
from gpo.task.metrics.texts import as_text
from gpo.text import shorten

AT_ONCE = 64
"""Calls of an own metric that are under way at most: sync ones in as many threads, async ones in the loop."""


class UnreadableVerdict(PermanentModelError):
    """A judge's reply has no number of the scale; `call` is its journal key, where it has one."""

    def __init__(self, message: str, call: str | None) -> None:
        super().__init__(message, scope="call")
        self.call = call


class Grader:
    """Grades answers with `metric`, whose calls it lets run side by side. Where the metric is a judge, `judge` is the
    model, and `judge_tokens` are the most tokens of its reply.

    An own metric sees the answer and the row alone, so one grade holds for all prompts that answer alike.
    """

    def __init__(self, metric: Metric, judge: Model | None = None, judge_tokens: int = 512) -> None:
        self._metric, self._judge, self._judge_tokens = metric, judge, judge_tokens
        self._known: dict[tuple[str, str], Grade] = {}
        self._under_way: dict[tuple[str, str], asyncio.Task[Grade]] = {}
        self._pool: ThreadPoolExecutor | None = None
        self._places: tuple[asyncio.AbstractEventLoop, asyncio.Semaphore] | None = None

    @property
    def remembers(self) -> bool:
        """Whether a grade is worth keeping: it took somebody's code, which may take time or say something else."""
        return self._metric.own is not None

    async def grade(self, prediction: Answer, targets: Sequence[Answer], example: Example) -> Grade:
        """The grade of `prediction`. Raises `ConfigError` naming the row where an own metric fails,
        `UnreadableVerdict`, and what the judge raises."""
        if self._metric.judge is not None:
            return await self._verdict(self._metric.judge, prediction, targets, example)
        own = self._metric.own
        if own is None:
            if isinstance(prediction, str) and len(prediction) > LONG:
                return Grade(await read_apart(self._metric, prediction, targets, example))
            return Grade(self._metric(prediction, targets, example))
        return await self._grade_own(own, as_text(prediction), as_text(prediction), example)

    async def grade_output(self, output: object, text: str | None, example: Example) -> Grade:
        """The grade of what a program returned, by an own metric. `text` is what it is known by, None where no text
        says all of it: then it is graded each time. Raises as `grade`."""
        own = self._metric.own
        assert own is not None, "a metric by name grades what was read"
        if text is None:
            return await self._call(own, output, example)
        return await self._grade_own(own, output, text, example)

    async def _grade_own(self, own: OwnMetric, output: object, text: str, example: Example) -> Grade:
        key = (example.id, text)
        if (known := self._known.get(key)) is not None:
            return known
        if key not in self._under_way:
            self._under_way[key] = task = asyncio.ensure_future(self._call(own, output, example))
            task.add_done_callback(lambda done: self._take(key, done))
        # Shielded: several prompts may wait for it, and one that is given up does not take it from the others.
        return await asyncio.shield(self._under_way[key])

    async def _verdict(
        self, judge: Judge, prediction: Answer, targets: Sequence[Answer], example: Example
    ) -> Grade:
        if self._judge is None:
            raise ConfigError("models.judge: the metric judge needs a model")
        reply = await self._judge.complete(
            Request(
                messages=judge.messages(prediction, targets, example),
                max_tokens=self._judge_tokens,
                purpose="verdict",
            )
        )
        # A number at the end of a reply that broke off may have lost a digit.
        if any(reply.cut[:1]):
            number = None
        elif len(reply.text) > LONG:
            number = await read_apart(judge.read, reply.text)
        else:
            number = judge.read(reply.text)
        if number is None:
            why = (
                f"was cut at models.judge.max_tokens ({self._judge_tokens})"
                if any(reply.cut[:1])
                else "has no score"
            )
            raise UnreadableVerdict(
                f"models.judge: the verdict on example {example.id} {why}: {shorten(reply.text, 100)!a}",
                reply.call,
            )
        feedback = " ".join(reply.text.split("\0")).strip()[:LONGEST_FEEDBACK]
        return Grade(judge.value(number), feedback, (reply.call,) if reply.call else ())

    async def _call(self, own: OwnMetric, output: Any, example: Example) -> Grade:
        async with self._place():
            returned = (
                own.call(output, example)
                if own.is_async
                else await self._in_thread(own.call, output, example)
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
