"""Calls to servers that are hostile, broken or merely old, over the connections of our own and over aiohttp."""

from __future__ import annotations

import asyncio
import itertools
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gpo.errors import ModelError, PermanentModelError, TransientModelError
from gpo.model.http import pool
from gpo.model.model import Message, Request
from gpo.model.openai.additions import Additions
from gpo.model.openai.client import OpenAIClient
from gpo.model.openai.connection import request_head
from gpo.model.openai.errors import UnreachableError
from tests.support.raw_server import RawServer, Step, answer, chunked, completion, raw_server, until
from tests.support.server import ModelServer
from tests.support.tls import certificate, server_context

ASK = Request(messages=(Message("user", "hello"),))
KEY = "sk-secret-0123456789"
CLIENTS = {"own": Additions(), "aiohttp": Additions(headers={"Connection": "keep-alive"})}
"""A header that changes how a request is sent is aiohttp's."""


@asynccontextmanager
async def client(base_url: str, kind: str = "own", **changes: Any) -> AsyncIterator[OpenAIClient]:
    made = OpenAIClient(
        base_url=base_url, model="m", api_key=KEY, added=CLIENTS[kind], **{"timeout": 5.0, **changes}
    )
    try:
        yield made
    finally:
        await made.aclose()


async def text_of(wire: OpenAIClient) -> str:
    return (await wire.complete(ASK)).text


async def failure(wire: OpenAIClient) -> Any:
    with pytest.raises(ModelError) as caught:
        await wire.complete(ASK)
    line = str(caught.value)
    assert line.isprintable()
    assert KEY not in line
    return caught.value


def agent(server: RawServer, number: int = -1) -> str:
    head = server.requests[number][0].decode()
    return next(line for line in head.split("\r\n") if line.lower().startswith("user-agent"))


@pytest.fixture(params=CLIENTS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_each_way_is_the_one_that_it_is_taken_for(kind: str) -> None:
    async with raw_server(lambda number: [answer()]) as server, client(server.base_url(), kind) as wire:
        assert await text_of(wire) == "hi"
        assert ("aiohttp" in agent(server)) == (kind == "aiohttp")


def good() -> dict[str, list[Step]]:
    body = completion()
    whole = answer()
    head = b"HTTP/1.1 200 OK\r\n"
    return {
        "byte by byte": [whole[at : at + 1] for at in range(len(whole))],
        "chunked": [head + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(body, 7)],
        "chunks with extensions and trailers": [
            head
            + b"Transfer-Encoding: chunked\r\n\r\n"
            + b"%x;a=b\r\n%b\r\n0\r\nX-After: 1\r\n\r\n" % (len(body), body)
        ],
        "until the end": [head + b"\r\n" + body, "close"],
        "the old protocol": [b"HTTP/1.0 200 OK\r\n\r\n" + body, "close"],
        "the old protocol, kept": [answer("hi", "Connection: keep-alive", version="1.0")],
        "continue first": [b"HTTP/1.1 100 Continue\r\n\r\n", whole],
        "hints first": [b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + whole],
        "no reason": [whole.replace(b"200 OK", b"200 ")],
        "line feeds": [whole[: -len(body)].replace(b"\r\n", b"\n") + body],
        "spaces behind a size": [
            head + b"Transfer-Encoding: chunked\r\n\r\n" + b"%x  \r\n%b\r\n0\r\n\r\n" % (len(body), body)
        ],
        "a latin letter in a header": [answer("hi", "X-City: K\u00f6ln").decode().encode("latin-1")],
    }


@pytest.mark.parametrize("name", good())
async def test_a_reply_is_read_however_it_comes(name: str, kind: str) -> None:
    async with raw_server(lambda number: good()[name]) as server, client(server.base_url(), kind) as wire:
        assert [await text_of(wire) for _ in range(2)] == ["hi", "hi"]
        closes = "end" in name or name == "the old protocol"
        assert server.connections == (2 if closes else 1)


def endless(part: bytes, first: bytes = b"HTTP/1.1 200 OK\r\n") -> Iterator[Step]:
    yield first
    yield from itertools.repeat(part)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
BROKEN: dict[str, Callable[[], Any]] = {
    "nothing": lambda: ["close"],
    "reset": lambda: ["abort"],
    "garbage": lambda: [b"NONSENSE " + KEY.encode() + b"\r\n\r\n"],
    "binary": lambda: [bytes(range(256)) * 9, "close"],
    "another protocol": lambda: [b"SSH-2.0-OpenSSH_9.6\r\n"],
    "a status of four digits": lambda: [b"HTTP/1.1 2000 OK\r\n\r\n"],
    "cut in the headers": lambda: [answer()[:30], "close"],
    "cut in the body": lambda: [answer()[:-5], "close"],
    "reset in the body": lambda: [answer()[:-5], 0.02, "abort"],
    "a length too long": lambda: [answer(length=9999), "close"],
    "two lengths": lambda: [answer("hi", "Content-Length: 3")],
    "a length and chunks": lambda: [answer("hi", "Transfer-Encoding: chunked")],
    "a length below zero": lambda: [answer(length=-1)],
    "a length beyond counting": lambda: [answer(length=2**70)],
    "a size that is none": lambda: [CHUNKED + b"zz\r\nhello\r\n0\r\n\r\n"],
    "a size beyond counting": lambda: [CHUNKED + b"f" * 40 + b"\r\nhello"],
    "cut between chunks": lambda: [CHUNKED + b"5\r\nhello\r\n", "close"],
    "headers without end": lambda: endless(b"X-More: " + b"x" * 1000 + b"\r\n"),
    "small headers without end": lambda: endless(b"a:\r\n" * 4000),
    "a header without end": lambda: endless(b"x" * 4000, b"HTTP/1.1 200 OK\r\nX: "),
}
OURS: dict[str, Callable[[], Any]] = {
    "a status line without end": lambda: endless(b"x" * 4000, b"HTTP/1.1 200 "),
    "continue without end": lambda: endless(b"HTTP/1.1 100 Continue\r\n\r\n" * 100, b""),
    "trailers without end": lambda: endless(
        b"X-More: " + b"x" * 1000 + b"\r\n", CHUNKED + b"1\r\nx\r\n0\r\n"
    ),
    "a trailer without end": lambda: endless(b"x" * 4000, CHUNKED + b"1\r\nx\r\n0\r\nX: "),
    "an extension without end": lambda: endless(b"x" * 4000, CHUNKED + b"1;x="),
    "another protocol agreed on": lambda: [
        b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nabc"
    ],
}
"""Tried on the connections of our own alone."""


@pytest.mark.parametrize(
    ("name", "kind"), [(n, k) for n in BROKEN for k in CLIENTS] + [(n, "own") for n in OURS]
)
async def test_what_is_no_reply_is_one_line_that_may_pass(name: str, kind: str) -> None:
    steps = (BROKEN | OURS)[name]

    def script(number: int) -> Any:
        return steps() if number == 0 else [answer()]

    async with raw_server(script) as server, client(server.base_url(), kind) as wire:
        error = await failure(wire)
        assert isinstance(error, TransientModelError), error
        assert not isinstance(error, UnreachableError)
        # It was sent, once, and may have been charged: asking again is for those who keep the budget.
        assert (len(server.requests), error.unsent) == (1, False)
        assert await text_of(wire) == "hi"
        await until(lambda: server.open <= 1)


@pytest.mark.parametrize(
    "steps",
    [
        lambda: endless(b"%x\r\n%b\r\n" % (2**18, b" " * 2**18), CHUNKED),
        lambda: endless(b" " * 2**18, b"HTTP/1.1 200 OK\r\n\r\n"),
    ],
)
async def test_a_body_without_end_is_refused(steps: Callable[[], Any]) -> None:
    async with raw_server(lambda number: steps()) as server, client(server.base_url(), timeout=60) as wire:
        error = await failure(wire)
        assert isinstance(error, PermanentModelError)
        assert "larger than 32 MB" in str(error)
        await until(lambda: server.open == 0)


@pytest.mark.parametrize(
    "steps",
    [
        lambda: [60.0],
        lambda: itertools.chain([b"HTTP/1.1 200 OK\r\nX: "], itertools.cycle([b"x", 0.02])),
        lambda: itertools.chain([answer()[:-50]], itertools.cycle([b" ", 0.02])),
    ],
)
async def test_who_drips_is_given_up_when_the_time_of_the_call_is_over(
    steps: Callable[[], Any], kind: str
) -> None:
    async with (
        raw_server(lambda number: steps()) as server,
        client(server.base_url(), kind, timeout=0.1) as wire,
    ):
        assert "no answer in 0.1 s" in str(await failure(wire))
        await until(lambda: server.open == 0)


@pytest.mark.parametrize("surplus", [answer("stolen"), b"more", answer("stolen")[:20]])
async def test_what_comes_behind_a_reply_is_nobodys(surplus: bytes) -> None:
    replies = [[answer("one") + surplus], [answer("two")]]
    async with raw_server(lambda number: replies[number]) as server, client(server.base_url()) as wire:
        assert [await text_of(wire) for _ in range(2)] == ["one", "two"]
        assert server.connections == 2


async def test_what_comes_while_nobody_asks_ends_the_connection() -> None:
    replies: list[list[Step]] = [
        [answer("one"), 0.02, answer("stolen"), 0.02, answer("stolen")],
        [answer("two")],
    ]
    async with raw_server(lambda number: replies[number]) as server, client(server.base_url()) as wire:
        assert await text_of(wire) == "one"
        await until(lambda: server.open == 0)
        assert await text_of(wire) == "two"


async def test_a_length_too_short_spoils_the_reply_and_no_other(kind: str) -> None:
    replies = [[answer("one", length=20)], [answer("two")]]
    async with raw_server(lambda number: replies[number]) as server, client(server.base_url(), kind) as wire:
        assert isinstance(await failure(wire), TransientModelError)
        assert await text_of(wire) == "two"


async def test_calls_after_one_another_share_a_connection_until_the_server_closes_it(kind: str) -> None:
    def script(number: int) -> list[Step]:
        reply = answer(str(number), *["Connection: close"] * (number == 2))
        return [reply, "close"] if number == 4 else [reply]

    async with raw_server(script) as server, client(server.base_url(), kind) as wire:
        for number in range(7):
            assert await text_of(wire) == str(number)
            await until(lambda last=number: server.open == (last not in (2, 4)))  # type: ignore[misc]
            for _ in range(20):
                await asyncio.sleep(0.001)  # until that is known here too
        assert server.connections == 3


async def test_a_request_that_a_kept_connection_lost_is_not_sent_twice(kind: str) -> None:
    # Whether the server read it nobody can know: it may have been charged.
    replies: list[list[Step]] = [[answer()], ["close"], [answer("again")]]
    async with raw_server(lambda number: replies[number]) as server, client(server.base_url(), kind) as wire:
        await text_of(wire)
        error = await failure(wire)
        assert isinstance(error, TransientModelError)
        assert not error.unsent
        assert (len(server.requests), server.connections) == (2, 1)
        assert await text_of(wire) == "again"


async def test_connections_that_rest_for_long_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "IDLE_SECONDS", 0.05)
    async with raw_server(lambda number: [0.02, answer()]) as server, client(server.base_url()) as wire:
        await asyncio.gather(*(text_of(wire) for _ in range(4)))
        assert server.connections == 4
        await until(lambda: server.open == 0)
        await text_of(wire)


async def test_a_call_that_is_cancelled_ends_its_connection(kind: str) -> None:
    replies: list[list[Step]] = [[0.1, answer("late"), 60.0], [answer("mine")]]
    async with raw_server(lambda number: replies[number]) as server, client(server.base_url(), kind) as wire:
        call = asyncio.create_task(text_of(wire))
        await until(lambda: len(server.requests) == 1)
        call.cancel()
        await asyncio.wait([call])
        assert call.cancelled()
        assert await text_of(wire) == "mine"


async def test_closing_ends_the_calls_under_way() -> None:
    async with raw_server(lambda number: [60.0]) as server, client(server.base_url()) as wire:
        call = asyncio.create_task(failure(wire))
        await until(lambda: len(server.requests) == 1)
        await wire.aclose()
        assert isinstance(await call, TransientModelError)
        await until(lambda: server.open == 0)


async def test_a_long_request_arrives_whole(kind: str) -> None:
    long = Request(messages=(Message("user", "x" * 900_000),))
    async with raw_server(lambda number: [answer()]) as server, client(server.base_url(), kind) as wire:
        assert (await wire.complete(long)).text == "hi"
        assert b"x" * 900_000 in server.requests[0][1]


async def test_a_server_that_refuses_before_it_has_read_all_gets_the_next_call_on_a_connection_of_its_own() -> (
    None
):
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too large\r\nContent-Length: 0\r\n\r\n")

    writers: list[asyncio.StreamWriter] = []
    tcp = await asyncio.start_server(refuse, "127.0.0.1", 0, limit=2**12)
    async with tcp, client(f"http://127.0.0.1:{tcp.sockets[0].getsockname()[1]}/v1", timeout=60) as wire:
        for size in (20_000_000, 1):
            with pytest.raises(PermanentModelError, match="HTTP 413"):
                await wire.complete(Request(messages=(Message("user", "x" * size),)))
        assert len(writers) == 2
        for writer in writers:
            writer.transport.abort()


@pytest.mark.parametrize("status", [301, 307])
async def test_a_redirect_is_followed_by_nobody(status: int, kind: str) -> None:
    async with raw_server(lambda number: [answer("elsewhere")]) as other:
        told = (
            f"HTTP/1.1 {status} Moved\r\nLocation: {other.base_url()}\r\nContent-Length: 0\r\n\r\n".encode()
        )
        async with raw_server(lambda number: [told]) as server, client(server.base_url(), kind) as wire:
            assert "the server points elsewhere" in str(await failure(wire))
        assert other.connections == 0


async def test_headers_are_read_in_any_case(kind: str) -> None:
    told = b"HTTP/1.1 429 Slow\r\nRETRY-after:  7 \r\ncontent-length: 0\r\n\r\n"
    async with raw_server(lambda number: [told]) as server, client(server.base_url(), kind) as wire:
        assert (await failure(wire)).retry_after == 7.0


async def test_a_certificate_that_nobody_trusts_ends_the_run_before_anything_is_sent(
    tmp_path: Path, kind: str
) -> None:
    async with raw_server(lambda number: [answer()], tls=server_context(tmp_path)) as server:
        async with client(server.base_url("localhost", "https"), kind) as wire:
            error = await failure(wire)
        assert isinstance(error, PermanentModelError)
        assert "CERTIFICATE_VERIFY_FAILED" in str(error)
        assert error.unsent
        assert server.requests == []


async def test_a_trusted_certificate_is_for_its_own_name_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate(tmp_path)))
    pool.verifying_context.cache_clear()
    try:
        async with raw_server(lambda number: [answer()], tls=server_context(tmp_path)) as server:
            async with client(server.base_url("localhost", "https")) as wire:
                assert [await text_of(wire) for _ in range(2)] == ["hi", "hi"]
                assert server.connections == 1
            async with client(server.base_url("127.0.0.1", "https")) as wire:
                assert "CERTIFICATE_VERIFY_FAILED" in str(await failure(wire))
            assert len(server.requests) == 2
    finally:
        pool.verifying_context.cache_clear()


async def test_an_address_of_ipv6_is_reached_and_named() -> None:
    try:
        async with raw_server(lambda number: [answer()], host="::1") as server:
            async with client(server.base_url("[::1]")) as wire:
                assert await text_of(wire) == "hi"
            assert f"Host: [::1]:{server.port}\r\n".encode() in server.requests[0][0]
    except OSError:
        pytest.skip("this machine has no IPv6")


async def test_many_connections_look_a_name_up_once(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, real = [], socket.getaddrinfo

    def counted(*what: Any, **how: Any) -> Any:
        asked.append(what[0])
        return real(*what, **how)

    monkeypatch.setattr(socket, "getaddrinfo", counted)
    async with client(server.base_url.replace("127.0.0.1", "localhost")) as wire:
        await asyncio.gather(*(text_of(wire) for _ in range(20)))
    assert asked == ["localhost"]


async def test_a_name_that_is_looked_up_without_end_was_sent_nothing(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()

    def never(*what: Any, **how: Any) -> Any:
        over.wait(60)

    monkeypatch.setattr(socket, "getaddrinfo", never)
    async with client(server.base_url, timeout=0.1) as wire:
        error = await failure(wire)
    over.set()
    assert isinstance(error, UnreachableError)
    assert "(no connection within 0.1 s)" in str(error)


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("http://host/v1", {"X": "a\r\nY: b"}),
        ("http://host/v1", {"X\r\nY": "b"}),
        ("http://host/v1", {"Host": "other"}),
        ("http://host/v1", {"Transfer-Encoding": "chunked"}),
        ("http://host/v1", {"X": "K\u00f6ln"}),
        ("http://host/a b", {}),
        ("http://host/v1?x=\u00fc", {}),
        ("http://h\u00f6st/v1", {}),
    ],
)
def test_what_is_out_of_the_ordinary_is_left_to_aiohttp(url: str, headers: dict[str, str]) -> None:
    assert request_head(url, headers) is None
    assert request_head("http://host:8000/v1?a=b", {"X": "a"}) == (
        b"POST /v1?a=b HTTP/1.1\r\nHost: host:8000\r\nUser-Agent: gpo\r\nX: a\r\nContent-Length: "
    )
    assert b"Host: host\r\n" in (request_head("https://host:443/", {}) or b"")


PROGRAM = """
import asyncio, sys
from gpo.model.model import Message, Request
from gpo.model.openai.client import OpenAIClient
async def main():
    wire = OpenAIClient(base_url=sys.argv[1], model="m")
    print((await wire.complete(Request(messages=(Message("user", "hello"),)))).text)
    await wire.aclose()
asyncio.run(main())
print("aiohttp" in sys.modules)
"""


def test_a_call_without_a_proxy_loads_no_other_client(server: ModelServer) -> None:
    command = [sys.executable, "-W", "error", "-c", PROGRAM, server.base_url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("hello\nFalse\n", "")


@pytest.mark.parametrize("kind", CLIENTS)
async def test_the_key_goes_with_every_call(kind: str) -> None:
    async with raw_server(lambda number: [answer()]) as server, client(server.base_url(), kind) as wire:
        assert await text_of(wire) == "hi"
    lines = server.requests[0][0].decode().lower().split("\r\n")
    assert lines.count(f"authorization: bearer {KEY}") == 1
