"""The connections to one endpoint over pyreqwest (the extra `fast`): half of aiohttp's processor time a call.

Only calls that reach the server go over it. Where no connection comes about, aiohttp makes the call: nothing was sent
yet, and what is wrong is told in the same words whatever is installed.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from gpo.errors import TransientModelError
from gpo.extras import is_installed
from gpo.model.openai.body import MOST_BYTES, too_large, unpacked
from gpo.model.openai.connection import CONNECT_SECONDS, IDLE_SECONDS, KEEPALIVE, EndpointConnection
from gpo.model.openai.errors import clean, redact, unreadable_error
from gpo.model.openai.trials import Response
from gpo.model.threads import read_apart

if TYPE_CHECKING:
    from pyreqwest.client import Client
    from pyreqwest.exceptions import RequestError
    from pyreqwest.request import StreamRequest
    from pyreqwest.response import Response as Incoming

VARIABLE = "GPO_HTTP"
"""The environment variable that, set to aiohttp, leaves pyreqwest alone."""

_UNCONNECTED = "client error (Connect)"
"""What hyper says of a call that met no connection. The type of the error says less: it is the same where the server
closed a connection after it had read the call."""

_process: int | None = None  # whose threads pyreqwest's are: a fork has none of them


def is_available() -> bool:
    """Whether calls of this process may go over pyreqwest."""
    return (
        is_installed("pyreqwest")
        and os.environ.get(VARIABLE, "") != "aiohttp"
        and _process in (None, os.getpid())
    )


class FastConnection:
    """As `EndpointConnection`, which `other` is, without a proxy; its arguments are those of `other`."""

    def __init__(
        self,
        other: EndpointConnection,
        base: str,
        *,
        name: str,
        headers: Mapping[str, str],
        secrets: Sequence[str] = (),
        timeout: float = 120.0,
    ) -> None:
        self._other = other
        self._base, self._name, self._headers = base, name, headers
        self._secrets, self._timeout = secrets, timeout
        self._client: Client | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def post(self, url: str, data: bytes) -> Response:
        """Post a body. Raises `ModelError` where no response comes or it is too large."""
        from pyreqwest import exceptions

        request = self._request(url, data)
        if request is None:
            return await self._other.post(url, data)
        try:
            async with request as incoming:
                body = await _read(incoming, self._name)
                encoding = incoming.get_header("Content-Encoding")
                status = incoming.status
                headers = {} if status == 200 else dict(incoming.headers.items())
        except exceptions.RequestError as error:
            if _UNCONNECTED in _causes(error):
                return await self._other.post(url, data)
            if isinstance(error, TimeoutError):
                raise TransientModelError(f"{self._name}: no answer in {self._timeout:g} s") from None
            reason = clean(redact(f"{type(error).__name__} {_causes(error)[-1]}".strip(), self._secrets))
            raise TransientModelError(f"the connection to {self._base} failed ({reason})") from None
        except ValueError:
            raise unreadable_error(b"", endpoint=self._name, key=self._secrets) from None
        if encoding:
            try:
                body = await read_apart(unpacked, body, encoding, self._name)
            except ValueError:
                raise unreadable_error(b"", endpoint=self._name, key=self._secrets) from None
        return Response(status, headers, body)

    async def serves(self, url: str) -> bool:
        """Whether something is served at `url`, if for others than us."""
        return await self._other.serves(url)

    async def aclose(self) -> None:
        """Close what is open. May be called more than once."""
        client, self._client, self._loop = self._client, None, None
        if client is not None:
            await client.close()
        await self._other.aclose()

    def _request(self, url: str, data: bytes) -> StreamRequest | None:
        """The call, or None where pyreqwest does not take the address or a header: its own error would repeat them."""
        try:
            client = self._client
            if client is None or self._loop is not asyncio.get_running_loop():
                client = self._open()
            return client.post(url).body_bytes(data).build_streamed()
        except ValueError:
            return None

    def _open(self) -> Client:
        """A client for the running loop."""
        from pyreqwest.client import ClientBuilder

        global _process
        _process = os.getpid()
        idle, interval, probes = KEEPALIVE
        self._loop = asyncio.get_running_loop()
        # A redirect is followed by nobody: it would turn the call into a GET, or carry it somewhere else. What is
        # packed is unpacked here, under a limit.
        self._client = client = (
            ClientBuilder()
            .default_headers(dict(self._headers))
            .timeout(timedelta(seconds=self._timeout))
            .connect_timeout(timedelta(seconds=min(CONNECT_SECONDS, self._timeout)))
            .pool_idle_timeout(timedelta(seconds=IDLE_SECONDS))
            .tcp_keepalive(timedelta(seconds=idle))
            .tcp_keepalive_interval(timedelta(seconds=interval))
            .tcp_keepalive_retries(probes)
            .follow_redirects(False)
            .referer(False)
            .no_proxy()
            .gzip(False)
            .deflate(False)
            .brotli(False)
            .zstd(False)
            .build()
        )
        return client


async def _read(incoming: Incoming, endpoint: str, most: int = MOST_BYTES) -> bytes:
    """The body as it came, still packed. Raises `PermanentModelError` beyond `most` bytes."""
    chunks: list[bytes] = []
    size = 0
    reader = incoming.body_reader
    while (chunk := await reader.read_chunk()) is not None:
        size += len(chunk)
        if size > most:
            raise too_large(endpoint, most)
        chunks.append(chunk.to_bytes())
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _causes(error: RequestError) -> list[str]:
    """What happened, ever deeper; the first and the text of the error itself repeat the address."""
    return ["", *(cause["message"] for cause in (error.details.get("causes") or ())[1:])]
