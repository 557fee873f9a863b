"""A metric of the user's own: a function, sync or async, of a prediction and what was expected."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from gpo.errors import FOREIGN, ConfigError
from gpo.task.example import Example

LONGEST_FEEDBACK = 2_000
"""Characters of feedback that are kept; what is longer would crowd everything else out of a meta-prompt."""


@dataclass(frozen=True, slots=True)
class Grade:
    """What a metric makes of one answer: a value in 0..1, and in words what is wrong or right about it ("": nothing was
    said). `calls` are the journal keys of the calls that it took."""

    value: float
    feedback: str = ""
    calls: tuple[str, ...] = ()


class OwnMetric:
    """Wraps `function`, called `name` in messages.

    It is called with the prediction as text and with the row's target as it stands in the data, or with the whole
    `Example` where its second parameter is called `example`. It returns a number from 0 to 1, or such a number and
    feedback: a text about this answer, which the optimizer model is shown. Raises `ConfigError` where it does not take
    two arguments.
    """

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self.function, self.name = function, name
        self._wants_example = _second_parameter(function, name) == "example"
        self.is_async = is_async(function)
        """Whether a call returns at once something to await."""

    def call(self, prediction: str, example: Example) -> Any:
        """What the function returns, or what is to be awaited for that. Raises `ConfigError` naming the row."""
        try:
            return self.function(prediction, example if self._wants_example else example.target)
        except FOREIGN as error:
            raise self._failed(example, error) from error

    async def awaited(self, returned: Awaitable[Any], example: Example) -> Any:
        """What comes of an awaitable. Raises `ConfigError` naming the row."""
        try:
            return await returned
        except FOREIGN as error:
            raise self._failed(example, error) from error

    def grade(self, returned: Any, example: Example) -> Grade:
        """What the function `returned`, checked. Raises `ConfigError` naming the row."""
        feedback = ""
        if isinstance(returned, tuple | list):
            if len(returned) != 2 or not isinstance(returned[1], str | None):
                raise ConfigError(
                    f"task.metric: {self.name} returned {len(returned)} values for {_row(example)}; return a number "
                    "from 0 to 1, or that number and a text"
                )
            returned, feedback = returned[0], " ".join((returned[1] or "").split("\0")).strip()
        try:
            number = float(returned)
        except FOREIGN as error:
            raise self._failed(example, error) from error
        if not 0.0 <= number <= 1.0:
            raise ConfigError(
                f"task.metric: {self.name} returned {number:g} for {_row(example)}; return a number from 0 to 1"
            )
        return Grade(number, feedback[:LONGEST_FEEDBACK])

    def wait(self, prediction: str, example: Example) -> Grade:
        """Call the function and wait, also for an async one. Not for a thread that others wait for."""
        returned = self.call(prediction, example)
        if inspect.isawaitable(returned):
            # In a thread of its own: a loop may be running in this one, and loops do not nest.
            with ThreadPoolExecutor(1) as pool:
                returned = pool.submit(asyncio.run, self.awaited(returned, example)).result()
        return self.grade(returned, example)

    def _failed(self, example: Example, error: BaseException) -> ConfigError:
        problem = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        return ConfigError(f"task.metric: {self.name} failed on {_row(example)}: {problem}")


def _row(example: Example) -> str:
    place = f" ({example.source})" if example.source and example.source != example.id else ""
    return f"example {example.id}{place}"


def is_async(function: Callable[..., Any]) -> bool:
    """Whether a call of `function` returns at once something to await; any other one is called in a thread."""
    inner: Any = function
    while isinstance(inner, functools.partial):
        inner = inner.func
    called = inner if inspect.isroutine(inner) else getattr(inner, "__call__", inner)  # noqa: B004
    return inspect.iscoroutinefunction(called)


def _second_parameter(function: Callable[..., Any], name: str) -> str:
    try:
        signature = inspect.signature(function)
        signature.bind("prediction", "target")
    except ValueError:  # a builtin without a signature
        return ""
    except TypeError:
        raise ConfigError(f"task.metric: {name} must take two arguments: prediction and target") from None
    names = list(signature.parameters)
    return names[1] if len(names) > 1 else ""
