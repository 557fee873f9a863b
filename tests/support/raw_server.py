"""A server on loopback that sends what a test tells it to, byte for byte: no HTTP of anybody's is in the way."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

Step = bytes | float | Literal["close", "abort"]
"""Bytes are sent, for so many seconds nothing happens, the connection is closed, or broken off."""

Script = Callable[[int], Iterable[Step]]
"""What happens after the request of a number (from 0), which was read to its end."""


@dataclass
class RawServer:
    """What was seen: `connections` so far, `requests` as they came (head and body), and connections still `open`."""

    port: int = 0
    connections: int = 0
    requests: list[tuple[bytes, bytes]] = field(default_factory=list)
    open: int = 0

    def base_url(self, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}/v1"


@asynccontextmanager
async def raw_server(
    script: Script, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[RawServer]:
    """Serve `script` on a free port of `host`."""
    seen = RawServer()
    tasks: dict[asyncio.Task[Any], asyncio.StreamWriter] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks[task] = writer
        seen.connections += 1
        seen.open += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"(?i)content-length: (\d+)", head)
                body = await reader.readexactly(int(length[1]) if length else 0)
                seen.requests.append((head, body))
                await _play(script(len(seen.requests) - 1), reader, writer)
        except (OSError, asyncio.IncompleteReadError, _EndError, asyncio.CancelledError):
            pass
        finally:
            seen.open -= 1
            writer.close()

    server = await asyncio.start_server(serve, host, 0, ssl=tls)
    seen.port = server.sockets[0].getsockname()[1]
    try:
        yield seen
    finally:
        server.close()
        for task, writer in tasks.items():
            task.cancel()
            writer.transport.abort()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)


class _EndError(Exception):
    """The script has closed the connection."""


async def _play(steps: Iterable[Step], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for step in steps:
        if step == "abort":
            writer.transport.abort()
        if isinstance(step, str):
            raise _EndError
        if isinstance(step, bytes):
            writer.write(step)
            await writer.drain()
        else:
            await _wait(step, reader)


async def _wait(seconds: float, reader: asyncio.StreamReader) -> None:
    """Sleep, but no longer than the client is there."""
    try:
        async with asyncio.timeout(seconds):
            await until(reader.at_eof)
            raise _EndError
    except TimeoutError:
        pass


def completion(text: str = "hi") -> bytes:
    """The body of a chat completion."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return json.dumps({"choices": [choice]}).encode()


def answer(text: str = "hi", *headers: str, version: str = "1.1", length: int | None = None) -> bytes:
    """A whole good HTTP reply; `length` is what it says of its body, where that is no truth."""
    body = completion(text)
    told = len(body) if length is None else length
    lines = [f"HTTP/{version} 200 OK", "Content-Type: application/json", f"Content-Length: {told}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def chunked(body: bytes, size: int) -> bytes:
    """`body` in chunks of `size` bytes."""
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


async def until(condition: Callable[[], bool]) -> None:
    """Wait until it holds, ten seconds at most."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what it looks at is set by the loop's own callbacks
            await asyncio.sleep(0.005)
