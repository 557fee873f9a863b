"""What one endpoint takes, found out while it is used: a parameter that it refuses is left out after one trial.

A way to send is handed in. A trial is a call like any other: one that is answered is the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from gpo.model.model import Message, Request
from gpo.model.openai.refusals import is_about_all, is_about_input, is_rate, refused_parameter, said, wait_in

_ROUNDS = 8
_REFUSALS = (400, 422)
# Where the words name a parameter or the system turn, these are refusals too.
_MAYBE = (404, 405, 500, 501)
_ORDER = ("response_format", "n", "seed", "temperature", "max_tokens", "stop", "system")
"""In this order parameters are suspected that no words name."""


class Response(NamedTuple):
    """What came back: its status, its headers and its body, unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Ask = Callable[[Request, frozenset[str]], Awaitable[Response]]
"""Sends a request without some parameters."""


@dataclass(frozen=True, slots=True)
class TrialResponse:
    """The last response, what it was sent without, whether the refusal that it may be is of this call's own making, and
    whether a call was answered on the way that nobody gets."""

    response: Response
    lacking: frozenset[str]
    own_fault: bool = False
    charged: bool = False


class Trials:
    """What an endpoint turned out to take. `lacking` are the parameters that it does not: "max_tokens" goes as
    `max_completion_tokens`, in place of "n" completions one is asked for, a "system" turn goes before the user's."""

    def __init__(self) -> None:
        self.lacking: frozenset[str] = frozenset()
        self._answered: set[tuple[object, ...]] = set()
        self._hopeless: set[tuple[object, ...]] = set()
        self._locks: dict[asyncio.AbstractEventLoop, asyncio.Lock] = {}

    def answered(self, request: Request, lacking: frozenset[str]) -> None:
        """A call like `request` was answered."""
        self._answered.add(_shape(request, lacking))

    def has_answered(self) -> bool:
        """Whether any call was answered."""
        return bool(self._answered)

    def concerns(self, response: Response) -> bool:
        """Whether a refusal may be about a parameter."""
        return response.status in _REFUSALS or response.status in _MAYBE or response.status == 403

    async def settle(
        self, request: Request, lacking: frozenset[str], response: Response, ask: Ask
    ) -> TrialResponse:
        """Find out what a refusal of `request`, sent without `lacking`, is about. One call at a time: the others take
        over what it found."""
        async with self._lock():
            if lacking != self.lacking:
                lacking = self.lacking
                response = await ask(request, lacking)
            lacking, response = await self._named(request, lacking, response, ask)
            if response.status == 200:
                return TrialResponse(response, lacking)
            shape = _shape(request, lacking)
            if shape in self._answered:
                return TrialResponse(response, lacking, own_fault=response.status in (*_REFUSALS, 403))
            words = said(response.body)
            known = is_about_input(words) or is_about_all(words) or shape in self._hopeless
            if (
                response.status not in _REFUSALS
                or known
                or is_rate(response.status, words, wait_in(response.body))
            ):
                return TrialResponse(response, lacking)
            lacking, response = await self._unnamed(request, lacking, response, ask)
            if response.status not in _REFUSALS:
                return TrialResponse(response, lacking)
            # Nobody was answered yet: whether it is this text or any, a harmless one tells.
            other = _harmless(request)
            if (await ask(other, lacking)).status == 200:
                self._answered |= {_shape(other, lacking), shape}
                return TrialResponse(response, lacking, own_fault=True, charged=True)
            self._hopeless.add(shape)
            return TrialResponse(response, lacking)

    async def _named(
        self, request: Request, lacking: frozenset[str], response: Response, ask: Ask
    ) -> tuple[frozenset[str], Response]:
        for _ in range(_ROUNDS):
            if response.status not in (*_REFUSALS, *_MAYBE):
                break
            name = refused_parameter(response.body, sent(request, lacking))
            if name is None:
                break
            trial = await ask(request, lacking | {name})
            # A trial that met another trouble, or the same one, shows nothing about the parameter.
            if trial.status not in (200, *_REFUSALS, *_MAYBE):
                return lacking, trial
            same = trial.status != 200 and refused_parameter(trial.body, {name}) == name
            if same or said(trial.body) == said(response.body):
                return lacking, response
            lacking, response = lacking | {name}, trial
            self.lacking = lacking
        return lacking, response

    async def _unnamed(
        self, request: Request, lacking: frozenset[str], response: Response, ask: Ask
    ) -> tuple[frozenset[str], Response]:
        suspects = [name for name in _ORDER if name in sent(request, lacking)]
        groups = [{name} for name in suspects] + ([set(suspects)] if len(suspects) > 1 else [])
        for group in groups:
            trial = await ask(request, lacking | group)
            if trial.status not in _REFUSALS:
                if trial.status == 200:
                    lacking |= group
                    self.lacking = lacking
                return lacking, trial
        return lacking, response

    def _lock(self) -> asyncio.Lock:
        loop = asyncio.get_running_loop()
        if loop not in self._locks:
            self._locks = {loop: asyncio.Lock()}
        return self._locks[loop]


def sent(request: Request, lacking: frozenset[str] = frozenset()) -> frozenset[str]:
    """The parameters of `request` that an endpoint may not take, without those that it is known to lack."""
    found = {"temperature", "max_tokens"}
    if request.n > 1:
        found.add("n")
    if request.seed is not None:
        found.add("seed")
    if request.stop:
        found.add("stop")
    if request.response_format:
        found.add("response_format")
    if any(message.role == "system" for message in request.messages):
        found.add("system")
    return frozenset(found) - lacking


def folded(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """The chat without a system turn: what it said stands at the beginning of the first user turn."""
    said_before = "\n\n".join(message.content for message in messages if message.role == "system")
    others = [message for message in messages if message.role != "system"]
    for index, message in enumerate(others):
        if message.role == "user":
            others[index] = Message("user", f"{said_before}\n\n{message.content}")
            return tuple(others)
    return (Message("user", said_before), *others)


def _shape(request: Request, lacking: frozenset[str]) -> tuple[object, ...]:
    """Equal for calls that differ in nothing but their texts and the value of the seed."""
    return (
        tuple([message.role for message in request.messages]),
        None if "temperature" in lacking else request.temperature,
        request.max_tokens,
        1 if "n" in lacking else request.n,
        request.seed is None or "seed" in lacking,
        request.stop,
        bool(request.response_format) and "response_format" not in lacking,
        lacking,
    )


def _harmless(request: Request) -> Request:
    text = "Reply with the word OK."
    if request.prompt is not None:
        return replace(request, prompt=text)
    turns = tuple(replace(message, content=text) for message in request.messages)
    return replace(request, messages=turns)
