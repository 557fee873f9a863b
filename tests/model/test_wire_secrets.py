"""Calls through a proxy and to an address with a key in it: what goes wrong is told without a secret."""

from __future__ import annotations

import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from gpo.errors import ModelError, PermanentModelError, TransientModelError
from gpo.model.model import Message, Request
from gpo.model.openai.client import OpenAIClient
from gpo.model.openai.errors import UnreachableError
from tests.support.server import ModelServer

ASK = Request(messages=(Message("user", "hello"),))


async def failure(wire: OpenAIClient) -> Any:
    with pytest.raises(ModelError) as caught:
        await wire.complete(ASK)
    assert "\n" not in str(caught.value)
    return caught.value


@asynccontextmanager
async def speaking(answer: bytes) -> AsyncIterator[int]:
    """A server on loopback that says `answer` to whatever is asked; its port."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        with suppress(ConnectionError):
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


SECRETS = ("alice", "hunter2secret", "QUERYSECRET", "QKEY")


async def failure_told(base_url: str) -> Any:
    """The failure of a call; neither the address nor the proxy tells a secret."""
    wire = OpenAIClient(base_url=base_url, model="m", timeout=5)
    error = await failure(wire)
    await wire.aclose()
    assert not [secret for secret in SECRETS if secret in str(error)]
    return error


@pytest.fixture
def proxied(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    for name in ("NO_PROXY", "no_proxy", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)

    def set_proxy(url: str) -> None:
        monkeypatch.setenv("HTTP_PROXY", url)
        monkeypatch.setenv("HTTPS_PROXY", url)

    return set_proxy


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_wants_another_password_is_told_without_it(
    scheme: str, proxied: Callable[[str], None]
) -> None:
    async with speaking(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n") as port:
        proxied(f"http://alice:hunter2secret@127.0.0.1:{port}")
        error = await failure_told(f"{scheme}://model.invalid/v1?api-key=QUERYSECRET")
    assert isinstance(error, PermanentModelError)
    assert (error.scope, error.status) == ("run", 407)
    assert "HTTP 407" in str(error)
    assert "HTTPS_PROXY" in str(error)


async def test_a_proxy_that_is_out_of_order_may_pass_and_sent_nothing_on(
    proxied: Callable[[str], None],
) -> None:
    async with speaking(b"HTTP/1.1 502 Bad gateway for hunter2secret\r\n\r\n") as port:
        proxied(f"http://alice:hunter2secret@127.0.0.1:{port}")
        error = await failure_told("https://model.invalid/v1")
    assert isinstance(error, TransientModelError)
    assert error.unsent
    assert "HTTP 502: Bad gateway for [key]" in str(error)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("proxy", ["http://alice:hunter2secret@proxy:port", "alice:hunter2secret@proxy:80"])
async def test_a_proxy_without_an_address_is_told_without_its_password(
    scheme: str, proxy: str, proxied: Callable[[str], None]
) -> None:
    proxied(proxy)
    error = await failure_told(f"{scheme}://model.invalid/v1")
    assert isinstance(error, PermanentModelError)
    assert error.unsent
    assert "(InvalidURL); check base_url and the proxy in HTTPS_PROXY" in str(error)


async def test_a_proxy_that_is_not_there_is_told_as_such(proxied: Callable[[str], None]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        proxied(f"http://alice:hunter2secret@127.0.0.1:{taken.getsockname()[1]}")
    error = await failure_told("https://model.invalid/v1")
    assert isinstance(error, UnreachableError)
    assert "the proxy in HTTPS_PROXY or HTTP_PROXY does not answer" in str(error)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_whose_name_is_not_known_is_not_taken_for_the_server(
    scheme: str, proxied: Callable[[str], None]
) -> None:
    proxied("http://alice:hunter2secret@proxy.invalid:8080")
    error = await failure_told(f"{scheme}://model.invalid/v1")
    assert isinstance(error, UnreachableError)
    assert "the host name of the proxy in HTTPS_PROXY or HTTP_PROXY is not known" in str(error)


@pytest.mark.usefixtures("proxied")
async def test_a_server_whose_name_is_not_known_is_told_as_such() -> None:
    for host in ("model.invalid", "MODEL.invalid", "mödel.invalid"):
        assert "(the host name is not known)" in str(await failure_told(f"http://{host}/v1"))


async def test_an_answer_that_is_no_http_is_told_without_the_query() -> None:
    async with speaking(b"NONSENSE hunter2secret QUERYSECRET\r\n\r\n") as port:
        url = f"http://alice:hunter2secret@127.0.0.1:{port}/v1?api-version=1&api-key=QUERYSECRET&k=QKEY"
        error = await failure_told(url)
    assert isinstance(error, TransientModelError)
    assert f"the connection to http://127.0.0.1:{port}/v1 failed (" in str(error)


async def test_a_server_that_echoes_the_address_is_redacted(server: ModelServer) -> None:
    server.models = frozenset()
    url = server.base_url.replace("http://", "http://alice:hunter2secret@") + "?api-key=QUERYSECRET"
    token = base64.b64encode(b"alice:hunter2secret").decode()
    wire = OpenAIClient(base_url=url, model=f"no hunter2secret, no QUERYSECRET, no {token}", identity="here")
    assert "The model `no [key], no [key], no [key]` does not exist" in str(await failure(wire))
    await wire.aclose()


async def test_calls_go_through_the_proxy_of_the_environment_but_for_this_machine_and_its_exceptions(
    server: ModelServer, proxied: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def asked(base_url: str, path: str = "") -> None:
        wire = OpenAIClient(base_url=base_url, model="m", timeout=5)
        if path:
            # A server that takes its calls for its own: the path is all that it looks at.
            assert (await wire.complete(ASK)).text == "hello"
            assert server.log[-1].headers["Host"] == path
        else:
            assert isinstance(await failure(wire), UnreachableError)
        await wire.aclose()

    here = server.base_url.removesuffix("/v1")
    proxied(here)
    await asked("http://model.invalid/v1", "model.invalid")
    monkeypatch.setenv("NO_PROXY", "model.invalid")
    await asked("http://model.invalid/v1")
    proxied("http://127.0.0.1:1")
    for name in ("127.0.0.1", "localhost"):
        await asked(
            server.base_url.replace("127.0.0.1", name),
            here.removeprefix("http://").replace("127.0.0.1", name),
        )
