"""Wraps a Python function as a model; the function may call whatever it likes."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from gpo.config.models import name_function
from gpo.errors import FOREIGN, GPOError, PermanentModelError, TransientModelError
from gpo.model.model import Reply, Request
from gpo.model.openai.errors import clean, redact
from gpo.model.threads import DaemonThreads

THREADS = 64
_OTHER_LOOP = (
    "its client was used in another event loop before: make a new one for GPO, or write await gpo.aoptimize(…) (or "
    "gpo.aevaluate) in the loop that it belongs to"
)
_OPTIONS = ("temperature", "max_tokens", "seed", "stop", "n", "response_format")


class CallableModel:
    """Wraps `function`, sync (run in one of `threads` threads) or async.

    A function whose first parameter is called `messages`, or is annotated as a list or sequence, gets the chat as a
    list of {"role", "content"}; any other gets it as one text. It returns the reply as a string. Keyword parameters
    called `temperature`, `max_tokens`, `seed` or `stop` are filled in where the function has them; one that has `n`
    may return a list of that many strings; what is missing of them `CompleteNModel` asks for. One that has
    `response_format` is given it, as a mapping, where the request has one.
    """

    def __init__(
        self, function: Callable[..., Any], name: str | None = None, *, threads: int = THREADS
    ) -> None:
        self._function = function
        inner = function
        while isinstance(inner, partial):
            inner = inner.func
        # Of an object with `__call__` the class is what has a name.
        named = inner if hasattr(inner, "__qualname__") else type(inner)
        self._identity = name_function(name or f"{named.__module__}.{named.__qualname__}")
        called = inner if inspect.isroutine(inner) else inner.__call__  # type: ignore[operator]
        parameters = _parameters(function)
        self._wants_messages = bool(parameters) and _takes_messages(parameters[0])
        self._options = [p.name for p in parameters[1:] if p.name in _OPTIONS]
        self._is_async = inspect.iscoroutinefunction(called)
        self._threads = threads
        self._pool: DaemonThreads | None = None

    @property
    def identity(self) -> str:
        """`python/MODULE.NAME`."""
        return self._identity

    async def complete(self, request: Request) -> Reply:
        """Call the function once; the reply has as many completions as it gave, at most `n`.

        Raises `TransientModelError` where it raises a lost connection or a timeout, `PermanentModelError` where it
        fails otherwise, and the function's own `GPOError`s as they are.
        """
        started = time.perf_counter()
        texts = (await self._call(request))[: request.n]
        return Reply(
            texts=tuple(texts),
            finish_reasons=("stop",) * len(texts),
            left_out=()
            if not request.response_format or "response_format" in self._options
            else ("response_format",),
            seconds=time.perf_counter() - started,
        )

    async def aclose(self) -> None:
        """Let the threads go; a function that still runs in one is not waited for."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown()

    async def _call(self, request: Request) -> list[str]:
        values: dict[str, Any] = {
            "temperature": request.temperature,
            "max_tokens": request.max_tokens,
            "seed": request.seed,
            "stop": list(request.stop),
            "n": request.n,
        }
        if request.response_format:
            values["response_format"] = json.loads(request.response_format)
        options = {name: values[name] for name in self._options if name in values}
        work = partial(self._function, self._argument(request), **options)
        try:
            reply = await (work() if self._is_async else self._in_thread(work))
        except GPOError:
            raise
        except (ConnectionError, TimeoutError) as error:
            raise TransientModelError(self._failure(error)) from error
        except FOREIGN as error:
            raise PermanentModelError(self._failure(error)) from error
        if isinstance(reply, str):
            return [reply]
        if isinstance(reply, list | tuple) and reply and all(isinstance(text, str) for text in reply):
            return list(reply)
        raise PermanentModelError(f"the model {self._identity} returned {type(reply).__name__} and no string")

    def _in_thread(self, work: Callable[[], Any]) -> asyncio.Future[Any]:
        # Not asyncio's own pool: it has few threads, and a function that waits for a server needs many.
        if self._pool is None:
            self._pool = DaemonThreads(self._threads, "gpo-model")
        context = contextvars.copy_context()
        return asyncio.get_running_loop().run_in_executor(self._pool, context.run, work)

    def _failure(self, error: BaseException) -> str:
        said = f"the model {self._identity} raised {type(error).__name__}: {clean(redact(str(error)))}"
        return f"{said}; {_OTHER_LOOP}" if _is_of_another_loop(error) else said

    def _argument(self, request: Request) -> Any:
        if request.prompt is not None:
            return [{"role": "user", "content": request.prompt}] if self._wants_messages else request.prompt
        if self._wants_messages:
            return [{"role": message.role, "content": message.content} for message in request.messages]
        if any(message.role == "assistant" for message in request.messages):
            # A text alone does not say whose turn is whose.
            return "\n\n".join(f"{m.role.capitalize()}: {m.content}" for m in request.messages)
        return "\n\n".join(message.content for message in request.messages)


def _is_of_another_loop(error: BaseException | None) -> bool:
    """Whether `error`, or what caused it, is asyncio's word on connections that belong to another loop."""
    while error is not None:
        if isinstance(error, RuntimeError) and (
            "different loop" in (text := str(error)) or "loop is closed" in text
        ):
            return True
        error = error.__cause__ or error.__context__
    return False


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # some functions written in C have no signature
        return []


def _takes_messages(parameter: inspect.Parameter) -> bool:
    if parameter.name == "messages":
        return True
    annotation = parameter.annotation
    text = annotation if isinstance(annotation, str) else str(annotation)
    return annotation is not parameter.empty and any(name in text.lower() for name in ("list", "sequence"))
