"""A Python function as a model. Knows no wire; the function may call whatever it likes."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import Any

from gpo.errors import PermanentModelError
from gpo.model.model import Reply, Request


class CallableModel:
    """Wraps `function`, sync (run in a thread) or async.

    A function whose first parameter is called `messages` gets the chat as a list of {"role", "content"}; any other gets
    the text of the last turn, preceded by the system turn where there is one. It returns the reply as a string. Keyword
    parameters called `temperature`, `max_tokens` or `seed` are filled in where the function has them.
    """

    def __init__(self, function: Callable[..., Any], name: str | None = None) -> None:
        self._function = function
        # Of an object with `__call__` the class is what has a name.
        named = function if hasattr(function, "__qualname__") else type(function)
        self._identity = f"python/{name or f'{named.__module__}.{named.__qualname__}'}"
        called = function if inspect.isroutine(function) else function.__call__  # type: ignore[operator]
        parameters = list(inspect.signature(function).parameters)
        self._wants_messages = bool(parameters) and parameters[0] == "messages"
        self._options = [name for name in ("temperature", "max_tokens", "seed") if name in parameters[1:]]
        self._is_async = inspect.iscoroutinefunction(called)

    @property
    def identity(self) -> str:
        """`python/MODULE.NAME`."""
        return self._identity

    async def complete(self, request: Request) -> Reply:
        """Call the function `n` times, each with a seed of its own. Raises `PermanentModelError` where it fails."""
        started = time.monotonic()
        texts = await asyncio.gather(*(self._call(request, i) for i in range(request.n)))
        return Reply(
            texts=tuple(texts), finish_reasons=("stop",) * request.n, seconds=time.monotonic() - started
        )

    async def aclose(self) -> None:
        """Nothing to release."""

    async def _call(self, request: Request, index: int) -> str:
        seed = None if request.seed is None else request.seed + index
        values = {"temperature": request.temperature, "max_tokens": request.max_tokens, "seed": seed}
        options = {name: values[name] for name in self._options}
        try:
            if self._is_async:
                reply = await self._function(self._argument(request), **options)
            else:
                reply = await asyncio.to_thread(self._function, self._argument(request), **options)
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            raise PermanentModelError(f"the model {self._identity} raised {reason}") from error
        if not isinstance(reply, str):
            raise PermanentModelError(
                f"the model {self._identity} returned {type(reply).__name__} and no string"
            )
        return reply

    def _argument(self, request: Request) -> Any:
        if self._wants_messages:
            if request.prompt is not None:
                return [{"role": "user", "content": request.prompt}]
            return [{"role": message.role, "content": message.content} for message in request.messages]
        if request.prompt is not None:
            return request.prompt
        system = [message.content for message in request.messages if message.role == "system"]
        return "\n\n".join([*system, request.messages[-1].content])
