"""The least that a client can do: sockets, requests made beforehand, replies searched for one word.

What it reaches is what the server and this machine's sockets allow; no HTTP client can be faster.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.clients import Prepare, Scoring, body
from benchmarks.questions import Question

_YES = b'"content": "Yes"'


class _PrefixGroup(asyncio.Protocol):
    """One connection, which takes the next request from `waiting` as soon as it has its reply."""

    def __init__(self, waiting: Iterator[tuple[bytes, bool]], done: asyncio.Future[int]) -> None:
        self._waiting = waiting
        self._done = done
        self._hits = 0
        self._expected = False
        self._data = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._data += data
        if self._data.endswith(b"}}"):  # the last of the usage, and of the reply
            self._hits += (_YES in self._data) == self._expected
            self._data = b""
            self._next()

    def _next(self) -> None:
        request, self._expected = next(self._waiting, (b"", False))
        if self._transport is None:
            return
        if request:
            self._transport.write(request)
        else:
            self._transport.close()
            self._done.set_result(self._hits)


@contextmanager
def raw(url: str, concurrency: int, scratch: Path) -> Iterator[Prepare]:
    """As many connections as the concurrency, one request at a time on each."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 80

    def prepare(asked: Sequence[Question]) -> Scoring:
        requests = [(_request(item, parts.netloc), item.expected == "yes") for item in asked]

        async def score() -> float:
            loop = asyncio.get_running_loop()
            waiting = iter(requests)
            ends: list[asyncio.Future[int]] = [loop.create_future() for _ in range(concurrency)]
            for end in ends:
                await loop.create_connection(partial(_PrefixGroup, waiting, end), host, port)
            return sum(await asyncio.gather(*ends)) / len(asked)

        return lambda: asyncio.run(score())

    yield prepare


def _request(item: Question, host: str) -> bytes:
    data = json.dumps(body(item)).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(data)}\r\n\r\n"
    return head.encode() + data
