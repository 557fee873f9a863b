"""Counting what a search asks for, and stopping it where its next calls would pass a cap.

Every distinct call counts once, whether a model, a store or a journal answers it: so neither the order in which calls
finish nor what others asked before nor an interruption changes where a search ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from gpo.errors import ConfigError
from gpo.model.model import Request
from gpo.run.layers.journaled import JournaledModel
from gpo.task.task import Opening

Pair = tuple[str, str, str]
"""Prompt, split and example."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """The most that one search may ask for, both models together; None is no cap. The held-out test is not counted:
    it is the same for every method."""

    max_calls: int | None = None
    max_tokens: int | None = None

    def __bool__(self) -> bool:
        return self.max_calls is not None or self.max_tokens is not None


class UsedUp(Exception):
    """What the open step asks for next does not fit; the step is to be dropped."""


class Meter:
    """Counts for one search under `cap`, whose calls `task`, `optimizer` and `judge` tally.

    A step fits where all calls and tokens through its end do: sums, which do not depend on the order of their parts.
    What cannot fit is not paid for: calls are counted before they are made, tokens at one a word of what is asked.
    """

    def __init__(
        self, cap: Cap, task: JournaledModel, optimizer: JournaledModel, judge: JournaledModel | None = None
    ) -> None:
        self.calls = 0
        self._cap = cap
        self._models = {"task": task, "optimizer": optimizer, **({"judge": judge} if judge else {})}
        self._asked: set[Pair] = set()
        self._requests: set[str] = set()
        self._stopped = False
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._before, self._words = 0, 0
        """Tokens before the open step, and words that were asked in it: a word is a token at least."""

    @property
    def counts_tokens(self) -> bool:
        """Whether tokens are capped."""
        return self._cap.max_tokens is not None

    @property
    def tokens(self) -> int:
        """Prompt and completion tokens of all models so far, those of stored answers included."""
        return sum(_tokens(model) for model in self._models.values())

    def step_started(self) -> None:
        """Nothing is under way, and what was asked for belongs to finished steps. Raises `ConfigError` where tokens are
        capped and a server does not tell them."""
        if self.counts_tokens:
            for role, model in self._models.items():
                if model.tally.calls + model.tally.cached and not _tokens(model):
                    raise ConfigError(
                        f"budget.max_tokens: the server of models.{role} tells no token counts, so an equal budget of "
                        "tokens cannot be kept; cap calls with budget.max_calls"
                    )
        self._before, self._words = self.tokens, 0

    @asynccontextmanager
    async def scoring(self, pairs: Mapping[Pair, int], rounds: int) -> AsyncIterator[None]:
        """Around pairs, with the words of each, that are scored in one go with `rounds` calls each; a pair that was
        asked for before is not counted again.

        Raises `UsedUp` before any of it is asked where it does not fit, and after it where the tokens did not. Either
        way nothing is under way any more by then, so that no call is cut that is paid for.
        """
        fresh = pairs.keys() - self._asked
        await self._enter(len(fresh) * rounds, words=rounds * sum(pairs[pair] for pair in fresh))
        self._asked |= fresh
        try:
            yield
        finally:
            self._leave()
        await self._check()

    @asynccontextmanager
    async def writing(self, request: Request, key: str) -> AsyncIterator[None]:
        """The same around a call of the optimizer."""
        fresh = key not in self._requests
        await self._enter(int(fresh), words=count_words(request.messages) * fresh)
        self._requests.add(key)
        try:
            yield
        finally:
            self._leave()
        await self._check()

    async def _enter(self, calls: int, *, words: int) -> None:
        cap = self._cap
        if cap.max_calls is not None and self.calls + calls > cap.max_calls:
            self._stopped = True
        # Not with the tokens so far of the open step: these depend on which of its calls are back.
        if cap.max_tokens is not None and self._before + self._words + words > cap.max_tokens:
            self._stopped = True
        await self._check()
        self.calls += calls
        self._words += words
        self._under_way += 1
        self._idle.clear()

    def _leave(self) -> None:
        self._under_way -= 1
        if not self._under_way:
            self._idle.set()

    async def _check(self) -> None:
        if self._cap.max_tokens is not None and self.tokens > self._cap.max_tokens:
            self._stopped = True
        if self._stopped:
            await self._idle.wait()
            raise UsedUp


def count_words(asked: Opening) -> int:
    """Of a chat or a text."""
    texts = [asked] if isinstance(asked, str) else [message.content for message in asked]
    return sum(len(text.split()) for text in texts)


def _tokens(model: JournaledModel) -> int:
    tally = model.tally
    return (
        tally.prompt_tokens
        + tally.completion_tokens
        + tally.saved_prompt_tokens
        + tally.saved_completion_tokens
    )
