"""The model as a program sees it: a function of a text, or of messages, that gives the reply as text.

Every call is a `Request` to the run's model, whose layers see to journal, store, budget, limits and retries. A program
may deal with an error where its call alone is at fault; what ends the run ends the program.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import threading
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, cast, get_args

from gpo.errors import ConfigError, GPOError, PermanentModelError
from gpo.evaluation.outcome import Cut, TracedCall
from gpo.evaluation.rounds import ScorerSettings
from gpo.model.model import Message, Model, Reply, Request, Role

LONGEST = 1_200
"""Characters of a request and of a reply that a trace keeps."""
MOST_TRACED = 12
"""Calls of a run that a trace keeps: the first ones."""


class ProgramStopped(asyncio.CancelledError):
    """Ends a program, whatever errors it catches: the run is ending, or the program's own run is over."""


@dataclass(slots=True)
class _Asked:
    request: Request
    reply: Reply | None = None


class ProgramModel:
    """`model` for one run of a program on one row; `prompts` are its prompts, to tell which of them a call holds.

    In the run's event loop a call gives a coroutine, in another loop one that waits for the first, and in a thread
    without a loop the reply itself.
    """

    def __init__(
        self, model: Model, settings: ScorerSettings, prompts: Mapping[str, str], *, chat: bool
    ) -> None:
        self._model, self._settings, self._prompts, self._chat = model, settings, prompts, chat
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._asked: list[_Asked] = []
        self._repeats: Counter[Request] = Counter()
        self._given: list[Coroutine[Any, Any, str]] = []
        self._waiting: set[Future[str]] = set()
        self._under_way, self._idle = 0, asyncio.Event()
        self._idle.set()
        self._closed = False
        self.ended_by: BaseException | None = None
        """What ends the whole run, where a call met it."""

    def __call__(
        self,
        text_or_messages: str | Sequence[Mapping[str, str] | Message],
        *,
        temperature: float | None = None,
        max_tokens: int | None = None,
        stop: str | Sequence[str] = (),
        seed: int | None = None,
        response_format: Mapping[str, Any] | str | None = None,
    ) -> Any:
        """The reply to a text (one user turn) or to messages with role and content, as text; to be awaited in async
        code. What is left out is as `models.task` says. Raises `ConfigError` for what is no text and no messages, and
        `PermanentModelError` where this call alone cannot be answered."""
        request = self._request(text_or_messages, temperature, max_tokens, stop, seed, response_format)
        with self._lock:
            asked = _Asked(self._apart(request, sampled=seed is None))
            self._asked.append(asked)
        try:
            running: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            running = None
        if running is self._loop:
            return self._remember(self._ask(asked))
        with self._lock:
            if self._closed:
                raise ProgramStopped
            future = asyncio.run_coroutine_threadsafe(self._ask(asked), self._loop)
            self._waiting.add(future)
        return self._wait(future) if running is None else self._remember(_wrap(future))

    def close(self) -> None:
        """The run of the program is over: what still asks is let go."""
        with self._lock:
            self._closed = True
            waiting, self._waiting = self._waiting, set()
        for future in waiting:
            future.cancel()
        for coroutine in self._given:
            if inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
                coroutine.close()

    async def settle(self) -> None:
        """Wait for calls that the program left behind: which of them are over must decide nothing."""
        await self._idle.wait()

    @property
    def misuse(self) -> str:
        """What is wrong with how the program called the model, "" for nothing. To be read before `close`."""
        idle = sum(inspect.getcoroutinestate(one) == inspect.CORO_CREATED for one in self._given)
        if idle:
            return f"called model(…) without await, {idle} time{'s' * (idle != 1)}; write await model(…)"
        return ""

    @property
    def made_calls(self) -> bool:
        """Whether anything was asked."""
        return bool(self._asked)

    @property
    def calls(self) -> tuple[str, ...]:
        """The journal keys of the answered calls, in the order of asking, each once."""
        keys = (asked.reply.call for asked in self._asked if asked.reply is not None)
        return tuple(dict.fromkeys(key for key in keys if key))

    @property
    def cut(self) -> Cut | None:
        """The last reply that ended at its length."""
        cut = [asked.reply for asked in self._asked if asked.reply is not None and any(asked.reply.cut)]
        return Cut(1, cut[-1].text) if cut else None

    @property
    def trace(self) -> tuple[TracedCall, ...]:
        """The first calls, for a reader."""
        return tuple(
            TracedCall(self._parts_in(text), text[:LONGEST], asked.reply.text[:LONGEST])
            for asked in self._asked[:MOST_TRACED]
            if asked.reply is not None
            for text in [_whole(asked.request)]
        )

    async def _ask(self, asked: _Asked) -> str:
        if self._closed or self.ended_by is not None:
            raise ProgramStopped
        self._under_way += 1
        self._idle.clear()
        try:
            asked.reply = await self._model.complete(asked.request)
        except PermanentModelError as error:
            if error.scope == "call":
                raise
            self.ended_by = error
            raise ProgramStopped from error
        except GPOError as error:
            self.ended_by = error
            raise ProgramStopped from error
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()
        return asked.reply.text

    def _wait(self, future: Future[str]) -> str:
        try:
            return future.result()
        except BaseException:
            if self._closed or self.ended_by is not None:
                raise ProgramStopped from None
            raise
        finally:
            self._waiting.discard(future)

    def _remember(self, coroutine: Coroutine[Any, Any, str]) -> Coroutine[Any, Any, str]:
        self._given.append(coroutine)
        return coroutine

    def _request(
        self,
        given: str | Sequence[Mapping[str, str] | Message],
        temperature: float | None,
        max_tokens: int | None,
        stop: str | Sequence[str],
        seed: int | None,
        response_format: Mapping[str, Any] | str | None,
    ) -> Request:
        settings = self._settings
        heat = settings.temperature if temperature is None else float(temperature)
        form = json.dumps(response_format) if isinstance(response_format, Mapping) else response_format
        text, messages = (None, read_messages(given)) if self._chat else (_plain_text(given), ())
        return Request(
            prompt=text,
            messages=messages,
            temperature=heat,
            max_tokens=settings.max_tokens if max_tokens is None else int(max_tokens),
            stop=(stop,) if isinstance(stop, str) else tuple(stop),
            seed=(settings.seed if seed is None else int(seed)) if heat > 0 else None,
            response_format=form or "",
            purpose="program",
            prefix_group=f"program {messages[0].content if messages else text}",
        )

    def _apart(self, request: Request, *, sampled: bool) -> Request:
        """A sampled request that this run has made before is another sample of it, with a seed of its own."""
        if request.temperature == 0 or not sampled:
            return request
        number = self._repeats[request]
        self._repeats[request] += 1
        return replace(request, sample=number, seed=(request.seed or 0) + number) if number else request

    def _parts_in(self, text: str) -> tuple[str, ...]:
        return tuple(name for name, words in self._prompts.items() if words.strip() and words.strip() in text)


async def _wrap(future: Future[str]) -> str:
    return await asyncio.wrap_future(future)


def read_messages(given: object) -> tuple[Message, ...]:
    """The turns of a text, or of messages. Raises `ConfigError`."""
    if isinstance(given, str):
        return (Message("user", given),)
    if inspect.iscoroutine(given):
        given.close()
        raise ConfigError("a program gave model(…) the coroutine of another call; await that first")
    if not isinstance(given, Sequence) or not given:
        raise ConfigError(
            f"a program gave model(…) {type(given).__name__}; give a text, or a list of messages"
        )
    return tuple(_message(turn) for turn in given)


def _message(turn: object) -> Message:
    if isinstance(turn, Message):
        return turn
    if (
        isinstance(turn, Mapping)
        and isinstance(turn.get("content"), str)
        and turn.get("role") in get_args(Role)
    ):
        return Message(cast(Role, turn["role"]), turn["content"])
    raise ConfigError(
        "a program gave model(…) a message that is none; each is {'role': 'user', 'content': TEXT}, the role one of "
        f"{', '.join(get_args(Role))}"
    )


def _plain_text(given: object) -> str:
    if isinstance(given, str):
        return given
    raise ConfigError(
        "a program gave model(…) messages, and models.task is a base model (chat: false): give a text"
    )


def _whole(request: Request) -> str:
    if request.prompt is not None:
        return request.prompt
    if len(request.messages) == 1:
        return request.messages[0].content
    return "\n\n".join(f"{turn.role}: {turn.content}" for turn in request.messages)
