"""What holds whichever HTTP client is installed: no call is sent twice unasked, and none goes where nobody sent it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from gpo.errors import ModelError, PermanentModelError, TransientModelError
from gpo.model.model import Message, Request
from gpo.model.openai.additions import Additions
from gpo.model.openai.client import OpenAIClient
from gpo.model.openai.errors import UnreachableError
from gpo.model.openai.fast_connection import VARIABLE

pytestmark = pytest.mark.usefixtures("http_client")

BODY = b'{"choices": [{"message": {"content": "hello"}, "finish_reason": "stop"}]}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
ASK = Request(messages=(Message("user", "hello"),))


class Script:
    """A server that reads whole calls and does with each what comes next in `answers`: bytes are sent, None drops the
    connection, "hang" keeps silent. `calls` counts them."""

    def __init__(self, *answers: bytes | str | None) -> None:
        self.answers = list(answers)
        self.calls = 0
        self.took, self.ended = asyncio.Event(), asyncio.Event()
        self.head = b""
        self._open: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.head = head
                size = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                await reader.readexactly(size)
                self.calls += 1
                self.took.set()
                answer = self.answers.pop(0)
                if answer is None:
                    break
                if isinstance(answer, str):
                    await reader.read()
                    break
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        self.ended.set()
        writer.close()

    async def close(self) -> None:
        """Close the connections that the client left open."""
        for writer in self._open:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


@asynccontextmanager
async def asked(script: Script) -> AsyncIterator[OpenAIClient]:
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        client = OpenAIClient(base_url=f"http://127.0.0.1:{port}/v1", model="m", timeout=5)
        yield client
        await client.aclose()
        await script.close()


@pytest.mark.parametrize("answered_before", [0, 1])
async def test_a_call_that_the_server_took_and_dropped_is_not_sent_again(answered_before: int) -> None:
    script = Script(*[ANSWER] * answered_before, None, ANSWER)
    async with asked(script) as client:
        for _ in range(answered_before):
            assert (await client.complete(ASK)).text == "hello"
        with pytest.raises(TransientModelError) as caught:
            await client.complete(ASK)
        assert not isinstance(caught.value, UnreachableError)
        # It may have been paid for: a budget counts it.
        assert not caught.value.unsent
        assert script.calls == answered_before + 1


async def test_who_gives_up_closes_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "aiohttp")  # pyreqwest lets the server go on: docs/installation.md says so
    script = Script("hang")
    async with asked(script) as client:
        task = asyncio.create_task(client.complete(ASK))
        await script.took.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(5):
            await script.ended.wait()


async def test_a_redirect_is_not_followed_and_no_cookie_is_kept() -> None:
    other = Script(ANSWER)
    server = await asyncio.start_server(other.serve, "127.0.0.1", 0)
    async with server:
        to = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/chat/completions".encode()
        found = b"HTTP/1.1 307 Moved\r\nLocation: " + to + b"\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"
        script = Script(found, ANSWER)
        async with asked(script) as client:
            with pytest.raises(PermanentModelError, match="HTTP 307"):
                await client.complete(ASK)
            assert (await client.complete(ASK)).text == "hello"
            assert b"cookie" not in script.head.lower()
        assert other.calls == 0


@pytest.mark.parametrize(
    "headers", [{"X-A": "hunter2\nX-B: 1"}, {"hunter2 name": "1"}, {"X-A": "\x00hunter2"}]
)
async def test_a_header_that_cannot_be_sent_is_one_line_without_its_value(headers: dict[str, str]) -> None:
    script = Script(*[b"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n"] * 9)
    async with asked(script) as client:
        added = Additions(headers=headers, secrets=tuple(headers.values()))
        client = OpenAIClient(base_url=client._base, model="m", added=added, timeout=5)
        with pytest.raises(ModelError) as caught:
            await client.complete(ASK)
        assert "hunter2" not in "".join(traceback.format_exception(caught.value))
        await client.aclose()


async def test_an_endless_header_and_an_endless_body_end() -> None:
    for answer in (
        b"HTTP/1.1 200 OK\r\n" + b"X-A: " + b"a" * 2**20 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 5\r\n\r\nhello",
    ):
        async with asked(Script(answer)) as client:
            with pytest.raises(TransientModelError):
                await client.complete(ASK)


_FORKED = """
import asyncio, os, sys
from gpo.model.model import Message, Request
from gpo.model.openai.client import OpenAIClient

async def ask():
    client = OpenAIClient(base_url=sys.argv[1], model="m", timeout=5)
    text = (await client.complete(Request(messages=(Message("user", "hello"),)))).text
    await client.aclose()
    return text

assert asyncio.run(ask()) == "hello"
if child := os.fork():
    sys.exit(os.waitpid(child, 0)[1])
assert asyncio.run(ask()) == "hello"
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
async def test_a_forked_process_can_call_too() -> None:
    script = Script(ANSWER, ANSWER)
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        done = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-c", _FORKED, url], capture_output=True, text=True, timeout=60
        )
        await script.close()
    assert done.returncode == 0, done.stderr
    assert script.calls == 2
