"""A loopback server that answers every chat completion after a fixed delay, as lean as Python allows.

It speaks just enough HTTP/1.1 for well-behaved clients (keep-alive, Content-Length) and looks at no request while a
measurement runs: what was asked is counted afterwards, from the bodies that it kept.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
from collections import Counter, deque
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

ANSWER = "Yes"
_COMPLETION: dict[str, Any] = {
    "id": "chatcmpl-0",
    "object": "chat.completion",
    "created": 1_700_000_000,
    "model": "benchmark",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": ANSWER},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 90, "completion_tokens": 1, "total_tokens": 91},
}


def _response(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


_REPLY = _response(json.dumps(_COMPLETION).encode())


def completion(*texts: str) -> bytes:
    """A whole response with one choice a text."""
    (choice,) = _COMPLETION["choices"]
    choices = [
        {**choice, "index": index, "message": {"role": "assistant", "content": text}}
        for index, text in enumerate(texts)
    ]
    return _response(json.dumps({**_COMPLETION, "choices": choices}).encode())


@dataclass
class Counts:
    """What arrived since the last reset. `bodies` are the requests' bodies as they came."""

    peak: int = 0
    in_flight: int = 0
    connections: int = 0
    bodies: list[bytes] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """`calls` that arrived, how many of them were `distinct`, the most at once, and a digest of what was asked:
        equal for two clients that asked the same questions under the same token limit, in whatever order."""
        asked = Counter(_asked(body) for body in self.bodies)
        hasher = blake2b(digest_size=8)
        for item in sorted(asked.elements()):
            hasher.update(item)
        return {
            "calls": len(self.bodies),
            "distinct": len(asked),
            "peak": self.peak,
            "in_flight": self.in_flight,
            "connections": self.connections,
            "digest": hasher.hexdigest(),
        }


def _asked(body: bytes) -> bytes:
    request = json.loads(body)
    turns = [[turn["role"], turn["content"]] for turn in request["messages"]]
    limit = request.get("max_tokens") or request.get("max_completion_tokens")
    temperature = float(request.get("temperature", 1))
    text = json.dumps([turns, limit, temperature, request.get("stream", False)])
    return blake2b(text.encode(), digest_size=16).digest()


class Delayed:
    """Answers each call `delay` seconds after it came. One timer serves all: with one delay for all, the first to come
    is the first to be answered."""

    def __init__(self, delay: float) -> None:
        self.delay = delay
        self.counts = Counts()
        self._loop = asyncio.get_running_loop()
        self._due: deque[tuple[float, Connection]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def arrived(self, connection: Connection, body: bytes) -> None:
        """A call came in."""
        counts = self.counts
        counts.bodies.append(body)
        counts.in_flight += 1
        counts.peak = max(counts.peak, counts.in_flight)
        if not self.delay:
            self._answer(connection)
            return
        self._due.append((self._loop.time() + self.delay, connection))
        if self._timer is None:
            self._timer = self._loop.call_at(self._due[0][0], self._tick)

    def reset(self) -> None:
        """Forget what arrived; calls under way stay counted as in flight."""
        connections = self.counts.connections
        self.counts = Counts(in_flight=self.counts.in_flight, connections=connections)

    def _tick(self) -> None:
        now = self._loop.time()
        due = self._due
        while due and due[0][0] <= now:
            self._answer(due.popleft()[1])
        # Not the instant of each call: one wake-up for what falls within a fifth of a millisecond.
        self._timer = self._loop.call_at(max(due[0][0], now + 0.0002), self._tick) if due else None

    def _answer(self, connection: Connection) -> None:
        self.counts.in_flight -= 1
        connection.send(_REPLY)


class Connection(asyncio.Protocol):
    """One connection of a client; requests on it come one after another."""

    def __init__(self, calls: Delayed) -> None:
        self._calls = calls
        self._data = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._calls.counts.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._calls.counts.connections -= 1

    def send(self, data: bytes) -> None:
        """Write `data`, unless the client is gone."""
        if self._transport is not None:
            self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        self._data = data = self._data + data if self._data else data
        while (end := data.find(b"\r\n\r\n")) >= 0:
            head = data[:end]
            size = _content_length(head)
            if len(data) < end + 4 + size:
                return
            body = data[end + 4 : end + 4 + size]
            self._data = data = data[end + 4 + size :]
            if head.startswith(b"POST /v1/chat/completions"):
                self._calls.arrived(self, body)
            else:
                self._control(head)

    def _control(self, head: bytes) -> None:
        path = head.split(b" ", 2)[1]
        if path == b"/reset":
            self._calls.reset()
        summary = self._calls.counts.summary() if path == b"/counts" else {}
        self.send(_response(json.dumps(summary).encode()))


def _content_length(head: bytes) -> int:
    at = head.lower().find(b"\r\ncontent-length:")
    if at < 0:
        return 0
    return int(head[at + 17 :].split(b"\r\n", 1)[0])


async def serve(port: int, delay: float) -> None:
    """Serve until killed; the first line on stdout is the base URL, with /v1."""
    calls = Delayed(delay)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(calls), "127.0.0.1", port, backlog=4096)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1\n")
    sys.stdout.flush()
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.server", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0.05, help="seconds a call")
    options = parser.parse_args()
    gc.disable()  # nothing here makes cycles, and a collection would be seen as slowness of the client
    asyncio.run(serve(options.port, options.delay))


if __name__ == "__main__":
    main()
