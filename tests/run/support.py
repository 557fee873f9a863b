"""Shared by the tests of `gpo.run`: a model that counts, and running as a user whom permissions bind."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from gpo.model.model import Message, Reply, Request, Usage


def ask(text: str, *, temperature: float = 0.0, seed: int | None = None) -> Request:
    messages = (Message("user", text),)
    return Request(messages=messages, temperature=temperature, seed=seed, purpose="score")


class CountingModel:
    """Answers with a pure function of the request, after a while, and counts what it was sent."""

    identity = "loopback/counting"

    def __init__(self, delay: float = 0.0, error: Exception | None = None) -> None:
        self.sent: Counter[str] = Counter()
        self.cancelled = 0
        self.closed = False
        self._delay = delay
        self._error = error

    async def complete(self, request: Request) -> Reply:
        text = request.messages[-1].content
        self.sent[text] += 1
        try:
            await asyncio.sleep(self._delay)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self._error is not None:
            raise self._error
        usage = Usage(prompt_tokens=len(text), completion_tokens=3, cached_tokens=1)
        return Reply(texts=(f"re: {text}",), finish_reasons=("stop",), usage=usage, seconds=self._delay)

    async def aclose(self) -> None:
        self.closed = True


@contextmanager
def unprivileged() -> Iterator[None]:
    """Permissions do not bind root: be nobody for a while."""
    if sys.platform == "win32" or os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
